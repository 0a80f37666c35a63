"""Licences, activations and flags as JSON for the vendor's people. Times are RFC 3339."""

from datetime import UTC, datetime

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.customers.models import Customer
from licensing.authority.licenses.models import Flag, LicenseRecord
from server.core.clock import rfc3339


def show_license(
    license_: LicenseRecord, customer: Customer, active: ActivationRecord | None
) -> dict[str, object]:
    """Return what is worth knowing about a licence."""
    return {
        "license_id": license_.license_id,
        "customer": {"id": customer.customer_id, "name": customer.name},
        "status": license_.status.value,
        "kind": license_.kind.value,
        "site": license_.site_label,
        "seats": {
            "named": license_.named,
            "concurrent": license_.concurrent,
            "service_accounts": license_.service_accounts,
        },
        "serial": license_.serial,
        "generation": license_.generation,
        "starts_at": moment(license_.starts_at),
        "expires_at": moment(license_.expires_at),
        "maintenance_until": moment(license_.maintenance_until),
        "next_term": None
        if license_.next_starts_at is None
        else {
            "starts_at": moment(license_.next_starts_at),
            "seats": {
                "named": license_.next_named,
                "concurrent": license_.next_concurrent,
                "service_accounts": license_.next_service_accounts,
            },
        },
        "activation": None if active is None else active.activation_id,
        "last_seen_at": None if active is None else moment(active.last_seen_at),
    }


def show_activation(activation: ActivationRecord) -> dict[str, object]:
    """Return how an activation stands, or how it ended."""
    return {
        "activation_id": activation.activation_id,
        "generation": activation.generation,
        "status": activation.status.value,
        "activated_at": moment(activation.activated_at),
        "ended_at": moment(activation.ended_at),
        "refunded_at": moment(activation.refunded_at),
        "told_serial": activation.told_serial,
        "end_reason": activation.end_reason,
        "seq": activation.head_seq,
        "lease_expires_at": moment(activation.lease_expires_at),
        "last_seen_at": moment(activation.last_seen_at),
        "product_version": activation.product_version,
        "usage": activation.usage,
        "mode": activation.mode,
        "forks": activation.forks,
        "held": activation.is_held,
    }


def show_flag(flag: Flag) -> dict[str, object]:
    """Return what somebody should look at."""
    return {"kind": flag.kind.value, "detail": flag.detail, "raised_at": rfc3339(flag.raised_at)}


def moment(seconds: int | None) -> str | None:
    """Return Unix seconds as RFC 3339."""
    return None if seconds is None else rfc3339(datetime.fromtimestamp(seconds, UTC))
