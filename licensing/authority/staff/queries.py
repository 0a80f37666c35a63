"""Reading the vendor's people, and who is behind a browser."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.staff.models import StaffMember, StaffSession
from licensing.authority.staff.rules import PERMISSIONS, Role, StaffStatus, email_key
from server.core import clock
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.i18n import gettext as _


@dataclass(frozen=True, kw_only=True)
class Operator(Actor):
    """A member of the staff who is signed in. `user_id` stays None: it counts users of the CRM."""

    staff_id: int
    session_id: int
    confirmed_at: datetime


def token_hash(secret: str) -> str:
    """Return what is kept of a browser's cookie."""
    return hashlib.sha256(secret.encode()).hexdigest()


def list_staff(session: Session) -> list[StaffMember]:
    """Return everybody, those who may come in first, by name."""
    query = select(StaffMember).order_by(StaffMember.name, StaffMember.id)
    found = list(session.scalars(query))
    return sorted(found, key=lambda member: member.status is StaffStatus.DEACTIVATED)


def get_member(session: Session, staff_id: int, *, lock: bool = False) -> StaffMember:
    """Return the member of the staff, with `lock` nobody else's until the end, or raise NotFound."""
    found = session.get(StaffMember, staff_id, with_for_update=lock or None, populate_existing=lock)
    if found is None:
        raise NotFound(_("There is no member of the staff %(id)s.", id=staff_id))
    return found


def member_by_email(session: Session, email: str) -> StaffMember | None:
    """Return the member with that address, whatever its letters' case."""
    return session.scalar(select(StaffMember).where(StaffMember.email_key == email_key(email)))


def find_member(session: Session, email: str) -> StaffMember:
    """Return the member with that address, or raise NotFound."""
    found = member_by_email(session, email)
    if found is None:
        raise NotFound(
            _(
                "Nobody of the staff has the address %(email)s. "
                "“daftar-authority staff list” shows them all.",
                email=email,
            )
        )
    return found


def active_owners(session: Session) -> list[StaffMember]:
    """Return the owners who may come in, locked until the transaction ends."""
    query = select(StaffMember).where(
        StaffMember.role == Role.OWNER, StaffMember.status == StaffStatus.ACTIVE
    )
    locked = query.order_by(StaffMember.id).with_for_update()
    return list(session.scalars(locked.execution_options(populate_existing=True)))


def browser_of(session: Session, secret: str) -> tuple[StaffSession, StaffMember] | None:
    """Return the browser with this cookie and whose it is, half-way signed in or wholly; None for a stranger."""
    if not secret:
        return None
    found = session.execute(
        select(StaffSession, StaffMember)
        .join(StaffMember, StaffMember.id == StaffSession.staff_id)
        .where(
            StaffSession.token_hash == token_hash(secret),
            StaffSession.expires_at > clock.now(),
            StaffMember.status == StaffStatus.ACTIVE,
        )
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def operator_of(session: Session, secret: str) -> Operator | None:
    """Return who is signed in with this cookie, their second factor shown, or None."""
    found = browser_of(session, secret)
    if found is None or found[0].confirmed_at is None:
        return None
    browser, member = found
    return Operator(
        user_id=None,
        name=member.name,
        permissions=PERMISSIONS[member.role],
        locale=member.locale,
        email=member.email,
        staff_id=member.id,
        session_id=browser.id,
        confirmed_at=browser.confirmed_at or clock.now(),
    )


def browsers_of(session: Session, staff_id: int) -> list[StaffSession]:
    """Return the browsers in which the member is signed in, the newest first."""
    query = select(StaffSession).where(
        StaffSession.staff_id == staff_id,
        StaffSession.expires_at > clock.now(),
        StaffSession.confirmed_at.is_not(None),
    )
    return list(session.scalars(query.order_by(StaffSession.id.desc())))
