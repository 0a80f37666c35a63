"""Reading backups as the last look at the disk mirrored them, and how they stand in plain words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backup.confirm import Choice
from backup.plan import Kind, State
from server.backups.models import ONLY_ROW, BackupPlace, BackupRun, BackupSet
from server.backups.mornings import Morning, Night, is_time, judge_night
from server.backups.rules import (
    CHECK_DAYS,
    WAITING,
    Action,
    BackupLight,
    Cause,
    CheckedDay,
    Facts,
    Made,
    RunState,
    checked_days,
    is_told,
    judge,
    oldest_unchecked,
    unchecked,
)
from server.core import clock
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.format import ago, local, today
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_moment

__all__ = ["BackupLight", "Morning", "Night", "is_time"]

PAGE = "/backups"
KEYS_PAGE = "/backups/keys"
PROVED = (State.VERIFIED, State.CONFIRMED)

SETS = ListSpec(
    key=BackupSet.id,
    filters={
        "state": Field(BackupSet.state, State, ("eq", "in", "ne")),
        "kind": Field(BackupSet.kind, Kind, ("eq", "in")),
        "created_at": Field(BackupSet.created_at, read_moment, ("gte", "lte", "gt", "lt")),
    },
    sorts={"created_at": Field(BackupSet.created_at, read_moment)},
    default_sort="-created_at",
)


def list_sets(session: Session, actor: Actor, wish: ListQuery) -> Page[BackupSet]:
    """Return one page of backups, newest first."""
    actor.must("backups.see")
    return page(session, select(BackupSet), SETS, wish)


def get_set(session: Session, actor: Actor, name: str) -> BackupSet:
    """Return the backup of that name, or raise NotFound."""
    actor.must("backups.see")
    found = session.scalar(select(BackupSet).where(BackupSet.name == name))
    if found is None:
        raise NotFound(_("There is no backup %(id)s.", id=name), code="no_backup")
    return found


def recent_runs(session: Session, actor: Actor, limit: int = 15) -> list[BackupRun]:
    """Return the newest runs that have ended."""
    actor.must("backups.see")
    ended = select(BackupRun).where(BackupRun.state.not_in(WAITING))
    return list(session.scalars(ended.order_by(BackupRun.id.desc()).limit(limit)))


def runs_of(session: Session, actor: Actor, name: str, limit: int = 20) -> list[BackupRun]:
    """Return the newest runs about one backup."""
    actor.must("backups.see")
    about = select(BackupRun).where(BackupRun.set_name == name)
    return list(session.scalars(about.order_by(BackupRun.id.desc()).limit(limit)))


def runs_under_way(session: Session, actor: Actor) -> list[BackupRun]:
    """Return what runs now and what waits, in the order of its turn."""
    actor.must("backups.see")
    waiting = list(
        session.scalars(
            select(BackupRun).where(BackupRun.state.in_(WAITING)).order_by(BackupRun.id)
        )
    )
    return sorted(waiting, key=lambda run: run.state is not RunState.RUNNING)


def place(session: Session, actor: Actor) -> BackupPlace | None:
    """Return the last look at the place of backups, None before the first."""
    actor.must("backups.see")
    return session.get(BackupPlace, ONLY_ROW)


def calendar(session: Session, actor: Actor) -> tuple[CheckedDay, ...]:
    """Return who checked on which of the last days, newest first (R-BAK-2)."""
    actor.must("backups.see")
    since = clock.now() - timedelta(days=CHECK_DAYS + 1)
    rows = session.execute(
        select(BackupSet.created_at, BackupSet.choice).where(BackupSet.created_at > since)
    )
    made = [
        Made(
            day=local(row.created_at).date(),
            confirmed=row.choice == Choice.IN_ORDER,
            refused=row.choice == Choice.PROBLEM_FOUND,
        )
        for row in rows
    ]
    return checked_days(made, today())


@dataclass(frozen=True)
class Waiting:
    """The days before today that nobody checked: how many, a backup to begin with, who is told."""

    count: int
    name: str
    is_told: bool


def days_waiting(session: Session, actor: Actor) -> Waiting:
    """Return which days wait for a check, and whether this reader sees that above every page.

    `name` is the newest backup that the reader may check, empty for who may not; one query, and one more
    only when a day waits.
    """
    days = calendar(session, actor)
    oldest = oldest_unchecked(days, today())
    if oldest is None:
        return Waiting(0, "", is_told=False)
    may_confirm = actor.may("backups.confirm")
    told = is_told(oldest, today(), answers=actor.may("backups.run"), may_confirm=may_confirm)
    name = None
    if may_confirm:
        name = session.scalar(
            select(BackupSet.name)
            .where(BackupSet.choice.is_(None))
            .order_by(BackupSet.created_at.desc(), BackupSet.id.desc())
            .limit(1)
        )
    return Waiting(unchecked(days, today()), name or "", told)


def newest_set(session: Session, actor: Actor) -> BackupSet | None:
    """Return the newest backup, whatever is known about it."""
    actor.must("backups.see")
    return session.scalar(
        select(BackupSet).order_by(BackupSet.created_at.desc(), BackupSet.id.desc()).limit(1)
    )


def newest_verified(session: Session, actor: Actor) -> BackupSet | None:
    """Return the newest backup that was restored for real and found right."""
    actor.must("backups.see")
    return session.scalar(
        select(BackupSet)
        .where(BackupSet.state.in_(PROVED))
        .order_by(BackupSet.created_at.desc(), BackupSet.id.desc())
        .limit(1)
    )


def last_night(session: Session, actor: Actor, now: datetime) -> Morning:
    """Return how the last night's backup came out, for the letter of the morning."""
    newest, verified = newest_set(session, actor), newest_verified(session, actor)
    state = None if newest is None else newest.state
    night = judge_night(None if newest is None else newest.created_at, state, now)
    seen = None if night is Night.NO_BACKUP else newest
    found = (seen.shown["verification"] or {}) if seen else {}
    return Morning(
        night=night,
        name=seen.name if seen else "",
        made_at=seen.created_at if seen else None,
        problem=(seen.note or " ".join(found.get("problems", []))) if seen else "",
        checked_by=seen.said_by if seen else None,
        restore_seconds=None if verified is None else verified.restore_seconds,
        lost=None if verified is None else now - verified.created_at,
        unchecked_days=unchecked(calendar(session, actor), today()),
    )


def works_now(session: Session) -> bool:
    """Tell whether a backup or a verification runs or waits."""
    query = select(BackupRun.id).where(BackupRun.state.in_(WAITING)).limit(1)
    return session.scalar(query) is not None


@dataclass(frozen=True)
class Standing:
    """The figures of the backups page: the newest verified backup, what waits, what all weigh."""

    verified: BackupSet | None
    waiting: BackupSet | None
    count: int
    bytes: int


def standing(session: Session, actor: Actor) -> Standing:
    """Return what the head of the backups page tells."""
    verified = newest_verified(session, actor)
    count, size = session.execute(select(func.count(), func.sum(BackupSet.bytes))).one()
    waits = verified is not None and verified.choice is None
    return Standing(verified, verified if waits else None, count, int(size or 0))


def backup_light(session: Session, actor: Actor) -> BackupLight:
    """Return how the backups stand, for the first page and the backups page."""
    newest = newest_set(session, actor)
    verified = newest_verified(session, actor)
    seen = place(session, actor)
    last_run = session.scalar(
        select(BackupRun)
        .where(BackupRun.action == Action.RUN, BackupRun.state.not_in(WAITING))
        .order_by(BackupRun.id.desc())
        .limit(1)
    )
    facts = Facts(
        since=None if seen is None else seen.first_seen_at,
        newest_at=None if newest is None else newest.created_at,
        newest_failed=newest is not None and newest.state is State.FAILED,
        verified_at=None if verified is None else verified.created_at,
        place_problem=bool(seen and seen.problem),
        run_failed=last_run is not None and last_run.state is RunState.FAILED,
        unchecked_days=unchecked(calendar(session, actor), today()),
        keys_due_at=None if seen is None else seen.keys_due_at,
    )
    level, cause = judge(facts, clock.now())
    title, words = _words(cause, facts, seen.problem if seen else "")
    if cause is Cause.RUN_FAILED and last_run is not None:
        words = last_run.outcome or words
    return BackupLight(level.value, title, words, KEYS_PAGE if cause is Cause.KEYS else PAGE)


def _words(cause: Cause, facts: Facts, problem: str) -> tuple[str, str]:
    age = _age(facts.verified_at)
    unchecked_words = ngettext(
        "%(n)s day was not checked by anybody. Look at its backup and confirm it.",
        "%(n)s days were not checked by anybody. Look at their backups and confirm them.",
        facts.unchecked_days,
    )
    words = {
        Cause.PLACE: (_("The backups cannot be reached"), problem),
        Cause.NEVER: (
            _("No verified backup yet"),
            _("If this server were lost now, nothing could be brought back. Make a backup."),
        ),
        Cause.TOO_OLD: (_("The last verified backup is too old"), age),
        Cause.NEWEST_FAILED: (
            _("The newest backup has a problem"),
            _("Look at it, then make a new one. %(age)s", age=age),
        ),
        Cause.RUN_FAILED: (_("The last backup did not succeed"), age),
        Cause.FIRST_DUE: (
            _("The first backup is still to come"),
            _("It is made tonight by itself. You can also make it now."),
        ),
        Cause.LATE: (_("The last verified backup is more than a day old"), age),
        Cause.UNCHECKED: (_("Backups wait for a person's check"), unchecked_words),
        Cause.KEYS: (
            _("The keys of the backups wait for their test"),
            _(
                "Every 90 days the holders of the working key and of the escrow key show that they "
                "still have them. Open the keys page and make the test: it takes two minutes."
            ),
        ),
        Cause.GOOD: (_("Your data is backed up"), age),
    }
    return words[cause]


def _age(verified_at: datetime | None) -> str:
    if verified_at is None:
        return _("No backup is verified yet.")
    return _("The last backup that was restored for real was made %(when)s.", when=ago(verified_at))
