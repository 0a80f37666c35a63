"""Slots on PostgreSQL, where a device may change between its reading and the lock of the counter.

SQLite lets the second writer begin only when the first has ended, so nothing is old there.
"""

import pytest

from server.core.actor import SYSTEM
from server.core.db import Database
from server.users.models import WebSession
from server.users.rules import SILENT_MINUTES, Seats, Slot
from server.users.sign_in import end_session
from server.users.slots import Beat, end_sign_ins, write_beat
from tests.server.conftest import Cast
from tests.server.users.devices import arrive, counter, house, id_of, sell


@pytest.fixture
def database(postgres_database: Database) -> Database:
    """Give a PostgreSQL database."""
    return postgres_database


def test_two_clicks_that_sign_one_device_out_free_one_slot(database: Database, cast: Cast) -> None:
    sell(database, 2)
    first, _second = arrive(database, cast.anna), arrive(database, cast.ben)

    with database.write(SYSTEM) as session:
        seen = session.get_one(WebSession, id_of(database, first))  # as whoever signs out does
        assert seen.slot is Slot.LICENSED
        with database.write(SYSTEM) as other:
            end_session(other, first)
        assert end_sign_ins(session, [seen]) == 0

    assert house(database) == (Seats(1, 2), 0)


def test_a_slot_that_the_sweep_freed_meanwhile_is_not_freed_again(
    database: Database, cast: Cast
) -> None:
    sell(database, 2)
    first = arrive(database, cast.anna)

    with database.write(SYSTEM) as session:
        seen = session.get_one(WebSession, id_of(database, first))
        _sweep_later(database, SILENT_MINUTES + 1)
        arrive(database, cast.ben)
        assert end_sign_ins(session, [seen]) == 1

    assert house(database) == (Seats(1, 2), 0)


def _sweep_later(database: Database, minutes: int) -> None:
    """Let another process find after so many minutes that nobody was heard of."""
    with database.write() as session:
        write_beat(session, Beat(counter(database).running_s, minutes * 60, {}, {}))
