"""The next term loaded ahead, and what else of a sold licence may change. Nothing here commits."""

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from licensing.authority.audit.service import note
from licensing.authority.keys.store import Keys
from licensing.authority.licenses import rules
from licensing.authority.licenses.documents import forget_next_term, refresh, sign_next
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import customer_of, get_license
from licensing.authority.licenses.service import (
    SeatChange,
    caps_after,
    check_living,
    check_networks,
    check_number,
    index_license,
)
from licensing.document.license import Kind, NetworkMode
from server.core import clock
from server.core.db import Database
from server.core.errors import Conflict, Invalid
from server.core.i18n import gettext as _

BATCH = 100


def load_next_term(
    session: Session, operator: str, keys: Keys, license_id: str, days: int, seats: SeatChange
) -> LicenseRecord:
    """Sell the term after the running one. Its days count from the running end, its seats from then on.

    The server fetches it with its next check-in, so that the warning of the end disappears; the
    seats of the running term hold until that is over.
    """
    check_number("days", days, 1, rules.LONGEST_TERM_DAYS)
    license_ = get_license(session, license_id)
    check_living(license_)
    now = clock.timestamp()
    ends_at = _running_end(license_, now)
    named, concurrent, service = caps_after(license_, seats)
    license_.next_starts_at = ends_at + 1
    license_.next_named, license_.next_concurrent = named, concurrent
    license_.next_service_accounts = service
    license_.expires_at = rules.end_of_term(ends_at, days, license_.timezone)
    license_.maintenance_until = license_.expires_at
    sign_next(session, keys, license_, now)
    note(
        session,
        operator,
        "license.load_next_term",
        license_id,
        {
            "days": days,
            "named": named,
            "from": license_.next_starts_at,
            "until": license_.expires_at,
        },
    )
    return license_


def _running_end(license_: LicenseRecord, now: int) -> int:
    if license_.kind is not Kind.SUBSCRIPTION or license_.expires_at is None:
        raise Conflict(_("Only a subscription has a next term."))
    if license_.next_starts_at is not None:
        raise Conflict(
            _(
                "The licence %(id)s has its next term loaded already. Withdraw it first, or renew the licence.",
                id=license_.license_id,
            )
        )
    if now > license_.expires_at:
        raise Conflict(
            _(
                "The term of the licence %(id)s is over. Renew it: there is none that a next one could follow.",
                id=license_.license_id,
            )
        )
    return license_.expires_at


def withdraw_next_term(
    session: Session, operator: str, keys: Keys, license_id: str
) -> LicenseRecord:
    """Take back a next term that has not begun; the running one ends when it was sold to end."""
    license_ = get_license(session, license_id)
    check_living(license_)
    now = clock.timestamp()
    starts_at = license_.next_starts_at
    if starts_at is None or now >= starts_at:
        raise Conflict(_("The licence %(id)s has no next term that has not begun.", id=license_id))
    forget_next_term(license_)
    license_.expires_at = license_.maintenance_until = starts_at - 1
    sign_next(session, keys, license_, now)
    note(session, operator, "license.withdraw_next_term", license_id, {"until": starts_at - 1})
    return license_


def begin_next_terms(database: Database, keys: Keys) -> int:
    """Sign anew the licences whose next term has begun; return how many there were.

    A check-in does it for its own licence, so this is for those that nobody asks about.
    """
    total = 0
    while count := _begin_some(database, keys):
        total += count
    return total


def _begin_some(database: Database, keys: Keys) -> int:
    now = clock.timestamp()
    with database.write() as session:
        due = session.scalars(
            select(LicenseRecord)
            .where(LicenseRecord.next_starts_at <= now)
            .options(undefer(LicenseRecord.envelope))
            .order_by(LicenseRecord.id)
            .limit(BATCH)
            .with_for_update()
        ).all()
        for license_ in due:
            refresh(session, keys.ring(), license_, now)
    return len(due)


@dataclass(frozen=True)
class TermsChange:
    """What else may change; None leaves it as it is. The customer never does (R-LIC-1, R-LIC-11)."""

    site: str | None = None
    edition: str | None = None
    features: tuple[str, ...] | None = None
    network_mode: NetworkMode | None = None
    networks: tuple[str, ...] | None = None
    grace_days: int | None = None
    lease_days: int | None = None


def change_terms(
    session: Session, operator: str, keys: Keys, license_id: str, change: TermsChange
) -> LicenseRecord:
    """Change what was sold besides term and seats; it arrives with the next check-in."""
    license_ = get_license(session, license_id)
    check_living(license_)
    _take_over(license_, change)
    index_license(license_, customer_of(session, license_))
    if license_.serial > 0:
        sign_next(session, keys, license_, clock.timestamp())
    told = replace(change, features=None, networks=None)
    detail: dict[str, str | int | None] = {
        name: value for name, value in vars(told).items() if value is not None
    }
    if change.features is not None:
        detail["features"] = ", ".join(change.features)
    if change.networks is not None:
        detail["networks"] = ", ".join(change.networks)
    note(session, operator, "license.change", license_id, detail)
    return license_


def _take_over(license_: LicenseRecord, change: TermsChange) -> None:
    if change.site is not None:
        if not 0 < len(change.site.strip()) <= rules.SITE_LENGTH:
            raise Invalid(
                _("The name of a site has 1 to %(n)s characters.", n=rules.SITE_LENGTH),
                field="site",
            )
        license_.site_label = change.site.strip()
    license_.edition = change.edition or license_.edition
    if change.features is not None:
        license_.features = list(change.features)
    license_.network_mode = change.network_mode or license_.network_mode
    if change.networks is not None:
        check_networks(change.networks)
        license_.networks = list(change.networks)
    if change.grace_days is not None:
        check_number("grace-days", change.grace_days, 0, rules.LONGEST_GRACE)
        license_.grace_days = change.grace_days
    if change.lease_days is not None:
        check_number("lease-days", change.lease_days, 1, rules.LONGEST_LEASE)
        license_.lease_ttl_s = rules.checkin_terms(change.lease_days).lease_ttl_s
