"""Slots of client devices (R-LIC-3): one for each user and device, held by the database under a rush."""

import multiprocessing
import os
import signal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.core.errors import NotFound
from server.users.models import User, WebSession
from server.users.presence import Presence
from server.users.queries import peak_devices
from server.users.rules import Seats, Slot
from server.users.service import deactivate_user, set_password
from server.users.sign_in import (
    Visitor,
    end_other_sign_ins,
    end_own_sign_in,
    end_session,
    open_session,
)
from server.users.slots import begin_peak, connect, end_device, reconcile_devices, set_device_cap
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
from tests.support.racing import race


def _arrive(url: str, user_id: int) -> bool:
    database = Database(url)
    try:
        secret = arrive(database, Actor(user_id, "Anna"))
        return is_connected(database, secret)
    finally:
        database.dispose()


def test_24_browsers_race_for_10_slots_and_exactly_10_get_in(
    database: Database, cast: Cast
) -> None:
    sell(database, 10)

    came_in = race(database, _arrive, [(database.url, cast.anna.user_id)] * 24)

    assert (came_in.count(True), came_in.count(False)) == (10, 14)
    assert house(database) == (Seats(10, 10), 0)


def _leave_and_come(url: str, secret: str, number: int) -> bool:
    database = Database(url)
    try:
        for _round in range(5):
            with database.write(SYSTEM) as session:
                end_session(session, secret)
            secret = arrive(database, Actor(number, "Anna"))
        return is_connected(database, secret)
    finally:
        database.dispose()


def test_whoever_comes_and_goes_at_once_leaves_a_right_count(
    database: Database, cast: Cast
) -> None:
    sell(database, 3)
    users = [cast.anna.user_id or 0, cast.ben.user_id or 0] * 3
    lanes = [(database.url, arrive(database, cast.anna), user) for user in users]

    race(database, _leave_and_come, lanes)

    counted, reserved = house(database)
    assert counted.used <= 3
    assert reserved == 0


def test_the_database_itself_refuses_one_too_many(database: Database, cast: Cast) -> None:
    sell(database, 1)
    arrive(database, cast.anna)

    with pytest.raises(IntegrityError), database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET used = used + 1"))
    with pytest.raises(IntegrityError), database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET reserved = 2"))


def test_one_user_on_one_device_takes_one_slot_however_often_it_signs_in(
    database: Database, cast: Cast
) -> None:
    sell(database, 5)
    first = arrive(database, cast.anna, "the shop's counter")
    number = id_of(database, first)
    again = arrive(database, cast.anna, "the shop's counter")

    assert house(database) == (Seats(1, 5), 0)
    assert id_of(database, again) == number
    with database.read() as session:
        assert session.query(WebSession).count() == 1


def test_two_users_on_one_device_and_one_user_on_two_take_two_slots(
    database: Database, cast: Cast
) -> None:
    sell(database, 5)
    for actor, device in ((cast.anna, "counter"), (cast.ben, "counter"), (cast.anna, "phone")):
        arrive(database, actor, device)

    assert house(database) == (Seats(3, 5), 0)


def _sign_in_on(url: str, user_id: int) -> bool:
    database = Database(url)
    try:
        arrive(database, Actor(user_id, "Anna"), "one browser")
    finally:
        database.dispose()
    return True


def test_two_clicks_on_the_sign_in_button_are_one_device(database: Database, cast: Cast) -> None:
    sell(database, 5)

    race(database, _sign_in_on, [(database.url, cast.anna.user_id)] * 4)

    assert house(database) == (Seats(1, 5), 0)


def test_who_follows_somebody_on_a_device_of_a_full_house_takes_over_the_slot(
    database: Database, cast: Cast
) -> None:
    sell(database, 1)
    annas = arrive(database, cast.anna, "counter")

    with database.write(SYSTEM) as session:
        ben = session.get_one(User, cast.ben.user_id)
        bens = open_session(session, ben, Visitor(secret="counter"), hours=12, replaces=annas)

    assert is_connected(database, bens)
    assert house(database) == (Seats(1, 1), 0)


def test_every_way_out_gives_the_slot_back(database: Database, cast: Cast) -> None:
    sell(database, 9)
    anna = {name: arrive(database, cast.anna) for name in ("out", "lost", "here", "other")}
    ben, guest = arrive(database, cast.ben), arrive(database, cast.guest)
    assert house(database)[0].used == 6
    counts = []
    for leave in (
        lambda session: end_session(session, anna["out"]),
        lambda session: end_own_sign_in(session, cast.anna, id_of(database, anna["lost"])),
        lambda session: end_other_sign_ins(session, cast.anna, anna["here"]),
        lambda session: end_device(session, cast.root, id_of(database, anna["here"])),
        lambda session: deactivate_user(session, cast.root, cast.ben.user_id or 0),
        lambda session: set_password(
            session, cast.guest, cast.guest.user_id or 0, "new-words-1404"
        ),
    ):
        with database.write(SYSTEM) as session:
            leave(session)
        counts.append(house(database)[0].used)

    assert counts == [5, 4, 3, 2, 1, 0]
    assert ben != guest


def test_a_full_house_lets_one_administrator_in_above_the_cap(
    database: Database, cast: Cast
) -> None:
    sell(database, 1)
    anna = arrive(database, cast.anna)
    ben, root, second = (arrive(database, who) for who in (cast.ben, cast.root, cast.root))

    came_in = [is_connected(database, secret) for secret in (anna, ben, root, second)]
    assert came_in == [True, False, True, False]
    assert house(database) == (Seats(1, 1), 1)


def test_the_reserved_slot_is_free_again_as_soon_as_there_is_room(
    database: Database, cast: Cast
) -> None:
    sell(database, 1)
    anna, root = arrive(database, cast.anna), arrive(database, cast.root)
    with database.write(SYSTEM) as session:
        end_session(session, anna)

    assert is_connected(database, root)
    assert house(database) == (Seats(1, 1), 0)


def test_a_lowered_cap_disconnects_nobody_and_lets_nobody_in(
    database: Database, cast: Cast
) -> None:
    sell(database, 3)
    inside = [arrive(database, who) for who in (cast.anna, cast.ben, cast.guest)]
    sell(database, 1)

    assert all(is_connected(database, secret) for secret in inside)
    assert house(database)[0] == Seats(3, 1)
    counts = []
    for secret in inside:
        with database.write(SYSTEM) as session:
            end_session(session, secret)
        counts.append(is_connected(database, late := arrive(database, cast.anna)))
        with database.write(SYSTEM) as session:
            end_session(session, late)

    assert counts == [False, False, True]


def test_a_raised_cap_lets_those_in_who_waited(database: Database, cast: Cast) -> None:
    sell(database, 1)
    arrive(database, cast.anna)
    waiting = id_of(database, arrive(database, cast.ben))
    sell(database, 2)

    with database.write(SYSTEM) as session:
        came_in = connect(session, waiting, is_admin=False)

    assert came_in
    assert house(database) == (Seats(2, 2), 0)


def test_before_a_licence_names_a_number_nobody_is_kept_out(database: Database, cast: Cast) -> None:
    secrets = [arrive(database, cast.root) for _number in range(4)]

    assert all(is_connected(database, secret) for secret in secrets)
    sell(database, 2)
    assert house(database)[0] == Seats(4, 2)


def test_the_peak_lasts_until_the_vendor_has_heard_of_it(database: Database, cast: Cast) -> None:
    sell(database, 9)
    secrets = [arrive(database, cast.anna) for _number in range(3)]
    with database.write(SYSTEM) as session:
        end_session(session, secrets[0])
    with database.read() as session:
        before = peak_devices(session)
    with database.write(SYSTEM) as session:
        begin_peak(session)
    with database.read() as session:
        after = peak_devices(session)

    assert (before, after) == (3, 2)


def test_nobody_ends_the_device_of_somebody_else_but_who_manages_users(
    database: Database, cast: Cast
) -> None:
    annas = id_of(database, arrive(database, cast.anna))

    for stranger in (cast.ben, cast.guest):
        with pytest.raises(NotFound), database.write(stranger) as session:
            end_device(session, stranger, annas)
    with database.write(cast.root) as session:
        end_device(session, cast.root, annas)
    with pytest.raises(NotFound), database.write(cast.root) as session:
        end_device(session, cast.root, annas)

    assert house(database)[0].used == 0


def test_a_planted_difference_is_found_and_mended(database: Database, cast: Cast) -> None:
    sell(database, 5)
    for who in (cast.anna, cast.ben):
        arrive(database, who)
    with database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET used = 5, reserved = 1"))
    with database.write(SYSTEM) as session:
        found = reconcile_devices(session)
    with database.write(SYSTEM) as session:
        again = reconcile_devices(session)

    assert found == {Slot.LICENSED: -3, Slot.RESERVED: -1}
    assert again == {}
    assert house(database) == (Seats(2, 5), 0)


def test_a_counter_that_is_too_low_is_mended_above_the_cap(database: Database, cast: Cast) -> None:
    sell(database, 2)
    for who in (cast.anna, cast.ben):
        arrive(database, who)
    with database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET used = 0"))
        set_device_cap(session, 1)
    with database.write(SYSTEM) as session:
        found = reconcile_devices(session)

    assert found == {Slot.LICENSED: 2}
    assert house(database)[0] == Seats(2, 1)
    assert counter(database).ceiling == 2


def _hold_and_die(url: str, actor_id: int) -> None:
    database = Database(url)
    presence = Presence(database)
    presence.beat()
    for _device in range(2):
        secret = arrive(database, Actor(actor_id, "Anna"))
        presence.saw(actor_id, id_of(database, secret))
    os.kill(os.getpid(), signal.SIGKILL)


def test_slots_of_a_killed_process_are_free_after_15_silent_minutes(
    database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_time(monkeypatch) as time:
        _die_and_wait(database, cast, time)


def _die_and_wait(database: Database, cast: Cast, time: RunningTime) -> None:
    sell(database, 2)
    database.dispose()
    child = multiprocessing.get_context("fork").Process(
        target=_hold_and_die, args=(database.url, cast.anna.user_id)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert house(database) == (Seats(2, 2), 0)
    survivor = Presence(database)
    survivor.beat()
    ben = arrive(database, cast.ben)
    shut_out = is_connected(database, ben)

    for _minute in range(16):
        time.pass_minutes(1)
        survivor.beat()
    with database.write(SYSTEM) as session:
        came_in = connect(session, id_of(database, ben), is_admin=False)

    assert (shut_out, came_in) == (False, True)
    assert house(database) == (Seats(1, 2), 0)
