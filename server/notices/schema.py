"""JSON shapes of warnings: the record of messages, the representative, one's own ways."""

from typing import Annotated, Literal

from pydantic import Field

from server.core.letter_list import message_document
from server.core.outbox import OutgoingMessage
from server.http.rest import Body, Line, ListShown, Shown
from server.notices.rules import PreferenceDraft, RepresentativeDraft

Address = Annotated[str, Field(max_length=320)]
Number = Annotated[str, Field(max_length=60)]


class NoticeShown(Shown):
    """One message that was sent or waits. `problem` tells how far it came, `answer` what the other side said."""

    id: int
    channel: str
    to: str
    name: str
    purpose: str
    subject: str
    state: str
    attempts: int
    problem: str
    answer: str
    created_at: str
    settled_at: str | None
    next_at: str | None


class NoticeInFull(NoticeShown):
    """One message with its text; that of a link for signing in is never told."""

    text: str


class NoticeList(ListShown):
    """One page of the record."""

    items: list[NoticeShown]


class RepresentativeShown(Shown):
    """Who answers for the licence and is told before the term ends."""

    name: str
    email: str
    phone: str
    locale: str


class NewRepresentative(Body):
    """Whom to name as the representative."""

    name: Annotated[Line, Field(min_length=1)]
    email: Annotated[Address, Field(min_length=1)]
    phone: Number = ""
    locale: Literal["fa", "en", "fr"] = "fa"

    def draft(self) -> RepresentativeDraft:
        """Return the body as the service takes it."""
        return RepresentativeDraft(self.name, self.email, self.phone, self.locale)


class WaysShown(Shown):
    """By which ways one hears of notices."""

    by_email: bool
    by_sms: bool
    phone: str


class NewWays(Body):
    """By which ways one wants to hear of notices."""

    by_email: bool
    by_sms: bool
    phone: Number = ""

    def draft(self) -> PreferenceDraft:
        """Return the body as the service takes it."""
        return PreferenceDraft(self.by_email, self.by_sms, self.phone)


class NewTest(Body):
    """Where to send a test message."""

    channel: Literal["email", "sms"]
    to: Annotated[Address, Field(min_length=1)]


def show_notice(message: OutgoingMessage) -> dict[str, object]:
    """Return the JSON object of a message, without its text."""
    return message_document(message)


def show_in_full(message: OutgoingMessage) -> dict[str, object]:
    """Return the JSON object of a message with its text."""
    return {**message_document(message), "text": "" if message.is_secret else message.body}


def show_representative(named: RepresentativeDraft) -> dict[str, object]:
    """Return the JSON object of the representative."""
    return {
        "name": named.name,
        "email": named.email,
        "phone": named.phone,
        "locale": named.locale,
    }


def show_ways(ways: PreferenceDraft) -> dict[str, object]:
    """Return the JSON object of somebody's ways."""
    return {"by_email": ways.by_email, "by_sms": ways.by_sms, "phone": ways.phone}
