"""Links by which a colleague chooses a password: signed, for some days, and good for one use.

Nothing is stored. A link carries a mark of the password it replaces, so that it ends when a password
is chosen, by itself or by an older link.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from server.audit.service import note
from server.core import clock
from server.core.actor import Actor
from server.core.errors import Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.passwords import check_password, hash_password
from server.core.signed_links import LinkClaim, mark_of, open_link, sign_link
from server.users.models import User
from server.users.queries import get_user
from server.users.rules import UserKind, UserStatus
from server.users.service import end_sessions, take_seat
from server.users.sign_in import actor_for

PURPOSE = "password-link"
LASTS_DAYS = 3


@dataclass(frozen=True)
class PasswordLink:
    """The secret part of a link's address, and when it ends."""

    token: str
    expires_at: datetime


def make_link(session: Session, actor: Actor, user_id: int, *, secret: bytes) -> PasswordLink:
    """Return a link for this user, to be handed over by an administrator."""
    actor.must("users.manage")
    user = get_user(session, actor, user_id)
    if user.kind is not UserKind.HUMAN or user.status not in _OPEN:
        raise Invalid(
            _("%(name)s cannot sign in, so a password is of no use.", name=user.display_name)
        )
    expires_at = clock.now() + timedelta(days=LASTS_DAYS)
    claim = LinkClaim(user.id, mark_of(user.password_hash))
    token = sign_link(secret, PURPOSE, claim, int(expires_at.timestamp()))
    note(session, actor, "password_link", kind="user", record_id=user.id)
    session.flush()
    return PasswordLink(token, expires_at)


_OPEN = (UserStatus.ACTIVE, UserStatus.INVITED)


def user_of_link(session: Session, token: str, *, secret: bytes, lock: bool = False) -> User:
    """Return whose link this is, or raise NotFound when it is false, used or too old.

    With `lock`, nobody else can use the link or change the user until the transaction ends.
    """
    gone = NotFound(
        _("This link has been used already or has ended. Ask an administrator for a new one."),
        code="link_ended",
    )
    claim = open_link(secret, PURPOSE, token)
    if claim is None:
        raise gone
    user = session.get(User, claim.subject_id, with_for_update=lock or None, populate_existing=lock)
    if user is None or claim.mark != mark_of(user.password_hash):
        raise gone
    if user.status not in _OPEN or user.deleted_at is not None:
        raise gone
    return user


def choose_password(session: Session, token: str, password: str, *, secret: bytes) -> User:
    """Give the user of the link this password; an invited one becomes active and takes a seat.

    Raise NotLicensed when no seat is free; the link then stays good.
    """
    user = user_of_link(session, token, secret=secret, lock=True)
    session.info["actor"] = actor_for(user)  # the trail names whose link it was
    check_password(password, email=user.email or "", name=user.display_name)
    if user.status is UserStatus.INVITED:
        take_seat(session, user.kind)
        user.status = UserStatus.ACTIVE
        user.active_since = clock.now()
    user.password_hash = hash_password(password)
    end_sessions(session, user.id)
    note(session, actor_for(user), "password_chosen", kind="user", record_id=user.id)
    session.flush()
    return user
