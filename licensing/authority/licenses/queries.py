"""Reading licences."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from licensing.authority.customers.models import Customer
from licensing.authority.licenses.models import (
    Flag,
    LicenseRecord,
    LicenseSerial,
    TrialComponent,
    TrialUse,
)
from licensing.authority.licenses.rules import LicenseStatus, enough
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.search_index import search_in


def get_license(session: Session, license_id: str) -> LicenseRecord:
    """Return the licence as it is now, locked for a change, or raise NotFound."""
    found = session.scalar(
        select(LicenseRecord)
        .where(LicenseRecord.license_id == license_id)
        .options(undefer(LicenseRecord.envelope))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(
            _(
                "There is no licence %(id)s. “daftar-authority license list” shows them all.",
                id=license_id,
            )
        )
    return found


def look_up(session: Session, license_id: str) -> LicenseRecord:
    """Return the licence for reading, or raise NotFound."""
    found = session.scalar(select(LicenseRecord).where(LicenseRecord.license_id == license_id))
    if found is None:
        raise NotFound(_("There is no licence %(id)s.", id=license_id))
    return found


def lock_by_code(session: Session, code_id: str) -> LicenseRecord | None:
    """Return the licence of an activation code, locked until the transaction ends."""
    return session.scalar(
        select(LicenseRecord)
        .where(LicenseRecord.code_id == code_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def every_license(
    session: Session, customer_id: str | None = None, words: str | None = None
) -> list[tuple[LicenseRecord, Customer]]:
    """Return the licences with their customers, the oldest first; only those with all the words."""
    query = (
        select(LicenseRecord, Customer)
        .join(Customer, Customer.id == LicenseRecord.customer_row_id)
        .order_by(LicenseRecord.id)
    )
    if customer_id is not None:
        query = query.where(Customer.customer_id == customer_id)
    if words:
        query = query.where(search_in(LicenseRecord.search_text)(words))
    return [(license_, customer) for license_, customer in session.execute(query)]


def customer_of(session: Session, license_: LicenseRecord) -> Customer:
    """Return who bought the licence."""
    return session.get_one(Customer, license_.customer_row_id)


def open_flags(session: Session, license_: LicenseRecord) -> list[Flag]:
    """Return what should be looked at, the oldest first."""
    return list(
        session.scalars(
            select(Flag)
            .where(Flag.license_row_id == license_.id, Flag.resolved_at.is_(None))
            .order_by(Flag.id)
        )
    )


def flags_of(session: Session, license_: LicenseRecord, limit: int = 50) -> list[Flag]:
    """Return what is and was to be looked at, the newest first."""
    query = select(Flag).where(Flag.license_row_id == license_.id)
    return list(session.scalars(query.order_by(Flag.id.desc()).limit(limit)))


def living_of_customer(session: Session, customer: Customer) -> int:
    """Count the customer's licences that are in force or suspended."""
    query = select(func.count()).where(
        LicenseRecord.customer_row_id == customer.id,
        LicenseRecord.status.in_([LicenseStatus.OK, LicenseStatus.SUSPENDED]),
    )
    return session.scalar(query.select_from(LicenseRecord)) or 0


def is_organization_tried(session: Session, organization: str | None) -> bool:
    """Tell whether the organisation has started a trial."""
    if organization is None:
        return False
    query = select(TrialUse.license_row_id).where(TrialUse.organization == organization)
    return session.scalar(query.limit(1)) is not None


def get_serial(session: Session, license_: LicenseRecord, serial: int) -> LicenseSerial:
    """Return one document that was signed for the licence, or raise NotFound."""
    found = session.get(LicenseSerial, (license_.id, serial))
    if found is None:
        raise NotFound(
            _("The licence %(id)s has no document %(n)s.", id=license_.license_id, n=serial)
        )
    return found


def trial_of_organization(session: Session, organization: str, but: LicenseRecord) -> bool:
    """Tell whether the organisation started another trial before."""
    found = session.scalar(
        select(TrialUse.license_row_id).where(
            TrialUse.organization == organization, TrialUse.license_row_id != but.id
        )
    )
    return found is not None


def trial_on_machine(session: Session, fingerprint: dict[str, str], but: LicenseRecord) -> bool:
    """Tell whether another trial ran on a machine that shares enough components with this one."""
    if not fingerprint:
        return False
    agreeing = [
        (TrialComponent.name == name) & (TrialComponent.value == value)
        for name, value in fingerprint.items()
    ]
    anyone = agreeing[0]
    for one in agreeing[1:]:
        anyone = anyone | one
    counts = session.execute(
        select(TrialUse.components, func.count())
        .join(TrialComponent, TrialComponent.license_row_id == TrialUse.license_row_id)
        .where(anyone, TrialUse.license_row_id != but.id)
        .group_by(TrialUse.license_row_id, TrialUse.components)
    )
    return any(count >= enough(components) for components, count in counts)
