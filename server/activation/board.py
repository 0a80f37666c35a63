"""From the licence's verdict to what gate, banners and pages know of it. No clock, no database."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from licensing.client.ladder import Audience, Reason, Verdict, read_only_at
from licensing.client.reopen import Snapshot
from licensing.document.errors import NoticeCode
from licensing.document.license import License, NetworkMode
from licensing.document.requests import Mode
from server.activation.rules import moment
from server.activation.words import OUTSIDE
from server.core.entitlements import Entitlements, Facts, Notice

_LEVELS = {
    Mode.OK: "success",
    Mode.WARN_EXPIRY: "warning",
    Mode.WARN_ADMIN: "warning",
    Mode.WARN_USERS: "warning",
    Mode.READ_ONLY: "danger",
    Mode.SETUP: "info",
    Mode.LOCKED: "danger",
}
_HARMLESS = {NoticeCode.STATE_RESYNC, NoticeCode.RENEWAL_AVAILABLE, NoticeCode.KEY_ROTATION}


def entitlements_of(
    verdict: Verdict,
    snapshot: Snapshot,
    *,
    named_used: int,
    administrators: Sequence[str] = (),
    vendor: str = "",
    outside_visits: int = 0,
) -> Entitlements:
    """Return everything that the board shows."""
    sold, lease = snapshot.license, snapshot.lease
    terms = sold.checkin if sold else None
    end = lease.issued_at + terms.lease_ttl_s if lease and terms else None
    return Entitlements(
        mode=verdict.mode.value,
        reason=verdict.reason.value,
        license_id=sold.license_id if sold else None,
        customer=sold.customer.name if sold else None,
        features=frozenset(sold.features) if sold else frozenset(),
        expires_at=_moment(sold.expires_at) if sold else None,
        last_contact_at=_moment(snapshot.last_contact_at),
        notices=(*_findings(verdict), *_signed(verdict), *_outside(sold, outside_visits)),
        networks=sold.network_scope.cidrs if sold else (),
        network_mode=sold.network_scope.mode.value if sold else "off",
        facts=Facts(
            starts_at=_moment(sold.starts_at) if sold else None,
            told_at=_moment(end),
            read_only_at=_moment(read_only_at(sold, lease)) if sold and lease else None,
            locked_at=_moment(end + terms.lock_after_s) if end and terms else None,
            named_used=named_used,
            named_cap=sold.seats.named if sold else 0,
            administrators=tuple(administrators),
            vendor=vendor,
            outside_visits=outside_visits,
        ),
    )


def _moment(seconds: int | None) -> datetime | None:
    return moment(seconds) if seconds else None


def _findings(verdict: Verdict) -> Iterator[Notice]:
    for finding in verdict.findings:
        if finding.banner is not Audience.NOBODY:
            yield Notice(
                code=finding.reason.value,
                audience="everybody" if finding.banner is Audience.EVERYBODY else "admins",
                level=_LEVELS[finding.mode],
                at=_moment(finding.due_at),
                mode=finding.mode.value,
            )


def _outside(sold: License | None, visits: int) -> Iterator[Notice]:
    if sold is not None and visits and sold.network_scope.mode is not NetworkMode.OFF:
        yield Notice(OUTSIDE, "admins", "info")


def _signed(verdict: Verdict) -> Iterator[Notice]:
    """Yield each notice of licensing.md §9 once; what a row of the ladder says already is left to it."""
    rows = {finding.reason for finding in verdict.findings}
    told = {NoticeCode.SEATS_OVER_NEW_CAP.value} if Reason.SEATS_OVER_CAP in rows else set()
    for notice in verdict.notices:
        if notice.code not in told:
            told.add(notice.code)
            level = "info" if notice.code in _HARMLESS else "warning"
            yield Notice(notice.code, "admins", level, _moment(notice.at), text=notice.text)
