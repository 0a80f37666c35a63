"""Backups: the words of their states and runs, when the light turns, and which days nobody checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from backup.keys import Role
from backup.plan import Kind, Level, Stage, State
from server.core.i18n import mark

FRESH = timedelta(hours=26)  # a day and what a long run may take
TOO_OLD = timedelta(days=7)
CHECK_DAYS = 14  # so many days back a page shows who checked
TELL_EVERYBODY = 3  # days after which everybody who may check is told that nobody did


class Action(StrEnum):
    """What a run does."""

    RUN = "run"
    VERIFY = "verify"
    PRUNE = "prune"


class RunState(StrEnum):
    """How far a run is. `interrupted` ended without a word: its process was killed."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


WAITING = (RunState.QUEUED, RunState.RUNNING)


class DayState(StrEnum):
    """What the buyer's daily check says about one day (R-BAK-2)."""

    CONFIRMED = "confirmed"
    PROBLEM = "problem"
    UNCHECKED = "unchecked"
    MISSING = "missing"


class Colour(StrEnum):
    """The colour of the light."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Cause(StrEnum):
    """Why the light has its colour, the gravest cause first."""

    PLACE = "place"
    NEVER = "never"
    TOO_OLD = "too_old"
    NEWEST_FAILED = "newest_failed"
    FIRST_DUE = "first_due"
    RUN_FAILED = "run_failed"
    LATE = "late"
    UNCHECKED = "unchecked"
    KEYS = "keys"
    GOOD = "good"


STATE_LABELS = {
    State.COMPLETE: mark("Not verified yet"),
    State.VERIFIED: mark("Verified"),
    State.CONFIRMED: mark("Confirmed"),
    State.FAILED: mark("Problem found"),
}
STATE_TONES = {
    State.COMPLETE: "gray",
    State.VERIFIED: "blue",
    State.CONFIRMED: "green",
    State.FAILED: "red",
}
KIND_LABELS = {
    Kind.DAILY: mark("Daily"),
    Kind.MANUAL: mark("On request"),
    Kind.PRE_UPGRADE: mark("Before an upgrade"),
    Kind.PRE_RESTORE: mark("Before a restore"),
}
ACTION_LABELS = {
    Action.RUN: mark("Backup"),
    Action.VERIFY: mark("Verification"),
    Action.PRUNE: mark("Clearing out old backups"),
}
RUN_LABELS = {
    RunState.QUEUED: mark("Waiting"),
    RunState.RUNNING: mark("Running"),
    RunState.DONE: mark("Done"),
    RunState.FAILED: mark("Failed"),
    RunState.INTERRUPTED: mark("Interrupted"),
}
RUN_TONES = {
    RunState.QUEUED: "gray",
    RunState.RUNNING: "blue",
    RunState.DONE: "green",
    RunState.FAILED: "red",
    RunState.INTERRUPTED: "amber",
}
STAGE_LABELS = {
    Stage.SNAPSHOT: mark("Taking the database at one moment"),
    Stage.COUNT: mark("Counting the rows of every table"),
    Stage.DATABASE: mark("Sealing the database"),
    Stage.FILES: mark("Sealing the files"),
    Stage.SECRETS: mark("Sealing keys and settings"),
    Stage.PUBLISH: mark("Signing and publishing"),
    Stage.STORE: mark("Reading every sealed byte"),
    Stage.CONTENT: mark("Opening the content"),
    Stage.RESTORE: mark("Restoring into a scratch place"),
    Stage.CHECK: mark("Asking the restored database"),
}
LEVEL_LABELS = {
    Level.STORE: mark("Sealed bytes only"),
    Level.CONTENT: mark("Content opened"),
    Level.DRILL: mark("Restored for real"),
}
CHECK_LABELS = {
    "signature": mark("Signed by this installation"),
    "chain": mark("Follows the backup before it"),
    "store": mark("Every sealed byte is there"),
    "content": mark("Everything opens and is what was sealed"),
    "database": mark("The restored database is whole and has the same content"),
    "administrator": mark("Somebody can sign in and administer"),
    "deal_stages": mark("Every deal stands in a stage of its pipeline"),
    "pipelines": mark("Every pipeline has a stage for won and one for lost"),
    "authors": mark("Every change in the audit trail has its author"),
    "configuration": mark("Settings and keys can be read"),
}
KEY_LABELS = {
    Role.WORKING: mark("Working key"),
    Role.ESCROW: mark("Escrow key"),
    Role.DRILL: mark("Drill key"),
}
KEY_DUTIES = {
    Role.WORKING: mark("Lies where backups are restored. It is the first to be taken."),
    Role.ESCROW: mark("Lies in a safe, with another person, for the day the working key is lost."),
}
PROOF_LABELS = {
    "canary": mark("by the letters of a test"),
    "key": mark("by showing the key"),
}
DAY_LABELS = {
    DayState.CONFIRMED: mark("checked"),
    DayState.PROBLEM: mark("problem found"),
    DayState.UNCHECKED: mark("nobody checked"),
    DayState.MISSING: mark("no backup"),
}
DAY_TONES = {
    DayState.CONFIRMED: "green",
    DayState.PROBLEM: "red",
    DayState.UNCHECKED: "amber",
    DayState.MISSING: "red",
}


@dataclass(frozen=True)
class BackupLight:
    """How the backups stand, in the reader's words. `level` is green, amber or red."""

    level: str
    title: str
    text: str
    url: str


@dataclass(frozen=True)
class Facts:
    """What the light is judged by. `since` is when this server first looked at its backups.

    From `keys_due_at` on somebody has to prove again that the offline keys are still held.
    """

    since: datetime | None
    newest_at: datetime | None
    newest_failed: bool
    verified_at: datetime | None
    place_problem: bool
    run_failed: bool
    unchecked_days: int
    keys_due_at: datetime | None = None


def judge(facts: Facts, now: datetime) -> tuple[Colour, Cause]:
    """Return the colour of the light and its gravest cause."""
    age = None if facts.verified_at is None else now - facts.verified_at
    waited = facts.since is not None and now - facts.since > FRESH
    red = (
        (Cause.PLACE, facts.place_problem),
        (Cause.NEVER, age is None and waited),
        (Cause.TOO_OLD, age is not None and age > TOO_OLD),
        (Cause.NEWEST_FAILED, facts.newest_failed),
    )
    amber = (
        (Cause.RUN_FAILED, facts.run_failed),
        (Cause.FIRST_DUE, age is None),
        (Cause.LATE, age is not None and age > FRESH),
        (Cause.UNCHECKED, facts.unchecked_days > 0),
        (Cause.KEYS, facts.keys_due_at is not None and facts.keys_due_at <= now),
    )
    for level, causes in ((Colour.RED, red), (Colour.AMBER, amber)):
        for cause, holds in causes:
            if holds:
                return level, cause
    return Colour.GREEN, Cause.GOOD


@dataclass(frozen=True)
class Made:
    """A backup as the daily check sees it: its day, and whether a person confirmed or refused it."""

    day: date
    confirmed: bool
    refused: bool


@dataclass(frozen=True)
class CheckedDay:
    """One day of the buyer's check."""

    day: date
    state: DayState

    @property
    def tone(self) -> str:
        """Return the colour of the day."""
        return DAY_TONES[self.state]

    @property
    def label(self) -> str:
        """Return the English word of the day's state, for the catalogue."""
        return DAY_LABELS[self.state]


def checked_days(made: Sequence[Made], today: date) -> tuple[CheckedDay, ...]:
    """Return how each of the last days was checked, newest first, from the first backup on."""
    if not made:
        return ()
    first = max(min(each.day for each in made), today - timedelta(days=CHECK_DAYS - 1))
    span = [today - timedelta(days=n) for n in range((today - first).days + 1)]
    return tuple(
        CheckedDay(day, day_state([each for each in made if each.day == day]))
        for day in span
        if day != today or any(each.day == today for each in made)
    )


def day_state(made: Sequence[Made]) -> DayState:
    """Return the word of a day by its backups."""
    if not made:
        return DayState.MISSING
    if any(each.confirmed for each in made):
        return DayState.CONFIRMED
    return DayState.PROBLEM if any(each.refused for each in made) else DayState.UNCHECKED


def months_back(today: date, count: int = 6) -> tuple[date, ...]:
    """Return the first days of this month and of those before it, the newest first."""
    first, found = today.replace(day=1), []
    for _n in range(count):
        found.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return tuple(found)


def oldest_unchecked(days: Sequence[CheckedDay], today: date) -> date | None:
    """Return the first of the days before today that nobody checked, None when all were."""
    waiting = [each.day for each in days if each.day < today and each.state is DayState.UNCHECKED]
    return min(waiting, default=None)


def is_told(oldest: date | None, today: date, *, answers: bool, may_confirm: bool) -> bool:
    """Tell whether a reader sees above every page that a day was not checked.

    Who answers for the backups (administrators, the representative) sees it at once, everybody who may
    check from the third day on (R-BAK-2).
    """
    if oldest is None:
        return False
    return answers or (may_confirm and (today - oldest).days >= TELL_EVERYBODY)


def unchecked(days: Sequence[CheckedDay], today: date) -> int:
    """Count the days before today that nobody checked; today's check may still come."""
    return sum(1 for each in days if each.day != today and each.state is DayState.UNCHECKED)
