"""Who holds the offline keys: proved by what only they can read, asked again every 90 days."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from backup import archive, keys, possession
from backup.confirm import Person
from backup.keys import Role
from server.core import clock
from server.core.errors import Conflict, DaftarError, Invalid, Missing, NotFound
from tests.backup.house import House

ANNA = Person("1", "Anna")


def letters_of(house: House, canary: bytes, private: str) -> str:
    """Open the canary as its holder does: with ordinary age, away from the product."""
    key = house.root / "key.txt"
    key.write_text(private + "\n")
    done = subprocess.run(
        ["age", "--decrypt", "--identity", str(key)],
        input=canary,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def due(house: House) -> set[Role]:
    found = possession.holdings(house.store, house.keys)
    return {each.role for each in found if each.is_due(clock.now())}


def test_whoever_reads_the_canary_holds_the_key(house: House) -> None:
    assert due(house) == {Role.WORKING, Role.ESCROW}
    canary = possession.make_canary(house.keys, Role.ESCROW)
    letters = letters_of(house, canary, house.shown_once.escrow_private)

    proof = possession.answer_canary(house.store, house.keys, Role.ESCROW, letters.lower(), ANNA)

    assert (proof.role, proof.user_name, proof.how) == (Role.ESCROW, "Anna", "canary")
    assert due(house) == {Role.WORKING}
    with pytest.raises(Conflict):
        possession.answer_canary(house.store, house.keys, Role.ESCROW, letters, ANNA)


def test_wrong_letters_prove_nothing(house: House) -> None:
    possession.make_canary(house.keys, Role.WORKING)

    for letters in ("", "AAAA-AAAA-AAAA-AAAA", "۱۲۳۴", "x" * 10_000):
        with pytest.raises(Invalid):
            possession.answer_canary(house.store, house.keys, Role.WORKING, letters, ANNA)

    assert due(house) == {Role.WORKING, Role.ESCROW}


def test_only_the_newest_canary_counts_and_for_a_week(house: House) -> None:
    private = house.shown_once.working_private
    first = letters_of(house, possession.make_canary(house.keys, Role.WORKING), private)
    second = letters_of(house, possession.make_canary(house.keys, Role.WORKING), private)

    with pytest.raises(Invalid):
        possession.answer_canary(house.store, house.keys, Role.WORKING, first, ANNA)
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False), pytest.raises(Conflict):
        possession.answer_canary(house.store, house.keys, Role.WORKING, second, ANNA)


def test_a_key_that_is_brought_along_is_proved_at_once(house: House) -> None:
    (proof,) = possession.show_key(house.store, house.keys, house.working, ANNA)

    assert proof.how == "key"
    assert due(house) == {Role.ESCROW}
    with pytest.raises(Missing):
        possession.show_key(house.store, house.keys, house.keys.drill, ANNA)


def test_the_drill_key_is_never_asked_for(house: House) -> None:
    with pytest.raises(NotFound):
        possession.make_canary(house.keys, Role.DRILL)


def test_after_90_days_it_is_asked_again(house: House) -> None:
    possession.show_key(house.store, house.keys, (*house.working, *house.escrow), ANNA)
    assert due(house) == set()

    with time_machine.travel(clock.now() + timedelta(days=90, seconds=1), tick=False):
        assert due(house) == {Role.WORKING, Role.ESCROW}


def test_a_proof_that_somebody_wrote_in_does_not_count(house: House) -> None:
    possession.show_key(house.store, house.keys, house.working, ANNA)
    other = keys.create(house.root / "other keys")
    forged = keys.load(house.root / "other keys")
    assert other.working_public != house.shown_once.working_public
    house.store.possession.unlink()

    possession.show_key(house.store, forged, archive.identities(other.working_private), ANNA)

    assert due(house) == {Role.WORKING, Role.ESCROW}


def test_new_keys_start_unproved_and_a_new_namespace(house: House) -> None:
    first = house.back_up()
    possession.show_key(house.store, house.keys, house.working, ANNA)
    possession.show_key(house.store, house.keys, house.escrow, ANNA)

    (made,) = keys.rotate(house.keys.folder, [Role.WORKING])
    renewed = house.reload_keys()
    second = renewed.back_up()

    assert due(renewed) == {Role.WORKING}
    assert [each.public for each in keys.former_recipients(renewed.keys.folder)] == [
        house.shown_once.working_public
    ]
    assert not {each.name for each in renewed.objects(first)} & {
        each.name for each in renewed.objects(second)
    }
    opened: list[bytes] = []
    part = renewed.store.set_folder(second.id) / "database.sqlite.zst.age"

    class Target:
        def write(self, data: bytes, /) -> int:
            opened.append(data)
            return len(data)

    archive.unseal(part, Target(), archive.identities(made.private))
    assert b"".join(opened).startswith(b"SQLite format 3")
    with pytest.raises(Missing):
        archive.unseal(part, Target(), house.working)
    assert renewed.verify(first.id).ok
    assert renewed.verify(second.id).ok


def test_a_rotation_that_dies_leaves_keys_that_load(house: House, tmp_path: Path) -> None:
    before = keys.load(house.keys.folder).recipients
    (house.keys.folder / "former-recipients.json").mkdir()

    with pytest.raises(DaftarError):
        keys.rotate(house.keys.folder, [Role.ESCROW])

    assert keys.load(house.keys.folder).recipients == before
