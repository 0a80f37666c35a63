"""Warnings about the licence: which of them leave, when, to whom and by which way. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.core.contact import email_key, phone_key
from server.core.entitlements import Entitlements, Notice
from server.core.i18n import mark
from server.core.letters import Channel

URGENT = timedelta(days=3)
DAILY_FOR = timedelta(days=14)
WEEK = timedelta(days=7)

# What the reader did on purpose, or has still to do for the first time, is no news to anybody.
_NO_NEWS = frozenset({"fresh", "not_activated", "not_started", "deactivated"})
_DAILY = frozenset({"term_ending", "term_ended"})
_REFUSING = frozenset({"read_only", "locked"})

PURPOSE = "license."

PURPOSE_LABELS = {
    "test": mark("Test"),
    "backup.daily": mark("The daily check of the backup"),
    "license.term_ending": mark("The term ends"),
    "license.term_ended": mark("The term has ended"),
    "license.no_contact": mark("No contact with the vendor"),
    "license.seats_over_cap": mark("More users than seats"),
    "license.suspended": mark("Suspended"),
    "license.revoked": mark("Revoked"),
    "license.superseded": mark("Moved to another server"),
    "license.clone_hold": mark("Held as a copy"),
    "license.CLONE_REVIEW": mark("Seen from two servers"),
    "license.FINGERPRINT_CHANGED": mark("The machine has changed"),
    "license.CLOCK_BACK": mark("The clock was set back"),
    "license.CLOCK_FORWARD": mark("The clock is far ahead"),
    "license.SEATS_OVER_NEW_CAP": mark("More users than seats"),
}


@dataclass(frozen=True)
class Matter:
    """Something about the licence that people are told of until it is over.

    `notice` is the row of the ladder or the signed notice behind it. An urgent one is worded so; `by_sms`
    says that it is worth a text message.
    """

    notice: Notice
    daily: bool
    urgent: bool
    by_sms: bool

    @property
    def code(self) -> str:
        """Return its word, with the mode that it brings: a step of no contact is a matter of its own."""
        return f"{self.notice.code}.{self.notice.mode}" if self.notice.mode else self.notice.code

    @property
    def purpose(self) -> str:
        """Return the word by which the record of messages is filtered."""
        return f"{PURPOSE}{self.notice.code}"


def matters_of(verdict: Entitlements, now: datetime) -> tuple[Matter, ...]:
    """Return what holds now and is worth telling, the gravest first."""
    return tuple(_matters(verdict, now))


def _matters(verdict: Entitlements, now: datetime) -> Iterator[Matter]:
    for notice in verdict.notices:
        if notice.code in _NO_NEWS or notice.level in {"info", "success"}:
            continue
        end = verdict.expires_at if notice.code == "term_ending" else notice.at
        nears = notice.code in {"term_ending", "seats_over_cap"} and end is not None
        last_days = nears and end is not None and end - now <= URGENT
        refuses = notice.mode in _REFUSING
        yield Matter(
            notice=notice,
            daily=notice.code in _DAILY or last_days or notice.mode == "read_only",
            urgent=last_days or refuses,
            by_sms=notice.code in _DAILY or last_days or refuses,
        )


def is_due(matter: Matter, *, since: date, told_on: date | None, today: date) -> bool:
    """Tell whether the matter is to be told today: at once, then daily or weekly; after two weeks weekly.

    A day of telling that lies ahead was written under a clock that has been set right since.
    """
    if told_on is None or told_on > today:
        return True
    daily = matter.daily and today - since < DAILY_FOR
    return today - told_on >= (timedelta(days=1) if daily else WEEK)


@dataclass(frozen=True)
class Contact:
    """Somebody who can be told. `user_id` is None for the representative, who need not have an account."""

    name: str
    email: str
    phone: str
    locale: str
    user_id: int | None = None
    by_email: bool = True
    by_sms: bool = True


@dataclass(frozen=True)
class Delivery:
    """One way to one person. `duty` says that it cannot be silenced, because somebody has to be told."""

    contact: Contact
    channel: Channel
    duty: bool

    @property
    def to(self) -> str:
        """Return the address or number."""
        return self.contact.email if self.channel is Channel.EMAIL else self.contact.phone


def deliveries(
    matter: Matter, representative: Contact | None, admins: Sequence[Contact]
) -> tuple[Delivery, ...]:
    """Return whom to tell and how, each address once, the representative first (R-LIC-7).

    Until a representative is named, the duty to be told is the administrators'.
    """
    found: dict[str, Delivery] = {}
    for delivery in _wanted(matter, representative, admins):
        address = _same(delivery)
        if address:
            found.setdefault(address, delivery)
    return tuple(found.values())


def _wanted(
    matter: Matter, representative: Contact | None, admins: Sequence[Contact]
) -> Iterator[Delivery]:
    if representative is not None:
        yield Delivery(representative, Channel.EMAIL, duty=True)
        if matter.by_sms:
            yield Delivery(representative, Channel.SMS, duty=True)
    alone = representative is None
    for admin in admins:
        if alone or admin.by_email:
            yield Delivery(admin, Channel.EMAIL, duty=alone)
        if matter.by_sms and admin.by_sms:
            yield Delivery(admin, Channel.SMS, duty=False)


def _same(delivery: Delivery) -> str:
    if delivery.channel is Channel.EMAIL:
        return f"email {email_key(delivery.to)}" if delivery.to else ""
    return f"sms {phone_key(delivery.to)}" if delivery.to else ""


def once_key(matter: Matter, delivery: Delivery, today: date) -> str:
    """Return what holds a matter to one message a day for each recipient and channel."""
    return f"{matter.purpose} {_same(delivery)} {today.isoformat()}"


@dataclass(frozen=True)
class RepresentativeDraft:
    """Who answers for the licence, as somebody wrote it down."""

    name: str = ""
    email: str = ""
    phone: str = ""
    locale: str = "fa"


@dataclass(frozen=True)
class PreferenceDraft:
    """What a user wants to be told by, as they wrote it down."""

    by_email: bool = True
    by_sms: bool = True
    phone: str = ""
