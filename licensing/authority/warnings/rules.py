"""What the vendor tells its customers and its own people, and how often. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server.core.i18n import mark
from server.core.letters import Channel

DAY = 86_400
TERM_WARNING = 10 * DAY
SHORT_TERM = (
    20 * DAY
)  # a term under this is warned about for 3 days only, as on the customer's side
LAST_DAYS = 3 * DAY
SILENT_FROM = 7 * DAY
TOLD_FOR = 2 * DAY  # what happened longer ago, while nothing ran, is no news any more


class News(StrEnum):
    """What a customer is told of, as the word by which the record is filtered."""

    TERM_ENDING = "customer.term_ending"
    SILENT = "customer.silent"
    SUSPENDED = "customer.suspended"
    RESUMED = "customer.resumed"
    REVOKED = "customer.revoked"
    RENEWED = "customer.renewed"
    REHOSTED = "customer.rehosted"
    CLONE_REVIEW = "customer.clone_review"
    CLONE_HOLD = "customer.clone_hold"
    FINGERPRINT_CHANGED = "customer.fingerprint_changed"


class StaffNews(StrEnum):
    """What the vendor's own people are told of."""

    DIGEST = "staff.digest"
    JOB_FAILED = "staff.job_failed"


PURPOSE_LABELS = {
    News.TERM_ENDING: mark("The term ends"),
    News.SILENT: mark("The server does not call"),
    News.SUSPENDED: mark("Suspended"),
    News.RESUMED: mark("Resumed"),
    News.REVOKED: mark("Revoked"),
    News.RENEWED: mark("Renewed"),
    News.REHOSTED: mark("Moved to another server"),
    News.CLONE_REVIEW: mark("Seen from two servers"),
    News.CLONE_HOLD: mark("Held as a copy"),
    News.FINGERPRINT_CHANGED: mark("The machine has changed"),
    StaffNews.DIGEST: mark("What needs the vendor"),
    StaffNews.JOB_FAILED: mark("Work by the clock failed"),
}

# What stands in the audit trail and is news to the customer.
OF_THE_TRAIL = {
    "license.suspended": News.SUSPENDED,
    "license.ok": News.RESUMED,
    "license.revoked": News.REVOKED,
    "license.renew": News.RENEWED,
    "license.rehost": News.REHOSTED,
}
OF_FLAGS = {
    "clone_review": News.CLONE_REVIEW,
    "clone_hold": News.CLONE_HOLD,
    "fingerprint_changed": News.FINGERPRINT_CHANGED,
}
# Worth an SMS: it stops work, or is about to.
_GRAVE = frozenset({News.TERM_ENDING, News.SUSPENDED, News.REVOKED, News.CLONE_HOLD, News.REHOSTED})


@dataclass(frozen=True)
class Subject:
    """The licence that news is about, and whom it reaches. Moments are Unix seconds."""

    license_id: str
    site: str
    customer: str
    email: str | None
    phone: str | None
    locale: str
    timezone: str
    is_trial: bool
    expires_at: int | None


@dataclass(frozen=True)
class Event:
    """One piece of news. `occasion` names it once and for all; without one it is news every day anew.

    `at` is when it happened or will: the end of the term, the last call, the deed.
    """

    news: News
    subject: Subject
    at: int
    occasion: str = ""


def warns_of_end(*, starts_at: int, expires_at: int, now: int) -> bool:
    """Tell whether a term is so near to its end that the customer is told daily."""
    span = LAST_DAYS if expires_at - starts_at < SHORT_TERM else TERM_WARNING
    return expires_at - span <= now <= expires_at


def silent_step(*, last_seen_at: int, lease_ttl_s: int, now: int) -> int:
    """Return 2 when a server is silent beyond its lease, 1 beyond half of it, else 0.

    That is after 14 and 7 days; a server sold with a longer lease is seldom online and told of later.
    """
    silent = now - last_seen_at
    if silent >= lease_ttl_s:
        return 2
    return 1 if silent >= max(SILENT_FROM, lease_ttl_s // 2) else 0


def ways(event: Event) -> Iterator[tuple[Channel, str]]:
    """Yield by which ways the news goes to the customer, and where to."""
    if event.subject.email:
        yield Channel.EMAIL, event.subject.email
    if event.news in _GRAVE and event.subject.phone:
        yield Channel.SMS, event.subject.phone


def once_key(event: Event, channel: Channel, to: str, today: date) -> str:
    """Return what holds news to one message for each occasion, or else for each day."""
    occasion = event.occasion or today.isoformat()
    return f"{event.news} {event.subject.license_id} {channel.value} {to.casefold()} {occasion}"


def days_until(moment: int, now: int) -> int:
    """Return full days until a moment, rounded up, 0 once it has come."""
    return max(0, -(-(moment + 1 - now) // DAY))


def days_since(moment: int, now: int) -> int:
    """Return full days since a moment."""
    return max(0, (now - moment) // DAY)
