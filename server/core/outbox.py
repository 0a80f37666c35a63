"""The outbox: what is to be sent, what was sent, and what the other side said.

A service puts messages in, in the transaction of whatever they tell about; `server.core.postman` brings them
out. Both houses have the table.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Index, Table, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from server.core import clock
from server.core.db import NEVER_REUSED, Base, UtcDateTime, words
from server.core.errors import Conflict, NotFound
from server.core.i18n import current_locale, mark
from server.core.i18n import gettext as _
from server.core.letters import GOOD_FOR, Channel, Letter
from server.core.once import insert_if_new

AGAIN = " again "  # in a key: neither addresses nor numbers have spaces
_WAITING = text("state = 'waiting'")


class State(StrEnum):
    """Where a message is. One that failed is never tried again by itself."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


STATE_LABELS = {
    State.WAITING: mark("Waiting"),
    State.SENT: mark("Sent"),
    State.FAILED: mark("Not delivered"),
}


class OutgoingMessage(Base):
    """One message to one recipient, and how it went.

    `once_key` is what it must not be sent twice for. `claimed_by` brings it out until `claimed_until`;
    when that worker dies, another one takes over. `problem` is a word of `letters.Stage`.
    The body of a secret message, such as a link for signing in, is forgotten once it is settled.
    """

    __tablename__ = "outgoing_messages"
    __table_args__ = (
        Index("uq_outgoing_messages_once_key", "once_key", unique=True),
        Index(
            "ix_outgoing_messages_waiting",
            "is_urgent",
            "next_at",
            "id",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index("ix_outgoing_messages_state", "state", "id"),
        Index("ix_outgoing_messages_channel", "channel", "id"),
        Index("ix_outgoing_messages_purpose", "purpose", "id"),
        Index("ix_outgoing_messages_recipient", "recipient", "id"),
        Index("ix_outgoing_messages_created_at", "created_at", "id"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    once_key: Mapped[str]
    channel: Mapped[Channel] = mapped_column(words(Channel))
    recipient: Mapped[str]
    addressee: Mapped[str]
    purpose: Mapped[str]
    locale: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    html: Mapped[str]
    is_urgent: Mapped[bool]
    is_secret: Mapped[bool]
    reference: Mapped[str]
    state: Mapped[State] = mapped_column(words(State))
    attempts: Mapped[int]
    problem: Mapped[str]
    answer: Mapped[str]
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def letter(self) -> Letter:
        """Return what travels."""
        return Letter(
            channel=self.channel,
            to=self.recipient,
            subject=self.subject,
            body=self.body,
            html=self.html,
            locale=self.locale,
            reference=self.reference,
        )


def outbox_tables(base: type[DeclarativeBase]) -> tuple[Table]:
    """Return the table copied into another house's metadata, as the authority needs it."""
    return (OutgoingMessage.__table__.to_metadata(base.metadata),)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Message:
    """What to send to whom, written in the recipient's language already.

    `once_key` names the occasion, recipient and channel: the same key is never sent twice.
    `purpose` is the word by which the record is filtered, `addressee` the recipient's name. After
    `good_for` nobody wants it any more. An urgent one goes before campaigns; `secret` is for links that
    open a door.
    """

    channel: Channel | str
    to: str
    subject: str
    body: str
    purpose: str
    once_key: str
    html: str = ""
    addressee: str = ""
    locale: str = ""
    good_for: timedelta = GOOD_FOR
    urgent: bool = False
    secret: bool = False


def enqueue(session: Session, message: Message) -> bool:
    """Put the message into the outbox unless its key was used before; tell whether it was new.

    It leaves when the caller's transaction is committed, and never when that is rolled back.
    """
    now = clock.now()
    row = {
        "once_key": message.once_key,
        "channel": Channel(message.channel),
        "recipient": message.to,
        "addressee": message.addressee,
        "purpose": message.purpose,
        "locale": message.locale or current_locale(),
        "subject": " ".join(message.subject.split()),
        "body": message.body,
        "html": message.html,
        "is_urgent": message.urgent,
        "is_secret": message.secret,
        "reference": secrets.token_hex(16),
        "state": State.WAITING,
        "attempts": 0,
        "problem": "",
        "answer": "",
        "next_at": now,
        "expires_at": now + message.good_for,
        "created_at": now,
    }
    return insert_if_new(session, OutgoingMessage, row, ["once_key"])


def get_message(session: Session, message_id: int) -> OutgoingMessage:
    """Return the message, or raise NotFound."""
    found = session.get(OutgoingMessage, message_id)
    if found is None:
        raise NotFound(_("There is no message %(id)s.", id=message_id))
    return found


def message_of(session: Session, once_key: str) -> OutgoingMessage:
    """Return the message that was put in under this key."""
    return session.scalars(
        select(OutgoingMessage).where(OutgoingMessage.once_key == once_key)
    ).one()


def send_again(session: Session, message_id: int) -> int:
    """Send a settled message once more, or try a waiting one now; return the id of what is on its way.

    What was on record stays on record. Raise Conflict when its text was forgotten because it was secret.
    """
    old = get_message(session, message_id)
    now = clock.now()
    if old.state is State.WAITING:
        old.next_at = now
        return old.id
    if old.is_secret:
        raise Conflict(
            _("The text of this message was secret and is forgotten. Ask for a new one.")
        )
    origin = old.once_key.partition(AGAIN)[0]
    again = (OutgoingMessage.once_key == origin) | OutgoingMessage.once_key.startswith(
        f"{origin}{AGAIN}", autoescape=True
    )
    waiting = session.scalar(
        select(OutgoingMessage.id).where(again, OutgoingMessage.state == State.WAITING)
    )
    if waiting is not None:
        return waiting
    copies = session.scalar(select(func.count()).select_from(OutgoingMessage).where(again)) or 1
    key = f"{origin}{AGAIN}{copies}"
    enqueue(session, _copy_of(old, key))
    return message_of(session, key).id


def _copy_of(old: OutgoingMessage, once_key: str) -> Message:
    return Message(
        channel=old.channel,
        to=old.recipient,
        subject=old.subject,
        body=old.body,
        purpose=old.purpose,
        once_key=once_key,
        html=old.html,
        addressee=old.addressee,
        locale=old.locale,
        urgent=True,
    )
