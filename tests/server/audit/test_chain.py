"""The seal over the trail: what was changed past Daftar is found, what only waits is no damage."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from server.audit.chain import (
    erase_values,
    seal,
    seal_all,
    verify,
    verify_and_remember,
)
from server.audit.models import AuditEntry, TrailHead
from server.audit.queries import history_of, seal_state
from server.audit.rules import Break, Fault, Trail
from server.audit.service import note
from server.core import ledger
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Broken
from tests.server.conftest import Cast
from tests.support.racing import race


def write(database: Database, count: int, *, record_id: int = 1) -> None:
    with database.write(SYSTEM) as session:
        for number in range(count):
            changes = {"name": ["Sara", f"Sara {number}"], "amount": [1, 2.0], "list": [[], ["x"]]}
            note(session, SYSTEM, "update", kind="person", record_id=record_id, changes=changes)


def looked_at(database: Database) -> Trail:
    with database.read() as session:
        return verify(session)


@pytest.fixture
def sealed(database: Database) -> Database:
    """Give a database with seven sealed entries."""
    write(database, 7)
    assert seal_all(database) == 7
    return database


def test_a_sealed_trail_is_whole(sealed: Database) -> None:
    found = looked_at(sealed)

    assert (found.sealed, found.unsealed, found.whole) == (7, 0, True)


def test_what_waits_for_its_seal_is_no_damage(sealed: Database) -> None:
    write(sealed, 2)

    found = looked_at(sealed)

    assert (found.sealed, found.unsealed, found.whole) == (7, 2, True)


def test_an_empty_trail_is_whole(database: Database) -> None:
    assert looked_at(database).whole
    assert seal_all(database) == 0


def at(position: int) -> Callable[[Session], int]:
    return lambda session: session.scalars(
        select(AuditEntry.id).where(AuditEntry.position == position)
    ).one()


def set_values(place: int, **values: object) -> Callable[[Session], object]:
    return lambda session: session.execute(
        update(AuditEntry).where(AuditEntry.position == place).values(**values)
    )


def drop(position: int) -> Callable[[Session], object]:
    return lambda session: session.execute(
        delete(AuditEntry).where(AuditEntry.position == position)
    )


def swap(session: Session) -> None:
    first, second = at(2)(session), at(3)(session)
    for entry_id, position in ((first, 99), (second, 2), (first, 3)):
        session.execute(
            update(AuditEntry).where(AuditEntry.id == entry_id).values(position=position)
        )


def empty_in_silence(session: Session) -> None:
    set_values(5, changes={}, salt=None)(session)


DAMAGE: dict[str, tuple[Callable[[Session], object], Break]] = {
    "a value": (set_values(3, changes={"name": ["Sara", "Mina"]}), Break(3, Fault.CHANGED)),
    "the name of who did it": (set_values(4, user_name="Ben"), Break(4, Fault.CHANGED)),
    "who did it": (set_values(4, user_id=2), Break(4, Fault.MOVED)),
    "what was done": (set_values(2, action="create"), Break(2, Fault.MOVED)),
    "of which record": (set_values(2, record_id=9), Break(2, Fault.MOVED)),
    "an entry in the middle": (drop(3), Break(3, Fault.MISSING)),
    "the first entry": (drop(1), Break(1, Fault.MISSING)),
    "the newest entry": (drop(7), Break(7, Fault.MISSING)),
    "the seal of an entry": (
        set_values(3, position=None, link=None, digest=None),
        Break(3, Fault.MISSING),
    ),
    "the order": (swap, Break(2, Fault.MOVED)),
    "values without an erasure": (empty_in_silence, Break(5, Fault.EMPTIED)),
    "the salt alone": (set_values(5, salt=None), Break(5, Fault.CHANGED)),
}


@pytest.mark.parametrize(("damage", "found"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_change_past_daftar_is_found(
    sealed: Database, damage: Callable[[Session], object], found: Break
) -> None:
    with sealed.write() as session:
        damage(session)

    assert looked_at(sealed).broken == found


def test_a_moved_moment_is_found(sealed: Database) -> None:
    with sealed.write() as session:
        entry = session.get_one(AuditEntry, at(6)(session))
        entry.at = entry.at.replace(year=2001)

    assert looked_at(sealed).broken == Break(6, Fault.MOVED)


def test_the_nightly_look_says_where_the_trail_is_broken(sealed: Database, cast: Cast) -> None:
    with sealed.write() as session:
        drop(3)(session)

    with pytest.raises(Broken, match="entry 3: a sealed entry is missing"):
        verify_and_remember(sealed)

    with sealed.read() as session:
        state = seal_state(session, cast.root)
    assert (state.broken_at, state.sealed) == (3, 7)


def test_an_erasure_takes_the_values_and_leaves_the_chain_whole(database: Database) -> None:
    write(database, 3, record_id=1)
    write(database, 1, record_id=2)
    seal_all(database)
    write(database, 1, record_id=1)

    with database.write(SYSTEM) as session:
        emptied = erase_values(session, SYSTEM, kind="person", record_id=1)
    seal_all(database)

    with database.read() as session:
        trail = verify(session)
        kept = [(one.action, one.changes) for one in history_of(session, "person", 1)]
        others = history_of(session, "person", 2)[0].changes
    assert emptied == 4
    assert (trail.whole, trail.erased, trail.sealed) == (True, 4, 6)
    assert kept == [("erase", {"entries": 4}), *[("update", {})] * 4]
    assert others["name"] == ["Sara", "Sara 0"]


def test_the_salt_alone_keeps_values_from_being_guessed(sealed: Database) -> None:
    with sealed.read() as session:
        salts = session.scalars(select(AuditEntry.salt)).all()

    assert len({*salts}) == 7
    assert all(len(salt or "") == 32 for salt in salts)


def test_more_than_one_batch_is_sealed_in_order(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "BATCH", 10)
    write(database, 25)

    assert seal_all(database) == 25

    with database.read() as session:
        order = session.scalars(select(AuditEntry.id).order_by(AuditEntry.position)).all()
    assert list(order) == sorted(order)
    assert looked_at(database).whole


def _write_and_seal(url: str, number: int) -> int:
    database = Database(url)
    for _turn in range(5):
        write(database, 2, record_id=number)
        with database.write(SYSTEM) as session:
            seal(session, most=7)
    database.dispose()
    return number


def test_writers_and_sealers_that_race_make_one_chain(database: Database) -> None:
    race(database, _write_and_seal, [(database.url, number) for number in range(4)])
    seal_all(database)

    found = looked_at(database)
    with database.read() as session:
        total = session.scalar(select(func.count()).select_from(AuditEntry))
        position = session.scalar(select(TrailHead.position))
    assert (found.whole, found.sealed, total, position) == (True, 40, 40, 40)


def test_an_entry_that_commits_late_is_sealed_late(postgres_database: Database) -> None:
    """Numbers are given out before the commit; the chain follows the commits."""
    slow = postgres_database.open(write=True)
    slow.begin()
    note(slow, SYSTEM, "update", kind="person", record_id=1)
    slow.flush()
    write(postgres_database, 1, record_id=2)
    seal_all(postgres_database)
    slow.commit()
    slow.close()
    seal_all(postgres_database)

    with postgres_database.read() as session:
        chained = session.scalars(select(AuditEntry.record_id).order_by(AuditEntry.position)).all()
    assert list(chained) == [2, 1]
    assert looked_at(postgres_database).whole
