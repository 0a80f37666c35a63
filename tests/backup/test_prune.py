"""Clearing out: what goes is written down, and no attachment goes that anything refers to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from backup import chain, prune
from backup.plan import Level
from backup.retention import Policy
from server.core.errors import Conflict
from tests.backup.house import House

START = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Give a clock that only the test moves."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def aged(house: House, clock: time_machine.Traveller) -> list[str]:
    """Make a verified backup, wait a month, and make three more."""
    attached = house.attach(b"only in the first")
    made = [house.back_up().id]
    house.verify(made[0])
    attached.unlink()
    for _ in range(20):
        clock.shift(timedelta(days=1))
    for _ in range(2):
        clock.shift(timedelta(days=7))
        made.append(house.back_up().id)
        house.verify(made[-1])
    return made


def small() -> Policy:
    return Policy(daily=1, weekly=1, monthly=1, yearly=0, within=timedelta(days=3))


def test_what_goes_is_written_down_and_leaves_no_unexplained_gap(
    house: House, clock: time_machine.Traveller
) -> None:
    made = aged(house, clock)

    done = prune.prune(house.store, house.keys, policy=small())

    assert made[0] in done.removed
    assert made[-1] in house.store.set_ids()
    assert done.freed > 0
    assert chain.gaps(house.store, house.keys.trust) == []
    assert house.verify(made[-1]).ok


def test_a_backup_that_vanished_by_itself_is_a_gap(
    house: House, clock: time_machine.Traveller
) -> None:
    made = aged(house, clock)
    house.store.remove(made[1])

    assert chain.gaps(house.store, house.keys.trust) == [made[1]]


def test_attachments_go_a_week_after_the_last_word_about_them(
    house: House, clock: time_machine.Traveller
) -> None:
    aged(house, clock)
    before = len(list(house.store.objects.glob("??/*")))

    prune.prune(house.store, house.keys, policy=small())
    assert len(list(house.store.objects.glob("??/*"))) == before
    clock.shift(timedelta(days=8))
    newest = house.back_up().id
    house.verify(newest)
    done = prune.prune(house.store, house.keys, policy=small())

    assert done.removed_objects == 1
    assert len(list(house.store.objects.glob("??/*"))) == before - 1
    assert house.verify(newest).ok


def test_without_a_verified_backup_nothing_goes(
    house: House, clock: time_machine.Traveller
) -> None:
    for _ in range(3):
        house.back_up()
        clock.shift(timedelta(days=30))

    done = prune.prune(house.store, house.keys, policy=small())

    assert done.refusal is not None
    assert len(house.store.set_ids()) == 3


def test_while_somebody_reads_nothing_goes(house: House, clock: time_machine.Traveller) -> None:
    aged(house, clock)

    with house.store.reading(), pytest.raises(Conflict):
        prune.prune(house.store, house.keys, policy=small())

    assert len(house.store.set_ids()) == 3


def test_while_one_manifest_cannot_be_read_no_attachment_goes(
    house: House, clock: time_machine.Traveller
) -> None:
    made = aged(house, clock)
    (house.store.sets / made[1] / "manifest.json").write_text("{}")
    clock.shift(timedelta(hours=1))
    newest = house.back_up().id
    assert house.verify(newest, Level.DRILL).ok

    done = prune.prune(house.store, house.keys, policy=small())

    assert done.removed_objects == 0
