"""Work by the clock: one scheduler, nothing lost to a kill, missed times made up for."""

import multiprocessing
import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from server.core import clock
from server.core.db import Database
from server.core.schedule import (
    Job,
    JobState,
    Lease,
    Scheduler,
    SchedulerLease,
    daily,
    every,
    job_states,
)


def _hold_for_ever(url: str, ready: "multiprocessing.synchronize.Event") -> None:
    Lease(Database(url)).hold()
    ready.set()
    threading.Event().wait()


def test_only_one_of_two_schedulers_holds_the_lease(database: Database) -> None:
    first, second = Lease(database), Lease(database)

    assert [first.hold(), second.hold(), first.hold()] == [True, False, True]


def test_a_released_lease_is_free_at_once(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    first.hold()

    first.release()

    assert second.hold()


def test_a_killed_scheduler_is_followed_when_its_lease_ends(database: Database) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_hold_for_ever, args=(database.url, ready))
    process.start()
    assert ready.wait(60)

    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    successor = Lease(database)

    assert not successor.hold()
    with database.write() as session:
        session.execute(
            update(SchedulerLease).values(expires_at=clock.now() - timedelta(seconds=1))
        )
    assert successor.hold()


def test_a_job_runs_when_it_is_due_and_not_before(database: Database) -> None:
    ran: list[datetime] = []
    job = Job("count", every(timedelta(minutes=5)), lambda: ran.append(clock.now()))
    scheduler = Scheduler(database, [job])

    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as time:
        scheduler.run_due()
        time.shift(timedelta(minutes=4))
        scheduler.run_due()
        before = len(ran)
        time.shift(timedelta(minutes=2))
        scheduler.run_due()

    assert (before, len(ran)) == (0, 1)


def test_a_day_missed_while_the_server_was_off_is_made_up_for_once(database: Database) -> None:
    ran: list[datetime] = []
    job = Job("backup", daily("02:15", "Asia/Tehran"), lambda: ran.append(clock.now()))

    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as time:
        Scheduler(database, [job]).run_due()
        time.shift(timedelta(days=3))
        Scheduler(database, [job]).run_due()
        Scheduler(database, [job]).run_due()

    assert len(ran) == 1


def test_a_failing_job_is_kept_with_its_reason_and_the_next_one_runs(database: Database) -> None:
    def fail() -> None:
        raise OSError("The disk is full.")

    ran: list[str] = []
    jobs = [
        Job("bad", every(timedelta(hours=1)), fail, at_start=True),
        Job("good", every(timedelta(hours=1)), lambda: ran.append("good"), at_start=True),
    ]

    Scheduler(database, jobs).run_due()

    states = job_states(database)
    assert (states["bad"].ok, states["bad"].error) == (False, "The disk is full.")
    assert ran == ["good"]
    assert isinstance(states["good"], JobState)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 6, 1, 22, 44, tzinfo=UTC), datetime(2026, 6, 1, 22, 45, tzinfo=UTC)),
        (datetime(2026, 6, 1, 22, 45, tzinfo=UTC), datetime(2026, 6, 2, 22, 45, tzinfo=UTC)),
    ],
)
def test_a_daily_job_is_due_at_the_local_time_of_day(now: datetime, due: datetime) -> None:
    assert daily("02:15", "Asia/Tehran")(now) == due


def test_a_clock_that_stood_in_2099_stops_no_job_and_no_scheduler(database: Database) -> None:
    ran: list[datetime] = []
    jobs = [
        Job("often", every(timedelta(minutes=5)), lambda: ran.append(clock.now())),
        Job("nightly", daily("02:15", "Asia/Tehran"), lambda: ran.append(clock.now())),
    ]
    with time_machine.travel(datetime(2099, 1, 1, tzinfo=UTC), tick=False) as time:
        Scheduler(database, jobs).run_due()
        time.move_to(datetime(2026, 1, 1, tzinfo=UTC))
        Scheduler(database, jobs).run_due()
        before = list(ran)
        time.shift(timedelta(minutes=5))
        Scheduler(database, jobs).run_due()
        time.shift(timedelta(days=1))
        Scheduler(database, jobs).run_due()

    assert before == []
    assert len(ran) == 3
