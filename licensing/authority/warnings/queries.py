"""Reading what customers and the vendor's people should know of; a fixed number of queries each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.audit.models import AuditEntry
from licensing.authority.customers.models import Customer
from licensing.authority.licenses.models import Flag, LicenseRecord, end_order
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.authority.staff.models import StaffMember
from licensing.authority.staff.rules import StaffStatus
from licensing.authority.warnings.rules import (
    OF_FLAGS,
    OF_THE_TRAIL,
    SILENT_FROM,
    TERM_WARNING,
    TOLD_FOR,
    Event,
    News,
    Subject,
    silent_step,
    warns_of_end,
)
from licensing.document.license import Kind
from server.core.outbox import OutgoingMessage

_CHUNK = 500
_SHOWN = 20


_OWNER = Customer.id == LicenseRecord.customer_row_id
_REACHED = Customer.email.is_not(None) | Customer.phone.is_not(None)


def _subject(license_: LicenseRecord, customer: Customer) -> Subject:
    return Subject(
        license_id=license_.license_id,
        site=license_.site_label,
        customer=customer.name,
        email=customer.email,
        phone=customer.phone,
        locale=customer.locale,
        timezone=customer.timezone,
        is_trial=license_.kind is Kind.TRIAL,
        expires_at=license_.expires_at,
    )


def ending_terms(session: Session, now: int) -> Iterator[Event]:
    """Yield the licences whose term ends so soon that their customers are told daily."""
    # The very expression of the index: licences without an end lie beyond every window.
    query = select(LicenseRecord, Customer).join(Customer, _OWNER)
    query = query.where(
        _REACHED,
        end_order().between(now, now + TERM_WARNING),
        LicenseRecord.status == LicenseStatus.OK,
        LicenseRecord.serial > 0,
    )
    for license_, customer in session.execute(query.execution_options(yield_per=_CHUNK)):
        end = license_.expires_at or 0
        if warns_of_end(starts_at=license_.starts_at, expires_at=end, now=now):
            yield Event(News.TERM_ENDING, _subject(license_, customer), end)


def silent_servers(session: Session, now: int) -> Iterator[Event]:
    """Yield the servers that have not called for so long that their customers are told, once a step."""
    query = (
        select(
            LicenseRecord, Customer, ActivationRecord.activation_id, ActivationRecord.last_seen_at
        )
        .select_from(LicenseRecord)
        .join(Customer, _OWNER)
        .join(ActivationRecord, ActivationRecord.license_row_id == LicenseRecord.id)
        .where(
            _REACHED,
            ActivationRecord.status == ActivationStatus.ACTIVE,
            ActivationRecord.last_seen_at <= now - SILENT_FROM,
            LicenseRecord.status == LicenseStatus.OK,
        )
    )
    rows = session.execute(query.execution_options(yield_per=_CHUNK))
    for license_, customer, activation_id, seen in rows:
        step = silent_step(last_seen_at=seen, lease_ttl_s=license_.lease_ttl_s, now=now)
        if step and (license_.expires_at is None or license_.expires_at > now):
            occasion = f"{activation_id} {seen} {step}"
            yield Event(News.SILENT, _subject(license_, customer), seen, occasion)


def recent_deeds(session: Session, now: datetime) -> Iterator[Event]:
    """Yield what the vendor did to licences lately and their customers should know: each once a day."""
    query = (
        select(LicenseRecord, Customer, AuditEntry.action, AuditEntry.at)
        .select_from(LicenseRecord)
        .join(Customer, _OWNER)
        .join(AuditEntry, AuditEntry.subject == LicenseRecord.license_id)
        .where(
            _REACHED,
            AuditEntry.at >= now - timedelta(seconds=TOLD_FOR),
            AuditEntry.action.in_(OF_THE_TRAIL),
        )
        .order_by(AuditEntry.id)
    )
    for license_, customer, action, at in session.execute(query):
        news, subject = OF_THE_TRAIL[action], _subject(license_, customer)
        yield Event(news, subject, int(at.timestamp()), at.date().isoformat())


def recent_flags(session: Session, now: datetime) -> Iterator[Event]:
    """Yield the open flags of lately that are the customer's business as well."""
    query = (
        select(LicenseRecord, Customer, Flag.id, Flag.kind, Flag.raised_at)
        .select_from(LicenseRecord)
        .join(Customer, _OWNER)
        .join(Flag, Flag.license_row_id == LicenseRecord.id)
        .where(
            _REACHED,
            Flag.resolved_at.is_(None),
            Flag.raised_at >= now - timedelta(seconds=TOLD_FOR),
            Flag.kind.in_([FlagKind(word) for word in OF_FLAGS]),
        )
        .order_by(Flag.id)
    )
    for license_, customer, flag_id, kind, at in session.execute(query):
        news, subject = OF_FLAGS[kind.value], _subject(license_, customer)
        yield Event(news, subject, int(at.timestamp()), f"flag {flag_id}")


def told_lately(session: Session, purposes: list[str], since: datetime) -> set[str]:
    """Return the keys that were used since then, so that what was told costs no write."""
    query = select(OutgoingMessage.once_key).where(
        OutgoingMessage.purpose.in_(purposes), OutgoingMessage.created_at >= since
    )
    return set(session.scalars(query))


@dataclass(frozen=True)
class Raised:
    """A flag as the vendor's people read of it."""

    license_id: str
    kind: FlagKind
    detail: str


@dataclass(frozen=True)
class Attention:
    """What needs the vendor's people today."""

    flags: tuple[Raised, ...]
    flags_open: int
    ending: int
    silent: int


def attention(session: Session, now: datetime) -> Attention:
    """Return the newest open flags, and how many licences end or are silent."""
    stamp = int(now.timestamp())
    rows = session.execute(
        select(LicenseRecord.license_id, Flag.kind, Flag.detail)
        .join(Flag, Flag.license_row_id == LicenseRecord.id)
        .where(Flag.resolved_at.is_(None))
        .order_by(Flag.id.desc())
        .limit(_SHOWN)
    )
    count = select(func.count())
    open_ = session.scalar(count.select_from(Flag).where(Flag.resolved_at.is_(None)))
    ending = session.scalar(
        count.select_from(LicenseRecord).where(
            end_order().between(stamp, stamp + TERM_WARNING),
            LicenseRecord.status == LicenseStatus.OK,
            LicenseRecord.serial > 0,
        )
    )
    silent = session.scalar(
        count.select_from(ActivationRecord).where(
            ActivationRecord.status == ActivationStatus.ACTIVE,
            ActivationRecord.last_seen_at <= stamp - 2 * SILENT_FROM,
        )
    )
    flags = tuple(Raised(row.license_id, row.kind, row.detail) for row in rows)
    return Attention(flags, open_ or 0, ending or 0, silent or 0)


def raised_since(session: Session, since: datetime) -> bool:
    """Tell whether an open flag is newer than that."""
    query = select(Flag.id).where(Flag.resolved_at.is_(None), Flag.raised_at >= since)
    return session.scalar(query.limit(1)) is not None


def staff(session: Session) -> list[StaffMember]:
    """Return the vendor's people who can be written to."""
    query = select(StaffMember).where(StaffMember.status == StaffStatus.ACTIVE)
    return list(session.scalars(query.order_by(StaffMember.id)))
