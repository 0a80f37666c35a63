"""Damage on purpose: whatever is cut, flipped, taken or swapped is found and named."""

import json
import shutil
from pathlib import Path

import pytest

from backup import archive, report, verify
from backup.manifest import Manifest
from backup.plan import Level, State
from backup.result import Result
from server.core.errors import Broken, Missing
from tests.backup.house import House, build

PARTS = ["database.sqlite.zst.age", "files.tsv.zst.age", "secrets.tar.zst.age"]


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def state_of(house: House, set_id: str) -> State:
    return {item.id: item.state for item in report.items(house.store, house.keys.trust)}[set_id]


def named(result: Result, name: str) -> bool:
    return not result.ok and any(name in problem for problem in result.problems)


@pytest.mark.parametrize("place", [0, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("level", [Level.STORE, Level.CONTENT, Level.DRILL])
def test_a_flipped_bit_of_a_part_is_named(
    house: House, name: str, place: float, level: Level
) -> None:
    made = house.back_up()
    path = house.store.sets / made.id / name
    content = path.read_bytes()
    path.write_bytes(flipped(content, int(place * len(content))))

    result = house.verify(made.id, level)

    assert named(result, name)
    assert name in result.damaged
    assert state_of(house, made.id) is State.FAILED


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("left", [0, 1, 100, -1])
def test_a_cut_part_is_named(house: House, name: str, left: int) -> None:
    made = house.back_up()
    path = house.store.sets / made.id / name
    path.write_bytes(path.read_bytes()[:left])

    assert named(house.verify(made.id), name)


@pytest.mark.parametrize("name", [*PARTS, "manifest.json", "manifest.sig"])
def test_a_missing_file_is_named(house: House, name: str) -> None:
    made = house.back_up()
    (house.store.sets / made.id / name).unlink()

    assert named(house.verify(made.id), name)
    assert state_of(house, made.id) is State.FAILED


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig"])
def test_every_changed_byte_of_the_proof_is_found(house: House, name: str) -> None:
    made = house.back_up()
    path = house.store.sets / made.id / name
    content = path.read_bytes()
    for at in range(0, len(content), max(1, len(content) // 64)):
        path.write_bytes(flipped(content, at))
        result = verify.verify(house.store, made.id, house.how(Level.STORE))
        assert named(result, name)
    path.write_bytes(content[:-1])
    assert named(verify.verify(house.store, made.id, house.how(Level.STORE)), name)


def test_a_damaged_attachment_is_named(house: House) -> None:
    made = house.back_up()
    name = house.objects(made)[2].name
    path = house.store.object_path(name)
    path.write_bytes(flipped(path.read_bytes(), 250))

    for level in Level:
        assert named(house.verify(made.id, level), name)


def test_a_missing_attachment_is_named(house: House) -> None:
    made = house.back_up()
    name = house.objects(made)[1].name
    house.store.object_path(name).unlink()

    assert named(house.verify(made.id), name)


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


@pytest.mark.parametrize("name", PARTS)
def test_parts_swapped_between_two_backups_are_named(house: House, name: str) -> None:
    one, other = house.back_up(), house.back_up()
    swap(house.store.sets / one.id / name, house.store.sets / other.id / name)

    assert named(house.verify(one.id), name)
    assert named(house.verify(other.id), name)


def test_two_attachments_swapped_are_named(house: House) -> None:
    made = house.back_up()
    one, other = (house.store.object_path(each.name) for each in house.objects(made)[:2])
    swap(one, other)

    result = house.verify(made.id)

    assert named(result, one.name)
    assert named(result, other.name)


def test_whole_sets_under_each_others_name_are_found(house: House) -> None:
    one, other = house.back_up(), house.back_up()
    swap(house.store.sets / one.id, house.store.sets / other.id)

    assert not house.verify(one.id, Level.STORE).ok
    assert not house.verify(other.id, Level.STORE).ok
    assert state_of(house, one.id) is State.FAILED


def test_a_manifest_before_that_was_replaced_is_found(house: House) -> None:
    first, second = house.back_up(), house.back_up()
    folder = house.store.sets / first.id
    content = json.loads((folder / "manifest.json").read_bytes())
    content["instance"] = "another"
    forged = json.dumps(content).encode()
    (folder / "manifest.json").write_bytes(forged)
    (folder / "manifest.sig").write_bytes(house.keys.sign(forged))

    assert named(house.verify(second.id, Level.STORE), first.id)


def resealed(house: House, made: Manifest, content: bytes) -> Path:
    """Seal other content to the same recipients, as anyone with the public keys can."""
    path = house.store.sets / made.id / "database.sqlite.zst.age"
    path.unlink()
    source = house.root / "forged"
    source.write_bytes(content)
    with source.open("rb") as file:
        archive.seal(file, path, house.keys.age_recipients())
    return path


def test_a_part_sealed_by_somebody_else_is_found(house: House) -> None:
    made = house.back_up()
    resealed(house, made, house.database.read_bytes())

    assert named(house.verify(made.id), "database.sqlite.zst.age")


def test_a_changed_result_is_named(house: House) -> None:
    made = house.back_up()
    house.verify(made.id)
    path = house.store.sets / made.id / "drill.json"
    content = path.read_bytes()
    for at in range(0, len(content), max(1, len(content) // 64)):
        path.write_bytes(flipped(content, at))
        item = report.items(house.store, house.keys.trust)[0]
        assert item.state is State.FAILED
        assert item.problem is not None
        assert "drill.json" in item.problem
    path.write_bytes(content)
    assert state_of(house, made.id) is State.VERIFIED


def test_a_result_of_another_backup_is_named(house: House) -> None:
    one, other = house.back_up(), house.back_up()
    house.verify(one.id)
    shutil.copyfile(
        house.store.sets / one.id / "drill.json", house.store.sets / other.id / "drill.json"
    )

    assert state_of(house, other.id) is State.FAILED
    assert house.verify(other.id).ok
    assert state_of(house, other.id) is State.VERIFIED


def test_a_wrong_key_is_said_and_is_no_damage(house: House) -> None:
    made = house.back_up()
    stranger, _public = archive.new_key()
    how = verify.Verification(
        level=Level.DRILL,
        trust=house.keys.trust,
        scratch=house.root / "scratch",
        identities=archive.identities(stranger),
    )

    with pytest.raises(Missing) as refused:
        verify.verify_and_keep(house.store, made.id, how, house.keys)

    assert refused.value.code == "wrong_key"
    assert state_of(house, made.id) is State.COMPLETE


def test_a_backup_of_another_installation_is_not_believed(house: House, tmp_path: Path) -> None:
    stranger = build(tmp_path / "stranger")
    made = house.back_up()

    with pytest.raises(Broken) as refused:
        house.store.load(made.id, stranger.keys.trust)

    assert refused.value.code == "bad_signature"
