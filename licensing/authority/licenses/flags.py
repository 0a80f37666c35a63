"""Raising and settling what somebody at the vendor should look at."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from licensing.authority.audit.service import note as write_down
from licensing.authority.customers.models import Customer
from licensing.authority.licenses.lists import FlagRow
from licensing.authority.licenses.models import Flag, LicenseRecord
from licensing.authority.licenses.rules import FlagKind
from server.core import clock
from server.core.checklist import clean_text, needed
from server.core.errors import Conflict, NotFound
from server.core.i18n import gettext as _

# A held licence stays held until somebody clears the hold, which settles the flag as well.
CLEARED_BY_HOLD = frozenset({FlagKind.CLONE_HOLD})
NOTE_LENGTH = 1_000


def raise_flag(session: Session, license_: LicenseRecord, kind: FlagKind, detail: str) -> None:
    """Raise the flag unless it is up already. Call it with the licence or its activation locked."""
    up = session.scalar(
        select(Flag.id).where(
            Flag.license_row_id == license_.id, Flag.kind == kind, Flag.resolved_at.is_(None)
        )
    )
    if up is None:
        session.add(Flag(license_row_id=license_.id, kind=kind, detail=detail))


def settle_flags(session: Session, license_: LicenseRecord, kinds: list[FlagKind]) -> None:
    """Take the flags of these kinds down."""
    session.execute(
        update(Flag)
        .where(Flag.license_row_id == license_.id, Flag.kind.in_(kinds), Flag.resolved_at.is_(None))
        .values(resolved_at=clock.now())
    )


def get_flag(session: Session, flag_id: int, *, lock: bool = False) -> FlagRow:
    """Return the flag with its licence and customer, with `lock` nobody else's, or raise NotFound."""
    query = (
        select(Flag, LicenseRecord, Customer)
        .join(LicenseRecord, LicenseRecord.id == Flag.license_row_id)
        .join(Customer, Customer.id == LicenseRecord.customer_row_id)
        .where(Flag.id == flag_id)
    )
    if lock:  # as it is now, whatever this request read of it before
        query = query.with_for_update(of=Flag).execution_options(populate_existing=True)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound(_("There is no flag %(id)s.", id=flag_id))
    return FlagRow(*found)


def settle_flag(session: Session, operator: str, flag_id: int, note: str) -> Flag:
    """Take one flag down and keep how it was settled."""
    row = get_flag(session, flag_id, lock=True)
    flag = row.flag
    said = needed(
        clean_text(note, "note", NOTE_LENGTH),
        "note",
        _("Write down how it was settled, so that whoever looks next knows."),
    )
    if flag.resolved_at is not None:
        raise Conflict(_("Somebody settled this flag already."))
    if flag.kind in CLEARED_BY_HOLD:
        raise Conflict(_("This licence is held. Clear the hold; that settles the flag."))
    flag.resolved_at, flag.resolved_by, flag.note = clock.now(), operator, said
    session.flush()
    write_down(
        session,
        operator,
        "flag.settle",
        row.license.license_id,
        {"kind": flag.kind.value, "note": said},
    )
    return flag


def reopen_flag(session: Session, operator: str, flag_id: int) -> Flag:
    """Put a flag up again that was settled too early."""
    row = get_flag(session, flag_id, lock=True)
    flag = row.flag
    up = session.scalar(
        select(Flag.id).where(
            Flag.license_row_id == flag.license_row_id,
            Flag.kind == flag.kind,
            Flag.resolved_at.is_(None),
        )
    )
    if up is not None:
        raise Conflict(_("A newer flag of this kind is up for the licence already."))
    flag.resolved_at, flag.resolved_by, flag.note = None, None, None
    session.flush()
    write_down(session, operator, "flag.reopen", row.license.license_id, {"kind": flag.kind.value})
    return flag
