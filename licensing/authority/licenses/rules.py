"""Terms of a licence: when days end, what may be sold, what may be done to it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from math import ceil
from zoneinfo import ZoneInfo

from licensing.document.answers import LeaseStatus
from licensing.document.errors import Code
from licensing.document.license import PRIVATE_NETWORKS, CheckinTerms, Kind, NetworkMode

DAY = 86_400
TRIAL_DAYS = 10
TERM_DAYS = 365
LONGEST_TERM_DAYS = 36_525
LONGEST_GRACE = 365
LONGEST_LEASE = 90
SITE_LENGTH = 200
LATE_DAYS = 30  # a renewal within so many days goes on from the old end
SERVICE_ACCOUNTS = 5
MOST_SEATS = 1_000_000


class LicenseStatus(StrEnum):
    """What the vendor decided about a licence; its term is another matter."""

    OK = "ok"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    CLOSED = "closed"  # given back: ended or refunded


class FlagKind(StrEnum):
    """What somebody at the vendor should look at."""

    WRONG_CODES = "wrong_codes"
    CLONE_REVIEW = "clone_review"
    CLONE_HOLD = "clone_hold"
    SHARED_FINGERPRINT = "shared_fingerprint"
    FINGERPRINT_CHANGED = "fingerprint_changed"
    WEAK_BINDING = "weak_binding"
    REHOSTED = "rehosted"
    BEHIND = "behind"  # the customer holds something newer than a restored database knows


@dataclass(frozen=True)
class Order:
    """What is being sold. `days` is None for what is usual for the kind."""

    customer_id: str
    seats: int
    kind: Kind = Kind.SUBSCRIPTION
    days: int | None = None
    concurrent: int | None = None
    service_accounts: int = SERVICE_ACCOUNTS
    site: str | None = None
    edition: str | None = None
    features: tuple[str, ...] = ()
    network_mode: NetworkMode = NetworkMode.ENFORCE
    networks: tuple[str, ...] = PRIVATE_NETWORKS
    starts_at: int | None = None
    grace_days: int = 0
    lease_days: int = 14


def term_days(order: Order) -> int:
    """Return how many days are sold: the term, or the maintenance of a perpetual licence."""
    if order.days is not None:
        return order.days
    return TRIAL_DAYS if order.kind is Kind.TRIAL else TERM_DAYS


def end_of_term(start: int, days: int, zone: str) -> int:
    """Return 23:59:59 of the last paid day in the customer's zone, as Unix seconds.

    Reckoned as the second before the next day begins: where clocks are set back at midnight there
    are two 23:59:59, and the customer has paid for both.
    """
    place = ZoneInfo(zone)
    day_after = datetime.fromtimestamp(start, place).date() + timedelta(days=days + 1)
    return int(datetime.combine(day_after, time(), place).astimezone(UTC).timestamp()) - 1


def end_of_order(order: Order, zone: str, now: int) -> int:
    """Return the last paid second of what is sold now.

    What begins with a day has that day in it; what begins in the middle of one has it on top.
    """
    counted_from = now if order.starts_at is None else order.starts_at - 1
    return end_of_term(counted_from, term_days(order), zone)


def start_of_day(day: date, zone: str) -> int:
    """Return the first second of a day in the customer's zone, as Unix seconds."""
    return int(datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).timestamp())


def renewal_start(held_end: int, now: int) -> int:
    """Return from when the days of a renewal count: the held end, or now when that is long past.

    Who pays some days late gains no free days by it; who comes back after a month begins anew.
    """
    return held_end if now <= held_end + LATE_DAYS * DAY else now


def checkin_terms(lease_days: int) -> CheckinTerms:
    """Return the bounds of living without contact for a lease of so many days."""
    return CheckinTerms(lease_ttl_s=lease_days * DAY)


def has_ended(expires_at: int | None, grace_days: int, now: int) -> bool:
    """Tell whether the term is over, its grace included."""
    return expires_at is not None and now > expires_at + grace_days * DAY


def lease_status(
    status: LicenseStatus, expires_at: int | None, grace_days: int, now: int
) -> LeaseStatus:
    """Return what a check-in is told."""
    if status is LicenseStatus.REVOKED:
        return LeaseStatus.REVOKED
    if status is LicenseStatus.SUSPENDED:
        return LeaseStatus.SUSPENDED
    return LeaseStatus.EXPIRED if has_ended(expires_at, grace_days, now) else LeaseStatus.OK


_REFUSED: Mapping[LicenseStatus, Code] = {
    LicenseStatus.SUSPENDED: Code.E_SUSPENDED,
    LicenseStatus.REVOKED: Code.E_REVOKED,
    LicenseStatus.CLOSED: Code.E_DEACTIVATED,
}


def refusal(
    status: LicenseStatus, starts_at: int, expires_at: int | None, grace_days: int, now: int
) -> Code | None:
    """Return why this licence cannot be activated now, or None."""
    if status in _REFUSED:
        return _REFUSED[status]
    if now < starts_at:
        return Code.E_NOT_STARTED
    return Code.E_EXPIRED if has_ended(expires_at, grace_days, now) else None


def may_become(held: LicenseStatus, wanted: LicenseStatus) -> bool:
    """Tell whether the vendor may take this step; a revoked or closed licence stays so."""
    if wanted is LicenseStatus.REVOKED:
        return held in (LicenseStatus.OK, LicenseStatus.SUSPENDED)
    pair = {held, wanted}
    return pair == {LicenseStatus.OK, LicenseStatus.SUSPENDED}


def enough(part: int) -> int:
    """Return how many components of a fingerprint make it the same machine."""
    return ceil(part / 2)


def is_same_machine(known: Mapping[str, str], shown: Mapping[str, str]) -> bool:
    """Tell whether enough components agree; what cannot be read now is not different."""
    agreeing = sum(shown.get(name, value) == value for name, value in known.items())
    return agreeing >= enough(len(known))
