"""The heartbeat of devices: gathered in memory, told once a minute, in a time that no clock setting moves."""

import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy.exc import OperationalError

from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.users.models import UserSighting, WebSession
from server.users.presence import Presence
from server.users.rules import Seats
from server.users.slots import connect
from tests.server.conftest import Cast
from tests.server.users.devices import (
    RunningTime,
    arrive,
    counter,
    house,
    id_of,
    is_connected,
    running_time,
    sell,
)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give one kind of database; test_slots.py shows the heartbeat on both."""
    return sqlite_database


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Give the running time, which stands still until the test lets it pass."""
    with running_time(monkeypatch) as found:
        yield found


def begun(database: Database) -> Presence:
    """Return what a web process has, after its first beat."""
    presence = Presence(database)
    presence.beat()
    return presence


def minutes(presence: Presence, time: RunningTime, count: int, *alive: int) -> None:
    """Let minutes pass, in each of which these devices are heard of."""
    for _minute in range(count):
        time.pass_minutes(1)
        for device in alive:
            presence.saw(1, device)
        presence.beat()


def test_a_device_that_is_heard_of_stays_and_a_silent_one_makes_room_after_15_minutes(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    sell(database, 2)
    anna, ben = arrive(database, cast.anna), arrive(database, cast.ben)
    presence = begun(database)

    minutes(presence, time, 14, id_of(database, anna))
    before = house(database)[0].used
    minutes(presence, time, 2, id_of(database, anna))

    assert (before, house(database)[0].used) == (2, 1)
    assert is_connected(database, anna)
    assert not is_connected(database, ben)


def test_whoever_was_silent_comes_in_again_while_there_is_room(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    sell(database, 1)
    anna = id_of(database, arrive(database, cast.anna))
    presence = begun(database)
    minutes(presence, time, 16)

    with database.write(SYSTEM) as session:
        came_in = connect(session, anna, is_admin=False)

    assert came_in
    assert house(database) == (Seats(1, 1), 0)


def test_a_full_house_frees_what_is_silent_before_it_refuses(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    sell(database, 1)
    arrive(database, cast.anna)
    presence = begun(database)
    minutes(presence, time, 14)
    with database.write(SYSTEM) as session:  # the running time went on, and nobody has swept yet
        session.query(WebSession).update({"seen_s": WebSession.seen_s - 60})

    assert is_connected(database, arrive(database, cast.ben))
    assert house(database) == (Seats(1, 1), 0)


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=-365), timedelta(hours=3)])
def test_a_jump_of_the_wall_clock_neither_frees_nor_holds_a_slot(
    database: Database, cast: Cast, time: RunningTime, jump: timedelta
) -> None:
    sell(database, 2)
    anna, ben = (id_of(database, arrive(database, who)) for who in (cast.anna, cast.ben))
    presence = begun(database)
    minutes(presence, time, 5, anna, ben)

    with time_machine.travel(clock.now() + jump, tick=False):
        minutes(presence, time, 5, anna)
        kept = house(database)[0].used
        minutes(presence, time, 11, anna)
        after = house(database)[0].used

    assert (kept, after) == (2, 1)


def test_two_processes_count_the_same_time_once(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    arrive(database, cast.anna)
    first, second = begun(database), begun(database)
    start = counter(database).running_s
    for _minute in range(10):
        time.pass_minutes(1)
        for presence in (first, second):
            presence.saw(cast.anna.user_id or 0)
            presence.beat()

    assert counter(database).running_s - start == 600


def test_parts_of_a_second_are_not_lost(database: Database, cast: Cast, time: RunningTime) -> None:
    arrive(database, cast.anna)
    presence = begun(database)
    start = counter(database).running_s
    for _beat in range(20):
        time.seconds += 1.5
        presence.saw(cast.anna.user_id or 0)
        presence.beat()

    assert counter(database).running_s - start == 30


def test_after_a_night_without_a_server_nobody_holds_a_slot(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    sell(database, 1)
    arrive(database, cast.anna)
    minutes(begun(database), time, 1)

    with time_machine.travel(clock.now() + timedelta(hours=9), tick=False):
        begun(database)

    assert house(database) == (Seats(0, 1), 0)


def test_a_restart_of_a_minute_disconnects_nobody(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    sell(database, 1)
    anna = arrive(database, cast.anna)
    minutes(begun(database), time, 1)

    with time_machine.travel(clock.now() + timedelta(seconds=90), tick=False):
        begun(database)

    assert is_connected(database, anna)


def test_while_nobody_is_connected_nothing_is_written(
    database: Database, time: RunningTime
) -> None:
    presence = begun(database)
    with database.engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        time.pass_minutes(30)
        presence.beat()
        after = connection.exec_driver_sql("PRAGMA data_version").scalar()

    assert before == after


def test_who_comes_after_an_idle_night_is_not_taken_for_silent(
    database: Database, cast: Cast, time: RunningTime
) -> None:
    sell(database, 1)
    presence = begun(database)
    minutes(presence, time, 40)
    anna = arrive(database, cast.anna)

    minutes(presence, time, 1)

    assert is_connected(database, anna)


def test_what_could_not_be_written_is_told_with_the_next_beat(
    database: Database, cast: Cast, time: RunningTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    presence = begun(database)
    presence.saw(cast.anna.user_id or 0)
    with monkeypatch.context() as away:
        away.setattr(presence, "database", Database("sqlite://"))
        with pytest.raises(OperationalError, match="no such table"):
            presence.beat()
    presence.beat()

    with database.read() as session:
        assert session.get(UserSighting, cast.anna.user_id) is not None


def test_a_device_that_comes_back_late_is_told_of_at_once(database: Database, cast: Cast) -> None:
    anna = id_of(database, arrive(database, cast.anna))
    presence, stop = Presence(database), threading.Event()
    presence.beat()
    told = threading.Event()
    beat = presence.beat

    def watched() -> None:
        beat()
        with database.read() as session:
            if session.get(UserSighting, cast.anna.user_id) is not None:
                told.set()

    presence.beat = watched  # type: ignore[method-assign] # to know when it has run
    keeper = threading.Thread(target=presence.keep, args=(stop,), daemon=True)
    keeper.start()
    presence.saw(cast.anna.user_id or 0, anna, seen_s=-3_600)

    assert told.wait(20)
    stop.set()
    presence.saw(cast.anna.user_id or 0, anna, seen_s=-3_600)
    keeper.join(20)
    assert not keeper.is_alive()
