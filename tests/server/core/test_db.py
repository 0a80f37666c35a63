"""Transactions: readers read one moment and cannot write, writers lose nothing."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm.exc import StaleDataError

from server.core.after_commit import after_commit
from server.core.db import Database
from server.users.models import ApiToken, SeatCounter, SignInFailure, User
from server.users.rules import Role, UserKind, UserStatus
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


def test_sqlite_is_opened_for_many_processes(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }

    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "synchronous": 1,
    }


def test_a_writer_of_sqlite_holds_its_place_from_the_start(sqlite_database: Database) -> None:
    """BEGIN IMMEDIATE: a second writer waits before it has read anything that may grow old."""
    impatient = Database(sqlite_database.url)
    with sqlite_database.write() as session:
        session.execute(select(SeatCounter))
        with impatient.engine.connect() as other, pytest.raises(OperationalError, match="locked"):
            other.connection.cursor().execute("PRAGMA busy_timeout = 1")
            other.begin()
    impatient.dispose()


def test_a_key_that_leads_nowhere_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(ApiToken(token_hash="x", hint="x", name="x", user_id=999))


def test_a_record_in_use_cannot_be_removed(database: Database) -> None:
    with database.write() as session:
        user = User(
            display_name="Anna", role=Role.SALES, kind=UserKind.HUMAN, status=UserStatus.FORMER
        )
        session.add(user)
        session.flush()
        session.add(ApiToken(token_hash="x", hint="x", name="x", user_id=user.id))

    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(delete(User))


def test_a_moment_keeps_its_zone_and_a_naive_one_is_refused(database: Database) -> None:
    moment = datetime(2026, 3, 20, 23, 59, 59, 123456, tzinfo=ZoneInfo("Asia/Tehran"))
    with database.write() as session:
        session.add(SignInFailure(email_key="x", at=moment))
    with database.read() as session:
        kept = session.scalars(select(SignInFailure.at)).one()

    assert kept == moment
    assert kept.tzinfo == UTC
    with pytest.raises(StatementError), database.write() as session:
        session.add(SignInFailure(email_key="x", at=datetime(2026, 1, 1)))  # noqa: DTZ001 - on purpose


def test_a_change_of_an_old_version_is_refused(database: Database) -> None:
    with database.write() as session:
        session.add(
            User(
                display_name="Anna", role=Role.SALES, kind=UserKind.HUMAN, status=UserStatus.FORMER
            )
        )
    slow = database.open(write=False)
    read = slow.scalars(select(User)).one()
    slow.close()
    with database.write() as session:
        session.scalars(select(User)).one().display_name = "Anna B."

    with pytest.raises(StaleDataError), database.write() as session:
        session.add(read)
        read.display_name = "Anna C."
