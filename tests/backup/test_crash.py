"""Power cuts: wherever a backup dies, the list shows no half backup and the next one works."""

import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

import pytest

from backup import prune, report, run, transfer, verify
from backup.plan import Level, Stage, State
from backup.store import Store
from tests.backup.house import House, die, in_a_process, start

STEPS = frozenset({"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"})


def die_at_step(number: int, place: str = "/backups") -> None:
    """Die at the so-manieth touch of that place of the file system by this process."""
    left = [number]

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and place in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                die()

    sys.addaudithook(count)


def assert_nothing_half(house: House, earlier: list[str]) -> None:
    shown = report.items(house.store, house.keys.trust)
    assert {item.id for item in shown} >= set(earlier)
    for item in shown:
        assert item.state is not State.FAILED
        assert house.verify(item.id, Level.STORE).ok


def assert_next_run_works(house: House) -> None:
    made = house.back_up()
    assert house.verify(made.id).ok
    assert not list(house.store.folder.rglob(".part-*"))
    left = [path for path in (house.root / "scratch").iterdir() if path.is_dir()]
    assert left == []


@pytest.mark.parametrize("stage", [*Stage][:6])
def test_killed_in_any_stage(house: House, stage: Stage) -> None:
    first = house.back_up()
    house.attach(b"new since then")

    def work() -> None:
        run.back_up(
            house.plan, house.store, progress=lambda now, _d, _t: die() if now is stage else None
        )

    assert in_a_process(work) == -9
    assert_nothing_half(house, [first.id])
    assert_next_run_works(house)


def test_killed_at_every_touch_of_the_disk(house: House) -> None:
    first = house.back_up()
    house.attach(b"new since then")
    killed = 0
    for number in range(1, 400):

        def work(step: int = number) -> None:
            die_at_step(step)
            house.back_up()

        if in_a_process(work) == 0:
            break
        killed += 1
        assert_nothing_half(house, [first.id])
        for published in set(house.store.set_ids()) - {first.id}:
            house.store.remove(published)  # so that the next run takes the same steps
    assert killed > 20
    assert_next_run_works(house)


def test_killed_at_random_moments(house: House) -> None:
    first = house.back_up()
    dice = random.Random(1404)  # noqa: S311 - moments, no secrets
    for _ in range(10):
        process = start(house.back_up)
        time.sleep(dice.random() / 10)
        process.kill()
        process.join()
        assert_nothing_half(house, [first.id])
    assert_next_run_works(house)


def test_what_a_killed_run_had_sealed_is_used_by_the_next(house: House) -> None:
    def work() -> None:
        run.back_up(
            house.plan,
            house.store,
            progress=lambda stage, _d, _t: die() if stage is Stage.SECRETS else None,
        )

    assert in_a_process(work) == -9
    sealed = {path: path.stat().st_ino for path in house.store.objects.glob("??/*")}
    made = house.back_up()

    assert len(sealed) == 4
    assert {house.store.object_path(each.name) for each in house.objects(made)} == set(sealed)
    assert all(path.stat().st_ino == number for path, number in sealed.items())
    assert house.verify(made.id).ok


def test_a_killed_prune_leaves_whole_backups(house: House) -> None:
    made = [house.back_up() for _ in range(2)]
    for number in range(1, 40):

        def work(step: int = number) -> None:
            die_at_step(step)
            house.store.remove(made[0].id)

        if in_a_process(work) == 0:
            break
        assert_nothing_half(house, [made[1].id])
        if made[0].id not in house.store.set_ids():
            break
    assert house.store.set_ids() == [made[1].id]
    assert prune.plan(house.store, house.keys).refusal is not None
    assert_next_run_works(house)


def test_a_killed_import_leaves_nothing_half(house: House, tmp_path: Path) -> None:
    made = house.back_up()
    file = transfer.export_set(house.store, made.id, tmp_path / "b.tar", trust=house.keys.trust)
    other = Store.create(tmp_path / "elsewhere" / "backups")
    for number in range(1, 200):

        def work(step: int = number) -> None:
            die_at_step(step)
            transfer.import_set(other, file, trust=house.keys.trust)

        done = in_a_process(work) == 0
        for item in report.items(other, house.keys.trust):
            assert item.state is State.COMPLETE
        if done or other.set_ids():
            break
    assert other.set_ids() == [made.id]


def test_a_full_disk_is_named_and_earlier_backups_stay(house: House) -> None:
    first = house.back_up()
    house.attach(os.urandom(400_000))

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
        try:
            house.back_up()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
            os._exit(42 if getattr(error, "code", "") == "disk_full" else 1)

    assert in_a_process(work) == 42
    assert house.store.set_ids() == [first.id]
    assert not list(house.store.folder.rglob(".part-*"))
    assert_nothing_half(house, [first.id])
    assert_next_run_works(house)


@pytest.mark.parametrize("stage", [Stage.STORE, Stage.CONTENT, Stage.CHECK])
def test_a_killed_verification_says_nothing_and_leaves_nothing(house: House, stage: Stage) -> None:
    made = house.back_up()

    def work() -> None:
        verify.verify_and_keep(
            house.store,
            made.id,
            house.how(),
            house.keys,
            progress=lambda now, _d, _t: die() if now is stage else None,
        )

    assert in_a_process(work) == -9
    assert report.items(house.store, house.keys.trust)[0].state is State.COMPLETE
    assert house.verify(made.id).ok
    assert [path for path in (house.root / "scratch").iterdir() if path.is_dir()] == []
