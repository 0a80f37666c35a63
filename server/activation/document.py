"""The JSON shape of the licence's status (interfaces.md, `daftar license status --json`)."""

from datetime import datetime

from server.activation.rules import LicenseStatus, NextTerm, SeatUse
from server.core.clock import rfc3339


def _moment(value: datetime | None) -> str | None:
    return rfc3339(value) if value else None


def _seats(use: SeatUse) -> dict[str, int]:
    return {"used": use.used, "cap": use.cap}


def _next_term(term: NextTerm | None) -> dict[str, object] | None:
    if term is None:
        return None
    return {
        "starts_at": rfc3339(term.starts_at),
        "seats": {"named": term.named, "concurrent": term.concurrent, "service": term.service},
    }


def show_status(status: LicenseStatus) -> dict[str, object]:
    """Return the JSON object of the licence's status."""
    lease = status.lease
    return {
        "mode": status.mode,
        "reason": status.reason,
        "license_id": status.license_id,
        "customer": status.customer,
        "seats": {
            "named": _seats(status.named),
            "concurrent": _seats(status.concurrent),
            "service": _seats(status.service),
        },
        "expires_at": _moment(status.expires_at),
        "next_term": _next_term(status.next_term),
        "lease": {
            "seq": lease.seq,
            "issued_at": rfc3339(lease.issued_at),
            "expires_at": rfc3339(lease.expires_at),
        }
        if lease
        else None,
        "last_contact_at": _moment(status.last_contact_at),
        "next_change_at": _moment(status.next_change_at),
        "notices": [*status.notices, *status.problems],
    }
