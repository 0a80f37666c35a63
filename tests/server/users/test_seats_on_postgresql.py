"""Seats on PostgreSQL, where an account may change between its reading and the lock of the counter.

SQLite lets the second writer begin only when the first has ended, so nothing is old there.
"""

import pytest

from server.core.db import Database
from server.users.queries import get_user, seats
from server.users.rules import UserStatus
from server.users.service import deactivate_user, reactivate_user
from tests.server.conftest import Cast


@pytest.fixture
def database(postgres_database: Database) -> Database:
    """Give a PostgreSQL database."""
    return postgres_database


def test_who_is_deactivated_twice_at_once_gives_one_seat_back(
    database: Database, cast: Cast
) -> None:
    anna = cast.anna.user_id or 0
    with database.read() as session:
        before = seats(session).used

    with database.write(cast.root) as session:
        seen = get_user(session, cast.root, anna)  # as the second click does
        with database.write(cast.root) as other:
            deactivate_user(other, cast.root, anna)
        deactivate_user(session, cast.root, anna)
        assert seen.status is UserStatus.DEACTIVATED

    with database.read() as session:
        assert seats(session).used == before - 1


def test_who_is_let_in_again_twice_at_once_takes_one_seat(database: Database, cast: Cast) -> None:
    anna = cast.anna.user_id or 0
    with database.write(cast.root) as session:
        deactivate_user(session, cast.root, anna)
        before = seats(session).used

    with database.write(cast.root) as session:
        seen = get_user(session, cast.root, anna)
        with database.write(cast.root) as other:
            reactivate_user(other, cast.root, anna)
        reactivate_user(session, cast.root, anna)
        assert seen.status is UserStatus.ACTIVE

    with database.read() as session:
        assert seats(session).used == before + 1
