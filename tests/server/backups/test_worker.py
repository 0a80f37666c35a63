"""By the clock: made every day, proved, thinned out; killed processes are found out; nobody does it twice."""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import pytest
import time_machine
from sqlalchemy import select, text

from backup import run as run_module
from backup.plan import Kind, Stage
from server.backups import queries
from server.backups.models import BackupRun
from server.backups.rules import Action, RunState
from server.backups.runs import Wish, ask
from server.backups.worker import Worker
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Conflict
from server.core.listing import ListQuery
from server.core.schedule import Job, Scheduler, daily
from tests.server.backups.home import Home
from tests.support.racing import race

PATIENCE_S = 60


def worker(home: Home) -> Worker:
    return Worker(home.office, home.database)


def log(home: Home) -> list[tuple[Action, RunState]]:
    with home.database.read() as session:
        rows = session.scalars(select(BackupRun).order_by(BackupRun.id))
        return [(row.action, row.state) for row in rows]


def put_in_queue(home: Home, wish: Wish) -> int:
    with home.database.write(SYSTEM) as session:
        return ask(session, SYSTEM, wish).id


def test_the_daily_backup_is_made_once_a_day_and_made_up_for_after_a_downtime(
    sqlite_home: Home,
) -> None:
    made = worker(sqlite_home)
    job = Job("backups.daily", daily("02:15", "UTC"), made.ask_daily)
    scheduler = Scheduler(sqlite_home.database, [job])
    with time_machine.travel(datetime(2026, 11, 20, 1, 0, tzinfo=UTC), tick=False) as clock:
        assert scheduler.run_due() == []
        clock.shift(timedelta(days=3))  # switched off over the weekend
        assert scheduler.run_due() == ["backups.daily"]
        made.work_off()
        assert scheduler.run_due() == []
        clock.shift(timedelta(hours=2))
        assert scheduler.run_due() == ["backups.daily"]
        made.work_off()

    assert (
        log(sqlite_home)
        == [
            (Action.RUN, RunState.DONE),
            (Action.VERIFY, RunState.DONE),
            (Action.PRUNE, RunState.DONE),
        ]
        * 2
    )
    kinds = {item.kind for item in sqlite_home.office.items(SYSTEM)}
    assert kinds == {Kind.DAILY}


def test_a_thread_of_its_own_does_the_work(home: Home) -> None:
    put_in_queue(home, Wish(Action.RUN, Kind.MANUAL))
    made = worker(home)

    made.keep_going()
    deadline = time.monotonic() + PATIENCE_S
    while len(log(home)) < 3 or log(home)[-1][1] is not RunState.DONE:
        assert time.monotonic() < deadline, log(home)
        time.sleep(0.05)

    with home.database.read() as session:
        light = queries.backup_light(session, home.cast.root)
    assert (light.level, light.url) == ("green", "/backups")


def test_a_backup_that_fails_its_proof_lets_nothing_go(sqlite_home: Home) -> None:
    with sqlite_home.database.write() as session:
        session.execute(text("UPDATE users SET status = 'deactivated' WHERE role = 'admin'"))
    put_in_queue(sqlite_home, Wish(Action.RUN, Kind.DAILY))

    worker(sqlite_home).work_off()

    assert log(sqlite_home) == [(Action.RUN, RunState.DONE), (Action.VERIFY, RunState.FAILED)]
    with sqlite_home.database.read() as session:
        light = queries.backup_light(session, sqlite_home.cast.root)
        (found,) = queries.recent_runs(session, sqlite_home.cast.root)[:1]
    assert light.level == "red"
    assert "Nobody in this backup can sign in as an administrator" in found.outcome


def test_what_goes_wrong_is_kept_in_words_and_turns_the_light(sqlite_home: Home) -> None:
    (sqlite_home.settings.home / "daftar.toml").unlink()
    put_in_queue(sqlite_home, Wish(Action.RUN, Kind.DAILY))

    worker(sqlite_home).work_off()

    with sqlite_home.database.read() as session:
        light = queries.backup_light(session, sqlite_home.cast.root)
    assert log(sqlite_home) == [(Action.RUN, RunState.FAILED)]
    assert light.level == "amber"
    assert "daftar.toml is missing" in light.text


@pytest.mark.parametrize("stage", [Stage.DATABASE, Stage.PUBLISH])
def test_a_killed_worker_is_found_out_and_the_next_run_succeeds(
    sqlite_home: Home, stage: Stage
) -> None:
    home = sqlite_home
    put_in_queue(home, Wish(Action.RUN, Kind.DAILY))
    home.database.dispose()

    def work() -> None:
        there = Home(home.settings, Database(home.database.url), home.cast, home.shown_once)
        real = run_module.back_up

        def dying(*words: object, **more: object) -> object:
            def tell(now: Stage, _done: int, _total: int) -> None:
                if now is stage:
                    os.kill(os.getpid(), signal.SIGKILL)

            return real(*words, **{**more, "progress": tell})  # type: ignore[arg-type] # passed on

        run_module.back_up = dying  # type: ignore[assignment] # in this process only
        worker(there).work_off()

    process = get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert log(home) == [(Action.RUN, RunState.RUNNING)]

    made = worker(home)
    made.keep_going()
    assert log(home) == [(Action.RUN, RunState.INTERRUPTED)]
    assert home.office.items(SYSTEM) == []
    put_in_queue(home, Wish(Action.RUN, Kind.DAILY))
    made.work_off()
    assert log(home)[1:] == [
        (Action.RUN, RunState.DONE),
        (Action.VERIFY, RunState.DONE),
        (Action.PRUNE, RunState.DONE),
    ]


def test_a_run_is_taken_once_also_when_two_reach_for_it(home: Home) -> None:
    number = put_in_queue(home, Wish(Action.PRUNE))

    def take() -> str:
        there = Database(home.database.url)
        office = Home(home.settings, there, home.cast, home.shown_once).office
        try:
            office.prune(SYSTEM, queued=number)
        except Conflict as refusal:
            return refusal.code
        finally:
            there.dispose()
        return "done"

    assert race(home.database, take, [()] * 3).count("done") == 1
    assert log(home) == [(Action.PRUNE, RunState.DONE)]


def test_the_same_wish_waits_once_also_when_many_ask_at_once(home: Home) -> None:
    def wish() -> int:
        there = Database(home.database.url)
        with there.write(SYSTEM) as session:
            number = ask(session, SYSTEM, Wish(Action.RUN, Kind.MANUAL)).id
        there.dispose()
        return number

    assert len(set(race(home.database, wish, [()] * 4))) == 1
    assert log(home) == [(Action.RUN, RunState.QUEUED)]


def test_the_mirror_follows_what_somebody_changed_on_the_disk(home: Home) -> None:
    first, second = (home.office.run(SYSTEM, Kind.MANUAL).id for _ in range(2))
    home.store.remove(first)
    (home.store.sets / second / "manifest.sig").write_bytes(b"x" * 64)

    worker(home).look()

    with home.database.read() as session:
        (found,) = queries.list_sets(session, home.cast.root, ListQuery()).items
    assert (found.name, found.state.value, found.kind) == (second, "failed", None)
