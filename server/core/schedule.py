"""Work by the clock: one scheduler at a time, held by a lease in the database, catching up after downtime.

It knows no feature: `server.jobs` and the authority hand it their jobs. What ran, when and how is
kept, so that pages and the doctor can show it.
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Table, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from server.core import clock
from server.core.db import Base, Database, UtcDateTime

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEWAL_S = 10.0
TICK_S = 1.0


class SchedulerLease(Base):
    """Who runs the scheduler, and until when without another word."""

    __tablename__ = "scheduler_leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JobState(Base):
    """When a job is due next, and how it went the last time."""

    __tablename__ = "job_states"

    name: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ok: Mapped[bool | None]
    error: Mapped[str | None]


def schedule_tables(base: type[DeclarativeBase]) -> tuple[Table, Table]:
    """Return the two tables copied into another house's metadata, as the authority needs them."""
    leases = SchedulerLease.__table__.to_metadata(base.metadata)  # type: ignore[attr-defined]
    states = JobState.__table__.to_metadata(base.metadata)  # type: ignore[attr-defined]
    return leases, states


@dataclass(frozen=True)
class Job:
    """One piece of work. `next_after` says when it is due after a moment; `at_start` runs it first thing."""

    name: str
    next_after: Callable[[datetime], datetime]
    run: Callable[[], None]
    at_start: bool = False


def every(period: timedelta) -> Callable[[datetime], datetime]:
    """Return a rhythm of one run each period."""
    return lambda moment: moment + period


def daily(time: str, zone: str) -> Callable[[datetime], datetime]:
    """Return a rhythm of one run each day at this local time of day, such as 02:15."""
    hour, minute = (int(part) for part in time.split(":"))
    place = ZoneInfo(zone)

    def next_after(moment: datetime) -> datetime:
        local = moment.astimezone(place)
        due = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if due <= local:
            due = (local + timedelta(days=1)).replace(
                hour=hour, minute=minute, second=0, microsecond=0
            )
        return due

    return next_after


class Lease:
    """The right to be the only scheduler, held in the database."""

    def __init__(self, database: Database, name: str = "scheduler") -> None:
        self.database = database
        self.name = name
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def hold(self) -> bool:
        """Take or renew the lease; tell whether it is ours now."""
        now = clock.now()
        until = now + LEASE
        ours_or_lapsed = or_(
            SchedulerLease.holder == self.holder,
            SchedulerLease.expires_at < now,
            # Taken under a clock that has been set back since: nobody may hold it that long.
            SchedulerLease.expires_at > until + LEASE,
        )
        with self.database.write() as session:
            taken = session.execute(
                update(SchedulerLease)
                .where(and_(SchedulerLease.name == self.name, ours_or_lapsed))
                .values(holder=self.holder, expires_at=until)
            )
            if taken.rowcount == 1:  # type: ignore[attr-defined] # a cursor result
                return True
            if session.get(SchedulerLease, self.name) is not None:
                return False
            try:
                with session.begin_nested():
                    session.execute(
                        insert(SchedulerLease).values(
                            name=self.name, holder=self.holder, expires_at=until
                        )
                    )
            except IntegrityError:
                return False
        return True

    def release(self) -> None:
        """Give the lease back, so that a successor need not wait for its end."""
        with self.database.write() as session:
            session.execute(
                update(SchedulerLease)
                .where(SchedulerLease.name == self.name, SchedulerLease.holder == self.holder)
                .values(expires_at=clock.now() - LEASE)
            )


class Scheduler:
    """Runs the due jobs of one house, one after the other, while it holds the lease."""

    def __init__(self, database: Database, jobs: Sequence[Job]) -> None:
        self.database = database
        self.jobs = {job.name: job for job in jobs}
        self.lease = Lease(database)
        self.ours = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        keeper = threading.Thread(target=self._keep_lease, args=(stop,), name="lease", daemon=True)
        keeper.start()
        while not stop.is_set():
            if self.ours.wait(TICK_S):
                try:
                    self.run_due()
                except SQLAlchemyError:
                    log.exception("The scheduler cannot reach the database.")
                stop.wait(TICK_S)
        keeper.join(RENEWAL_S)
        try:
            self.lease.release()
        except SQLAlchemyError:
            log.warning("The scheduler's lease could not be given back; it ends by itself.")

    def _keep_lease(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                held = self.lease.hold()
            except SQLAlchemyError:
                held = False
                log.warning("The scheduler's lease could not be renewed.", exc_info=True)
            (self.ours.set if held else self.ours.clear)()
            stop.wait(RENEWAL_S)

    def run_due(self) -> list[str]:
        """Run every job that is due now; return their names. A missed time is made up for once."""
        ran = []
        for name in self._due():
            if not self.ours.is_set() and not self.lease.hold():
                break
            self._run_one(self.jobs[name])
            ran.append(name)
        return ran

    def _due(self) -> list[str]:
        now = clock.now()
        with self.database.read() as session:
            known = {state.name: state.next_at for state in session.scalars(select(JobState))}
        fresh = [job for job in self.jobs.values() if job.name not in known]
        # Planned under a clock that has been set back since: it would wait for that day.
        beyond = [
            job
            for job in self.jobs.values()
            if job.name in known and known[job.name] > job.next_after(now)
        ]
        if fresh or beyond:
            with self.database.write() as session:
                for job in fresh:
                    due = now if job.at_start else job.next_after(now)
                    known[job.name] = due
                    session.add(JobState(name=job.name, next_at=due))
                for job in beyond:
                    known[job.name] = job.next_after(now)
                    session.get_one(JobState, job.name).next_at = known[job.name]
        return [name for name in self.jobs if known[name] <= now]

    def _run_one(self, job: Job) -> None:
        started = clock.now()
        self._write(job.name, started_at=started, next_at=job.next_after(started))
        error = None
        try:
            job.run()
        except Exception as failure:
            error = str(failure) or type(failure).__name__
            log.exception("The job %s failed.", job.name)
        self._write(job.name, finished_at=clock.now(), ok=error is None, error=error)

    def _write(self, name: str, **values: object) -> None:
        with self.database.write() as session:
            session.execute(update(JobState).where(JobState.name == name).values(**values))


def job_states(database: Database) -> dict[str, JobState]:
    """Return how every job stands, by name."""
    with database.read() as session:
        return {state.name: state for state in session.scalars(select(JobState))}
