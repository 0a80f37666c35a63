"""Transactions: readers read one moment and cannot write, writers lose nothing."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from server.core.after_commit import after_commit
from server.core.db import Database
from server.users.models import SeatCounter
from server.users.rules import UserKind
from tests.support.racing import race


def _count_up(url: str, times: int) -> None:
    database = Database(url)
    for _turn in range(times):
        with database.write() as session:
            counter = session.get_one(SeatCounter, UserKind.HUMAN, with_for_update=True)
            counter.used += 1
    database.dispose()


def test_no_update_is_lost_between_racing_processes(database: Database) -> None:
    with database.write() as session:
        session.add(SeatCounter(kind=UserKind.HUMAN, used=0, cap=1_000, ceiling=1_000))

    race(database, _count_up, [(database.url, 50)] * 4)

    with database.read() as session:
        assert session.scalar(select(SeatCounter.used)) == 200


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseError), database.read() as session:
        session.execute(update(SeatCounter).values(used=0))


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.write() as session:
        session.add(SeatCounter(kind=UserKind.HUMAN, used=0, cap=5, ceiling=5))
    with database.read() as reader:
        before = reader.scalar(select(SeatCounter.used))
        with database.write() as writer:
            writer.execute(update(SeatCounter).values(used=3))
        after = reader.scalar(text("SELECT used FROM seat_counters"))

    assert (before, after) == (0, 0)


def test_nothing_runs_after_a_rollback(database: Database) -> None:
    ran: list[str] = []
    with database.write() as session:
        after_commit(session, lambda: ran.append("kept"))

    def fail_half_way() -> None:
        with database.write() as session:
            after_commit(session, lambda: ran.append("lost"))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail_half_way()

    assert ran == ["kept"]


def test_the_database_itself_refuses_a_seat_above_the_ceiling(database: Database) -> None:
    with pytest.raises(DatabaseError), database.write() as session:
        session.add(SeatCounter(kind=UserKind.HUMAN, used=6, cap=5, ceiling=5))
