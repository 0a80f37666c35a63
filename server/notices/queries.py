"""Reading who is told of what, and the record of messages. Only who changes the settings sees the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core import letter_list
from server.core.actor import SYSTEM, Actor
from server.core.contact import email_key
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.letters import Channel
from server.core.listing import ListQuery, Page
from server.core.outbox import OutgoingMessage
from server.core.postman import Traffic, traffic
from server.notices.models import ONLY_ROW, NoticePreference, Representative
from server.notices.rules import Contact, PreferenceDraft, RepresentativeDraft
from server.users.queries import administering, get_user

if TYPE_CHECKING:  # whose people they are is the other slice's matter
    from server.users.models import User

MESSAGES = letter_list.MESSAGES
SEES = "settings.edit"


def list_deliveries(session: Session, actor: Actor, wish: ListQuery) -> Page[OutgoingMessage]:
    """Return one page of what was sent and what waits, the newest first."""
    actor.must(SEES)
    return letter_list.list_messages(session, wish)


def get_delivery(session: Session, actor: Actor, message_id: int) -> OutgoingMessage:
    """Return one message with its text, or raise NotFound."""
    actor.must(SEES)
    found = session.get(OutgoingMessage, message_id)
    if found is None:
        raise NotFound(_("There is no message %(id)s.", id=message_id))
    return found


def purposes(session: Session, actor: Actor) -> list[str]:
    """Return the purposes that stand on record, for the filter."""
    actor.must(SEES)
    query = select(OutgoingMessage.purpose).distinct().order_by(OutgoingMessage.purpose)
    return list(session.scalars(query.limit(100)))


def channel_traffic(session: Session, actor: Actor) -> dict[Channel, Traffic]:
    """Return how mail and SMS stand."""
    actor.must(SEES)
    return {channel: traffic(session, channel) for channel in Channel}


def representative(session: Session) -> RepresentativeDraft | None:
    """Return who answers for the licence, None until somebody is named."""
    row = session.get(Representative, ONLY_ROW)
    if row is None:
        return None
    return RepresentativeDraft(row.name, row.email, row.phone, row.locale)


def preference_of(session: Session, user_id: int) -> PreferenceDraft:
    """Return by which ways a user wants to hear of notices; by all of them unless they said otherwise."""
    row = session.get(NoticePreference, user_id)
    return PreferenceDraft(row.by_email, row.by_sms, row.phone) if row else PreferenceDraft()


@dataclass(frozen=True)
class Told:
    """Everybody whom a warning about the licence can reach."""

    representative: Contact | None
    admins: tuple[Contact, ...]


def who_is_told(session: Session) -> Told:
    """Return the representative and the administrators with what they wish; three queries."""
    named = representative(session)
    first = Contact(named.name, named.email, named.phone, named.locale) if named else None
    return Told(first, contacts_of(session, administering(session)))


def contacts_of(session: Session, users: "Sequence[User]") -> tuple[Contact, ...]:
    """Return how these users can be told of something, with what they wish; one query."""
    chosen = select(NoticePreference).where(NoticePreference.user_id.in_([one.id for one in users]))
    wishes = {wish.user_id: wish for wish in session.scalars(chosen)}
    return tuple(
        _contact(user.id, user.display_name, user.email or "", user.locale, wishes.get(user.id))
        for user in users
    )


def is_representative(session: Session, user_id: int) -> bool:
    """Tell whether this user is the representative, known by the address."""
    named = representative(session)
    if named is None:
        return False
    email = get_user(session, SYSTEM, user_id).email
    return email is not None and email_key(email) == email_key(named.email)


def _contact(
    user_id: int, name: str, email: str, locale: str, wish: NoticePreference | None
) -> Contact:
    return Contact(
        name=name,
        email=email,
        phone=wish.phone if wish else "",
        locale=locale,
        user_id=user_id,
        by_email=wish.by_email if wish else True,
        by_sms=wish.by_sms if wish else True,
    )
