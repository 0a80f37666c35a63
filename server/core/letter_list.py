"""The record of what was sent, as lists show it: filters, order, one page at a time."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.clock import rfc3339
from server.core.format import zoned
from server.core.i18n import gettext as _
from server.core.letters import CHANNEL_LABELS, Channel, stage_sentence
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment
from server.core.outbox import STATE_LABELS, OutgoingMessage, State

MESSAGES = ListSpec(
    key=OutgoingMessage.id,
    filters={
        "state": Field(OutgoingMessage.state, State, ("eq", "ne", "in")),
        "channel": Field(OutgoingMessage.channel, Channel, ("eq",)),
        "purpose": Field(OutgoingMessage.purpose, operators=("eq", "ne", "in")),
        "recipient": Field(OutgoingMessage.recipient, operators=("eq", "in")),
        "created_at": Field(OutgoingMessage.created_at, read_moment, ("gte", "lte", "gt", "lt")),
    },
    sorts={
        "created_at": Field(OutgoingMessage.created_at, read_moment),
        "id": Field(OutgoingMessage.id, read_int),
    },
    default_sort="-created_at",
)


def list_messages(session: Session, wish: ListQuery) -> Page[OutgoingMessage]:
    """Return one page of the record, by default the newest first. Whoever calls has asked who may see it."""
    return page(session, select(OutgoingMessage), MESSAGES, wish)


def message_document(message: OutgoingMessage) -> dict[str, object]:
    """Return one message for programs, without its text."""
    return {
        "id": message.id,
        "channel": message.channel.value,
        "to": message.recipient,
        "name": message.addressee,
        "purpose": message.purpose,
        "subject": message.subject,
        "state": message.state.value,
        "attempts": message.attempts,
        "problem": message.problem,
        "answer": message.answer,
        "created_at": rfc3339(message.created_at),
        "settled_at": rfc3339(message.settled_at) if message.settled_at else None,
        "next_at": rfc3339(message.next_at) if message.state is State.WAITING else None,
    }


def message_line(message: OutgoingMessage) -> str:
    """Return one message as a line of a terminal, with the reason when it did not get through."""
    state = _(STATE_LABELS[message.state])
    line = (
        f"{message.id:>6}  {zoned(message.created_at)}  {_(CHANNEL_LABELS[message.channel])}  "
        f"{message.recipient}  {message.purpose}  {state}"
    )
    if message.problem:
        line += f"\n        {stage_sentence(message.problem)} ({message.answer})"
    return line
