"""Invitations: links by which a member of the staff chooses a password, good for some days and one use."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.staff.models import StaffMember
from licensing.authority.staff.queries import get_member
from licensing.authority.staff.rules import StaffStatus
from licensing.authority.staff.service import set_password
from server.core import clock
from server.core.errors import Conflict, NotFound
from server.core.i18n import gettext as _
from server.core.signed_links import LinkClaim, mark_of, open_link, sign_link

PURPOSE = "staff-password-link"
LASTS_DAYS = 3
_OPEN = (StaffStatus.ACTIVE, StaffStatus.INVITED)


@dataclass(frozen=True)
class Invitation:
    """The secret part of a link's address, and when it ends."""

    token: str
    expires_at: datetime


def invite(session: Session, operator: str, staff_id: int, *, secret: bytes) -> Invitation:
    """Return a link for this member, to be handed over by an owner."""
    member = get_member(session, staff_id)
    if member.status not in _OPEN:
        raise Conflict(_("%(name)s is deactivated and cannot come in.", name=member.name))
    expires_at = clock.now() + timedelta(days=LASTS_DAYS)
    claim = LinkClaim(member.id, mark_of(member.password_hash))
    token = sign_link(secret, PURPOSE, claim, int(expires_at.timestamp()))
    note(session, operator, "staff.invite", member.email)
    return Invitation(token, expires_at)


def member_of_link(
    session: Session, token: str, *, secret: bytes, lock: bool = False
) -> StaffMember:
    """Return whose link this is, or raise NotFound when it is false, used or too old."""
    gone = NotFound(
        _("This link has been used already or has ended. Ask an owner for a new one."),
        code="link_ended",
    )
    claim = open_link(secret, PURPOSE, token)
    if claim is None:
        raise gone
    member = get_member(session, claim.subject_id, lock=lock)
    if claim.mark != mark_of(member.password_hash) or member.status not in _OPEN:
        raise gone
    return member


def choose_password(session: Session, token: str, password: str, *, secret: bytes) -> StaffMember:
    """Give the member of the link this password; the link is used up."""
    member = member_of_link(session, token, secret=secret, lock=True)
    return set_password(session, member.email, member.id, password)
