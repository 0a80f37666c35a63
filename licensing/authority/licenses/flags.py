"""Raising and settling what somebody at the vendor should look at."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from licensing.authority.licenses.models import Flag, LicenseRecord
from licensing.authority.licenses.rules import FlagKind
from server.core import clock


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
