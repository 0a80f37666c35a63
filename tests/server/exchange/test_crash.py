"""Killed, stopped and raced: no row is lost, none is written twice."""

import multiprocessing
import os
import signal
import threading
from dataclasses import replace

import pytest

from server.audit.service import watch
from server.core.actor import Actor
from server.core.db import Database
from server.core.entitlements import UNLIMITED, Entitlements, EntitlementsBoard
from server.core.errors import Interrupted
from server.exchange import run as running
from server.exchange import service, write
from server.exchange.desk import ImportDesk
from server.exchange.rules import ImportStatus
from server.exchange.run import Run, Workshop
from tests.server.exchange.conftest import HOLDER, Desk

ROWS = 1_100
DEALS = "id,title,owner,stage,amount\n" + "".join(
    f"{number},Deal {number},Former {number % 3},Won,{number}\n" for number in range(ROWS)
)
SPAWN = multiprocessing.get_context("spawn")


def opened(workshop: Workshop) -> Workshop:
    """Return the workshop of another process on the same database."""
    database = Database(workshop.database.url)
    watch(database)
    return replace(workshop, database=database)


def parts(workshop: Workshop) -> tuple[str, Workshop]:
    """Return what can be handed to another process."""
    return workshop.database.url, replace(workshop, database=None)  # type: ignore[arg-type] # put back there


def work_and_wait_for_death(
    url: str, rest: Workshop, actor: Actor, import_id: int, ready: object
) -> None:
    """Stop for ever in the middle of the second batch, its rows written and not committed."""
    workshop = opened(replace(rest, database=Database(url)))
    keep = write.keep_rows
    done = []

    def keep_and_wait(*args: object) -> None:
        keep(*args)  # type: ignore[arg-type] # handed through
        done.append(1)
        if len(done) == 2:
            ready.set()  # type: ignore[attr-defined] # an event
            threading.Event().wait()

    vars(running)["keep_rows"] = keep_and_wait  # only in this process, which is about to die
    Run(workshop, actor, import_id, "jobs:dead").work()


def bring_all(url: str, rest: Workshop, actor: Actor, ready: object) -> None:
    """Import the whole file as soon as everybody is ready."""
    desk = Desk(opened(replace(rest, database=Database(url))), actor)
    ready.wait(240)  # type: ignore[attr-defined] # a barrier
    desk.bring("deals", DEALS)


def check_nothing_twice(desk: Desk) -> None:
    assert desk.count("deals") == ROWS
    assert desk.ask("SELECT count(*) FROM stage_moves") == [(ROWS,)]
    assert desk.ask("SELECT count(*) FROM users WHERE status = 'former'") == [(3,)]


def test_a_killed_run_is_gone_on_with_and_writes_nothing_twice(desk: Desk) -> None:
    import_id = desk.upload("deals", DEALS)
    with desk.database.write(desk.actor) as session:
        service.start_run(session, desk.actor, import_id, "jobs:dead")
    ready = SPAWN.Event()
    url, rest = parts(desk.workshop)
    process = SPAWN.Process(
        target=work_and_wait_for_death, args=(url, rest, desk.actor, import_id, ready)
    )
    process.start()
    assert ready.wait(240)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert (desk.look(import_id).done, desk.count("deals")) == (500, 500)

    board = EntitlementsBoard(UNLIMITED)
    ImportDesk(desk.workshop, board, lambda _session, _user: desk.actor).work()

    done = desk.look(import_id)
    assert done.status is ImportStatus.DONE
    assert done.counts == {"created": ROWS, "user": 3}
    assert len(desk.rows(import_id)) == ROWS
    check_nothing_twice(desk)


def test_two_imports_of_one_file_at_once_bring_it_once(desk: Desk) -> None:
    ready = SPAWN.Barrier(2)
    url, rest = parts(desk.workshop)
    racers = [
        SPAWN.Process(target=bring_all, args=(url, rest, desk.actor, ready)) for _no in range(2)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(300)

    assert [racer.exitcode for racer in racers] == [0, 0]
    found = desk.ask("SELECT outcome, count(*) FROM import_rows GROUP BY outcome ORDER BY outcome")
    assert found == [("created", ROWS), ("skipped", ROWS)]
    check_nothing_twice(desk)


def test_a_stopped_import_ends_after_a_whole_batch_and_can_be_gone_on_with(desk: Desk) -> None:
    import_id = desk.upload("deals", DEALS)
    with desk.database.write(desk.actor) as session:
        service.start_run(session, desk.actor, import_id, HOLDER)

    def stop(done: int, _rows: int) -> None:
        if done == 500:
            with desk.database.write(desk.actor) as session:
                service.stop(session, desk.actor, import_id)

    with pytest.raises(Interrupted):
        Run(desk.workshop, desk.actor, import_id, HOLDER).work(progress=stop)

    stopped = desk.look(import_id)
    assert (stopped.status, stopped.done, desk.count("deals")) == (ImportStatus.STOPPED, 500, 500)
    assert desk.run(import_id).counts == {"created": ROWS, "user": 3}
    check_nothing_twice(desk)


def test_the_desk_waits_while_the_licence_allows_no_writing(desk: Desk) -> None:
    import_id = desk.upload("deals", "title\nPump\n")
    with desk.database.write(desk.actor) as session:
        service.start_run(session, desk.actor, import_id)
    board = EntitlementsBoard(Entitlements(mode="read_only"))
    office = ImportDesk(desk.workshop, board, lambda _session, _user: desk.actor)

    office.work()
    waiting = desk.look(import_id).status
    board.publish(UNLIMITED)
    office.work()

    assert (waiting, desk.look(import_id).status) == (ImportStatus.RUNNING, ImportStatus.DONE)


def test_who_lost_the_right_to_import_ends_the_import_with_the_reason(desk: Desk) -> None:
    import_id = desk.upload("deals", "title\nPump\n")
    with desk.database.write(desk.actor) as session:
        service.start_run(session, desk.actor, import_id)
    nobody = Actor(desk.actor.user_id, "Root")

    ImportDesk(desk.workshop, EntitlementsBoard(UNLIMITED), lambda _session, _user: nobody).work()

    failed = desk.look(import_id)
    assert failed.status is ImportStatus.FAILED
    assert failed.error
    assert desk.count("deals") == 0


def test_a_lost_file_fails_the_import_and_says_so(desk: Desk) -> None:
    import_id = desk.upload("deals", "title\nPump\n")
    desk.workshop.files.path_of(desk.look(import_id).sha256).unlink()

    failed = desk.run(import_id)

    assert failed.status is ImportStatus.FAILED
    assert failed.sha256 in failed.error


def test_a_trial_that_fails_is_a_draft_again(desk: Desk) -> None:
    import_id = desk.upload("deals", "title\nPump\n")
    path = desk.workshop.files.path_of(desk.look(import_id).sha256)
    kept = path.read_bytes()
    path.unlink()

    failed = desk.attempt(import_id)

    assert failed.status is ImportStatus.DRAFT
    assert failed.error
    path.write_bytes(kept)
    assert desk.run(import_id).counts == {"created": 1}
