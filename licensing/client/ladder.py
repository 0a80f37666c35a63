"""The ladder: one pure function from what is known to how much of the product works. No clock, no file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from licensing.document.answers import Lease, LeaseStatus, Notice
from licensing.document.errors import NoticeCode
from licensing.document.license import License
from licensing.document.requests import Mode

DAY = 86_400
TERM_WARNING = 10 * DAY
SHORT_TERM = 20 * DAY  # a term under this is warned about, and shown to everybody, for 3 days only
LAST_DAYS = 3 * DAY
SEATS_GRACE = 14 * DAY


class Reason(StrEnum):
    """Why the mode is what it is."""

    FRESH = "fresh"
    TERM_ENDING = "term_ending"
    NO_CONTACT = "no_contact"
    SEATS_OVER_CAP = "seats_over_cap"
    TERM_ENDED = "term_ended"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    DEACTIVATED = "deactivated"
    CLONE_HOLD = "clone_hold"
    NOT_ACTIVATED = "not_activated"
    NOT_STARTED = "not_started"


class Audience(IntEnum):
    """Who sees a banner."""

    NOBODY = 0
    ADMINS = 1
    EVERYBODY = 2


SEVERITY = (
    Mode.OK,
    Mode.WARN_EXPIRY,
    Mode.WARN_ADMIN,
    Mode.WARN_USERS,
    Mode.READ_ONLY,
    # A signed "revoked" says more than "its term has not begun", hence locked above setup.
    Mode.SETUP,
    Mode.LOCKED,
)


@dataclass(frozen=True)
class Standing:
    """All the ladder knows. `terminal` is the last signed word that ends everything, if any."""

    license: License | None = None
    lease: Lease | None = None
    terminal: Reason | None = None
    named_used: int = 0
    seats_over_since: int | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One row of the ladder that holds now; `due_at` is when it began or when it gets worse."""

    mode: Mode
    reason: Reason
    banner: Audience = Audience.NOBODY
    due_at: int | None = None


FRESH = Finding(Mode.OK, Reason.FRESH)


@dataclass(frozen=True)
class Verdict:
    """What works, why, and when that changes by itself.

    `findings` are all rows that hold, the severest first; `notices` are shown in every mode.
    """

    mode: Mode
    reason: Reason
    next_change_at: int | None
    banner: Audience = Audience.NOBODY
    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = field(default=())


def climb(standing: Standing, now: int) -> Verdict:
    """Return the verdict at the effective time `now`: the severest row wins, every notice shows."""
    findings = _findings(standing, now)
    return Verdict(
        mode=findings[0].mode,
        reason=findings[0].reason,
        next_change_at=_next_change(standing, now, findings),
        banner=max(finding.banner for finding in findings),
        findings=findings,
        notices=(*standing.notices, *_seat_notices(standing, now)),
    )


def days_left(license: License, now: int) -> int | None:  # noqa: A002 - the trade's word
    """Return full days until the term ends, rounded up, 0 once it has; None when it never ends."""
    if license.expires_at is None:
        return None
    return max(0, -(-(license.expires_at + 1 - now) // DAY))


def read_only_at(license: License, lease: Lease) -> int:  # noqa: A002 - the trade's word
    """Return from when on records are only read if the vendor is never heard of again."""
    return lease.issued_at + license.checkin.lease_ttl_s + license.checkin.read_only_after_s


def _findings(standing: Standing, now: int) -> tuple[Finding, ...]:
    found = [finding for row in _ROWS for finding in row(standing, now)]
    found.sort(key=lambda finding: SEVERITY.index(finding.mode), reverse=True)
    return tuple(found) or (FRESH,)


def _next_change(standing: Standing, now: int, findings: tuple[Finding, ...]) -> int | None:
    held = [(finding.mode, finding.reason, finding.banner) for finding in findings]
    for at in sorted({moment for moment in _moments(standing) if moment > now}):
        then = _findings(standing, at)
        if [(finding.mode, finding.reason, finding.banner) for finding in then] != held:
            return at
    return None


def _terminal(standing: Standing, _now: int) -> Iterator[Finding]:
    words = {LeaseStatus.SUSPENDED: Reason.SUSPENDED, LeaseStatus.REVOKED: Reason.REVOKED}
    said = words.get(standing.lease.status) if standing.lease else None
    for reason in (standing.terminal, said):
        if reason is not None:
            yield Finding(Mode.LOCKED, reason, Audience.EVERYBODY)


def _setup(standing: Standing, now: int) -> Iterator[Finding]:
    if standing.license is None or standing.lease is None:
        yield Finding(Mode.SETUP, Reason.NOT_ACTIVATED, Audience.ADMINS)
    elif now < standing.license.starts_at:
        yield Finding(Mode.SETUP, Reason.NOT_STARTED, Audience.ADMINS, standing.license.starts_at)


def _term(standing: Standing, now: int) -> Iterator[Finding]:
    terms = _term_moments(standing)
    if terms is None:
        return
    warned, shown, ended = terms
    if now >= ended:
        yield Finding(Mode.LOCKED, Reason.TERM_ENDED, Audience.EVERYBODY, ended)
    elif now >= warned:
        banner = Audience.EVERYBODY if now >= shown else Audience.ADMINS
        yield Finding(Mode.WARN_EXPIRY, Reason.TERM_ENDING, banner, ended)


def _term_moments(standing: Standing) -> tuple[int, int, int] | None:
    """Return when admins are warned, when everybody is, and the first second without a licence."""
    sold = standing.license
    if sold is None or standing.lease is None or sold.expires_at is None:
        return None
    warning = LAST_DAYS if sold.expires_at - sold.starts_at < SHORT_TERM else TERM_WARNING
    # expires_at is the last paid second, so it still counts.
    ended = sold.expires_at + 1 + sold.grace_days * DAY
    return sold.expires_at - warning, sold.expires_at - LAST_DAYS, ended


def _contact(standing: Standing, now: int) -> Iterator[Finding]:
    steps = _contact_moments(standing)
    held = [step for step in steps if now >= step[0]]
    if held:
        _, mode, banner = held[-1]
        later = steps[len(held)][0] if len(held) < len(steps) else None
        yield Finding(mode, Reason.NO_CONTACT, banner, later)


def _contact_moments(standing: Standing) -> list[tuple[int, Mode, Audience]]:
    if standing.license is None or standing.lease is None:
        return []
    terms, since = standing.license.checkin, standing.lease.issued_at
    end = since + terms.lease_ttl_s
    return [
        # 7 of 14 days; a server sold with a longer lease is seldom online and warned later.
        (since + terms.lease_ttl_s // 2, Mode.WARN_ADMIN, Audience.ADMINS),
        (end, Mode.WARN_USERS, Audience.EVERYBODY),
        (read_only_at(standing.license, standing.lease), Mode.READ_ONLY, Audience.EVERYBODY),
        (end + terms.lock_after_s, Mode.LOCKED, Audience.EVERYBODY),
    ]


def _seats(standing: Standing, now: int) -> Iterator[Finding]:
    if not _over_cap(standing, now):
        return
    since = now if standing.seats_over_since is None else standing.seats_over_since
    late = now >= since + SEATS_GRACE
    mode = Mode.READ_ONLY if late else Mode.WARN_ADMIN
    banner = Audience.EVERYBODY if late else Audience.ADMINS
    yield Finding(mode, Reason.SEATS_OVER_CAP, banner, since + SEATS_GRACE)


def _over_cap(standing: Standing, now: int) -> bool:
    return (
        standing.license is not None
        and standing.lease is not None
        and standing.named_used > standing.license.at(now).seats.named
    )


def _seat_notices(standing: Standing, now: int) -> Iterator[Notice]:
    if _over_cap(standing, now) and standing.license is not None:
        since = now if standing.seats_over_since is None else standing.seats_over_since
        cap = standing.license.at(now).seats.named
        text = f"{standing.named_used} of {cap} named users."
        yield Notice(NoticeCode.SEATS_OVER_NEW_CAP, since, text)


def _moments(standing: Standing) -> Iterator[int]:
    if standing.license is not None:
        yield standing.license.starts_at
        if standing.license.next_term is not None:
            yield standing.license.next_term.starts_at
    yield from _term_moments(standing) or ()
    for at, _, _ in _contact_moments(standing):
        yield at
    if standing.seats_over_since is not None:
        yield standing.seats_over_since + SEATS_GRACE


# Where modes are equally severe the earlier row gives the reason.
_ROWS: tuple[Callable[[Standing, int], Iterator[Finding]], ...] = (
    _terminal,
    _term,
    _contact,
    _seats,
    _setup,
)
