"""The seat cap (R-LIC-3): held by the database, also when many processes arrive at once."""

import pytest

from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.core.errors import Conflict, NotLicensed
from server.core.passwords import set_cost
from server.users.queries import count_seats, seats
from server.users.rules import Role, Seats, UserDraft, UserKind, UserStatus
from server.users.service import (
    ProfileChange,
    change_user,
    create_user,
    deactivate_user,
    former_user,
    reactivate_user,
    reconcile_seats,
    set_seat_caps,
)
from server.users.sign_in import actor_for
from tests.server.conftest import Cast
from tests.support.racing import race


def draft(number: int, *, status: UserStatus = UserStatus.ACTIVE) -> UserDraft:
    return UserDraft(f"user{number}@example.com", f"User {number}", Role.SALES, status=status)


def _arrive(url: str, number: int) -> bool:
    set_cost(memory_kib=64, rounds=1)
    database = Database(url)
    try:
        with database.write(SYSTEM) as session:
            create_user(session, SYSTEM, draft(number))
    except NotLicensed:
        return False
    else:
        return True
    finally:
        database.dispose()


def test_24_parallel_arrivals_at_a_cap_of_10_leave_exactly_10(database: Database) -> None:
    with database.write() as session:
        set_seat_caps(session, {UserKind.HUMAN: 10})

    came_in = race(database, _arrive, [(database.url, number) for number in range(24)])

    with database.read() as session:
        assert (came_in.count(True), came_in.count(False)) == (10, 14)
        assert count_seats(session) == 10
        assert seats(session) == Seats(10, 10)


def _depose(url: str, actor: Actor, other: int) -> bool:
    database = Database(url)
    try:
        with database.write(actor) as session:
            deactivate_user(session, actor, other)
    except Conflict:
        return False
    else:
        return True
    finally:
        database.dispose()


def test_of_two_administrators_who_remove_each_other_one_stays(
    database: Database, cast: Cast
) -> None:
    with database.write(SYSTEM) as session:
        second = actor_for(
            change_user(session, SYSTEM, cast.anna.user_id or 0, ProfileChange(role=Role.ADMIN))
        )
    lanes = [(cast.root, second.user_id), (second, cast.root.user_id)]

    removed = race(database, _depose, [(database.url, *lane) for lane in lanes])

    assert sorted(removed) == [False, True]  # type: ignore[type-var] # truths


def test_the_refusal_names_the_cap_and_the_way_out(database: Database, cast: Cast) -> None:
    with database.write() as session:
        set_seat_caps(session, {UserKind.HUMAN: 4})

    with (
        pytest.raises(NotLicensed, match="covers 4 active users") as refusal,
        database.write() as session,
    ):
        create_user(session, cast.root, draft(1))

    assert refusal.value.code == "seats_exhausted"


def test_invited_deactivated_and_former_users_take_no_seat(database: Database, cast: Cast) -> None:
    with database.write() as session:
        create_user(session, cast.root, draft(1, status=UserStatus.INVITED))
        former_user(session, cast.root, "Somebody Who Left")
        deactivate_user(session, cast.root, cast.ben.user_id or 0)

    with database.read() as session:
        assert seats(session).used == count_seats(session) == 3


def test_a_lowered_cap_throws_nobody_out_and_lets_nobody_in(database: Database, cast: Cast) -> None:
    with database.write() as session:
        deactivate_user(session, cast.root, cast.ben.user_id or 0)
        set_seat_caps(session, {UserKind.HUMAN: 2})

    with pytest.raises(NotLicensed), database.write() as session:
        reactivate_user(session, cast.root, cast.ben.user_id or 0)
    with database.write() as session:
        deactivate_user(session, cast.root, cast.anna.user_id or 0)

    with database.read() as session:
        assert seats(session) == Seats(2, 2)


def test_a_reconcile_reports_and_mends_a_wrong_counter(database: Database, cast: Cast) -> None:
    from sqlalchemy import update

    from server.users.models import SeatCounter

    with database.write() as session:
        session.execute(
            update(SeatCounter).where(SeatCounter.kind == UserKind.HUMAN).values(used=1)
        )
    with database.write() as session:
        found = reconcile_seats(session)

    assert found == {UserKind.HUMAN: 3}
    with database.read() as session:
        assert seats(session).used == 4
