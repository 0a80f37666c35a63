"""The lists of seats and their history on PostgreSQL: the same questions, the same answers."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.listing import Filter
from server.users import holders, seat_history
from server.users.holders import SeatKind
from tests.server.conftest import Cast
from tests.server.users.devices import arrive, sell
from tests.server.users.test_holders import TODAY, days, list_of, note, some_of_every_kind


@pytest.fixture
def database(postgres_database: Database) -> Database:
    """Give a PostgreSQL database."""
    return postgres_database


def test_lists_days_and_corrections_are_told_on_postgresql(database: Database, cast: Cast) -> None:
    some_of_every_kind(database, cast)
    sell(database, 2)
    for who in (cast.anna, cast.guest, cast.anna, cast.root):
        arrive(database, who)
    note(database, TODAY)
    note(database, TODAY + timedelta(days=1))
    with database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET used = 1"))
        found = seat_history.count_anew(session)
        seat_history.forget_old_days(session, TODAY)

    for kind in SeatKind:
        yes = list_of(database, cast, kind, filters=(Filter("counts", "eq", "yes"),))
        no = list_of(database, cast, kind, filters=(Filter("counts", "eq", "no"),))
        with database.read() as session:
            assert len(yes) == holders.seats_of(session, kind).used
        assert len(yes) + len(no) == len(list_of(database, cast, kind))
    assert len(list_of(database, cast, SeatKind.CONCURRENT, q="anna")) == 2
    assert [day[0] for day in days(database)] == [TODAY, TODAY + timedelta(days=1)]
    assert found == {"concurrent": 1}
    with database.read() as session:
        assert len(seat_history.corrections(session, clock.now())) == 1
