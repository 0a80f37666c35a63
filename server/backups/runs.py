"""The log of runs, which is also the queue: asking, taking, telling how far, ending, finding the dead."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backup import lock
from backup.plan import Kind, Progress, Stage, silent
from server.backups.models import BackupRun
from server.backups.rules import Action, RunState
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.core.errors import Conflict, DaftarError
from server.core.i18n import gettext as _

TELL_S = 1.0  # progress is written down so often; every page that polls reads it


@dataclass
class Wish:
    """What is to be done, for whom. `set_name` is the backup it is about, empty for the newest."""

    action: Action
    kind: Kind | None = None
    set_name: str = ""


def ask(session: Session, actor: Actor, wish: Wish) -> BackupRun:
    """Put the wish into the queue; the same wish waits there only once."""
    waiting = select(BackupRun).where(
        BackupRun.action == wish.action,
        BackupRun.set_name == wish.set_name,
        BackupRun.state == RunState.QUEUED,
    )
    found = session.scalar(waiting)
    if found is not None:
        return found
    run = _row(actor, wish, RunState.QUEUED)
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:  # somebody asked for the same at this instant
        return session.scalars(waiting).one()
    return run


def _row(actor: Actor, wish: Wish, state: RunState) -> BackupRun:
    return BackupRun(
        action=wish.action,
        kind=wish.kind,
        set_name=wish.set_name,
        state=state,
        asked_by_id=actor.user_id,
        asked_by=actor.name,
        asked_at=clock.now(),
    )


def asker(run: BackupRun) -> Actor:
    """Return for whom the run works; it was allowed when it was asked for."""
    return Actor(run.asked_by_id, run.asked_by, locale=SYSTEM.locale, all_powerful=True)


@dataclass
class Entry:
    """A run under way. Whoever works tells how far it is and, at the end, what came out.

    `ok` is False for a run that went through and found a problem.
    """

    tell: Progress
    set_name: str = ""
    outcome: str = ""
    ok: bool = True


class Runs:
    """The log of one installation. `locks` is the folder where working processes hold theirs."""

    def __init__(self, database: Database, locks: Path) -> None:
        self._database = database
        self._locks = locks

    def next_waiting(self) -> BackupRun | None:
        """Return the wish that has waited longest."""
        with self._database.read() as session:
            return session.scalar(
                select(BackupRun)
                .where(BackupRun.state == RunState.QUEUED)
                .order_by(BackupRun.id)
                .limit(1)
            )

    @contextmanager
    def under_way(
        self, actor: Actor, wish: Wish, *, progress: Progress = silent, queued: int | None = None
    ) -> Iterator[Entry]:
        """Log the work of the block, a new run or one from the queue, however the block ends."""
        ticket = secrets.token_hex(8)
        self._locks.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._lock_of(ticket)
        try:
            with lock.held(path, refusal=""):
                run_id = self._begin(actor, wish, ticket, queued)
                entry = Entry(self._teller(run_id, progress), wish.set_name)
                state = RunState.INTERRUPTED
                try:
                    yield entry
                    state = RunState.DONE if entry.ok else RunState.FAILED
                except DaftarError as refusal:
                    state, entry.outcome = RunState.FAILED, refusal.message
                    raise
                except Exception as fault:
                    state, entry.outcome = RunState.FAILED, f"{type(fault).__name__}: {fault}"
                    raise
                finally:
                    self._end(run_id, state, entry)
        finally:
            path.unlink(missing_ok=True)

    def settle_dead(self) -> int:
        """Mark the runs whose process is gone as interrupted; return how many there were."""
        with self._database.read() as session:
            running = list(
                session.scalars(select(BackupRun).where(BackupRun.state == RunState.RUNNING))
            )
        dead = [run for run in running if not self._alive(run.ticket)]
        for run in dead:
            said = _("The run ended without a word: its process was stopped.")
            self._end(run.id, RunState.INTERRUPTED, Entry(silent, run.set_name, said))
            self._lock_of(run.ticket).unlink(missing_ok=True)
        return len(dead)

    def _lock_of(self, ticket: str) -> Path:
        return self._locks / f"backup-{ticket}.lock"

    def _alive(self, ticket: str) -> bool:
        path = self._lock_of(ticket)
        if not path.is_file():
            return False
        try:
            with lock.held(path, refusal=""):
                return False
        except Conflict:
            return True

    def _begin(self, actor: Actor, wish: Wish, ticket: str, queued: int | None) -> int:
        now = clock.now()
        with self._database.write(actor) as session:
            if queued is None:
                run = _row(actor, wish, RunState.RUNNING)
                run.started_at, run.ticket = now, ticket
                session.add(run)
                session.flush()
                return run.id
            taken = session.execute(
                update(BackupRun)
                .where(BackupRun.id == queued, BackupRun.state == RunState.QUEUED)
                .values(state=RunState.RUNNING, started_at=now, ticket=ticket)
            )
            if taken.rowcount != 1:  # type: ignore[attr-defined] # a cursor result
                raise Conflict(_("This run was taken by somebody else."), code="taken")
            return queued

    def _end(self, run_id: int, state: RunState, entry: Entry) -> None:
        with self._database.write() as session:
            session.execute(
                update(BackupRun)
                .where(BackupRun.id == run_id, BackupRun.state == RunState.RUNNING)
                .values(
                    state=state,
                    finished_at=clock.now(),
                    set_name=entry.set_name,
                    outcome=entry.outcome[:2000],
                )
            )

    def _teller(self, run_id: int, progress: Progress) -> Progress:
        told: list[tuple[float, Stage]] = []

        def tell(stage: Stage, done: int, total: int) -> None:
            progress(stage, done, total)
            now = clock.monotonic()
            if told and told[-1][1] is stage and now - told[-1][0] < TELL_S:
                return
            told[:] = [(now, stage)]
            with self._database.write() as session:
                session.execute(
                    update(BackupRun)
                    .where(BackupRun.id == run_id)
                    .values(stage=stage.value, done=done, total=max(total, 0))
                )

        return tell
