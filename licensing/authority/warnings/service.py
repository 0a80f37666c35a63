"""Telling customers and the vendor's people: news becomes messages in the outbox, each once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from licensing.authority.staff.models import StaffMember
from licensing.authority.warnings import queries
from licensing.authority.warnings.rules import (
    Event,
    News,
    StaffNews,
    days_until,
    once_key,
    ways,
)
from licensing.authority.warnings.texts import digest, job_failed, letter, short
from server.core import clock
from server.core.db import Database
from server.core.format import Display, current_display, set_display
from server.core.i18n import use_locale
from server.core.letter_text import Written
from server.core.letters import Channel, may_leave
from server.core.outbox import Message, enqueue
from server.core.schedule import job_states

A_DAY = timedelta(days=1)
REMEMBERED = timedelta(days=60)  # longer than any occasion stays news
BATCH = 100


def tell_customers(database: Database) -> int:
    """Write to the customers what they should know; return how many messages were new."""
    now = clock.now()
    with database.read() as session:
        known = queries.told_lately(session, [news.value for news in News], now - REMEMBERED)
        fresh = [
            message
            for event in _events(session, now)
            for message in _messages(event, now)
            if message.once_key not in known
        ]
    return _put(database, fresh)


def _events(session: Session, now: datetime) -> Iterator[Event]:
    stamp = int(now.timestamp())
    yield from queries.ending_terms(session, stamp)
    yield from queries.silent_servers(session, stamp)
    yield from queries.recent_deeds(session, now)
    yield from queries.recent_flags(session, now)


def _messages(event: Event, now: datetime) -> Iterator[Message]:
    subject = event.subject
    local = now.astimezone(ZoneInfo(subject.timezone))
    if not may_leave(local):
        return
    for channel, to in ways(event):
        written = _written(event, channel, int(now.timestamp()))
        yield Message(
            channel=channel,
            to=to,
            subject=written.subject,
            body=written.body,
            html=written.html,
            addressee=subject.customer,
            locale=subject.locale,
            purpose=event.news.value,
            once_key=once_key(event, channel, to, local.date()),
            good_for=A_DAY if not event.occasion else 3 * A_DAY,
            urgent=event.news is News.TERM_ENDING
            and days_until(event.at, int(now.timestamp())) <= 3,
        )


def _written(event: Event, channel: Channel, now: int) -> Written:
    before = current_display()
    set_display(Display(zone=event.subject.timezone))
    try:
        with use_locale(event.subject.locale):
            if channel is Channel.SMS:
                return Written("", short(event, now), "", event.subject.locale)
            return letter(event, now)
    finally:
        set_display(before)


def tell_staff(
    database: Database, zone: str, ending_keys: Sequence[str], flag_words: Mapping[str, str]
) -> int:
    """Write to the vendor's people what needs them; return how many messages were new.

    A failed job is told at once and once a day; everything else once a day in one letter, and only
    when a flag was raised since the day before or a key ends.
    """
    now = clock.now()
    local = now.astimezone(ZoneInfo(zone))
    failed = {
        name: state.error or "" for name, state in job_states(database).items() if state.ok is False
    }
    with database.read() as session:
        members = queries.staff(session)
        found = queries.attention(session, now)
        wanted = bool(ending_keys) or queries.raised_since(session, now - A_DAY)
    messages: list[Message] = []
    for member in members:
        with use_locale(member.locale):
            for name, reason in failed.items():
                key = f"{StaffNews.JOB_FAILED} {name} {member.email_key} {local.date()}"
                messages.append(_to(member, StaffNews.JOB_FAILED, job_failed(name, reason), key))
            if wanted and may_leave(local):
                key = f"{StaffNews.DIGEST} {member.email_key} {local.date()}"
                text = digest(found, ending_keys, flag_words)
                messages.append(_to(member, StaffNews.DIGEST, text, key))
    return _put(database, messages)


def _to(member: StaffMember, news: StaffNews, written: Written, key: str) -> Message:
    return Message(
        channel=Channel.EMAIL,
        to=member.email,
        subject=written.subject,
        body=written.body,
        html=written.html,
        addressee=member.name,
        locale=member.locale,
        purpose=news.value,
        once_key=key,
        good_for=A_DAY,
        urgent=news is StaffNews.JOB_FAILED,
    )


def _put(database: Database, messages: Sequence[Message]) -> int:
    """Put the messages into the outbox, some in each transaction: check-ins wait behind a writer."""
    count = 0
    for start in range(0, len(messages), BATCH):
        with database.write() as session:
            count += sum(enqueue(session, one) for one in messages[start : start + BATCH])
    return count
