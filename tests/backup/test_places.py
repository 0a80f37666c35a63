"""Copies at other places: the same rules for a folder, a real OpenSSH server and an object storage."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backup import copying, fetching, manifest
from backup.copying import Found, Passing
from backup.places import AWAY, marker
from backup.places.opening import FOLDER, S3, SFTP, Where, opened
from backup.plan import Level, Stage
from backup.store import MARKER
from server.core.errors import Broken, Conflict, Invalid, Missing
from tests.backup.copies import Bytes, Copies, in_a_folder, over_sftp
from tests.backup.house import House, die, in_a_process
from tests.support.storage import Server, object_storage, sshd

KINDS = (FOLDER, SFTP, S3)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a machine that answers SFTP."""
    root = tmp_path_factory.mktemp("machine")
    with sshd(root / "ssh", root) as server:
        yield server


@pytest.fixture(scope="module")
def storage() -> Iterator[Server]:
    """Give an object storage."""
    with object_storage() as server:
        yield server


@pytest.fixture(params=KINDS)
def copies(request: pytest.FixtureRequest, house: House) -> Copies:
    """Give a house whose one place is of each kind."""
    if request.param == FOLDER:
        return in_a_folder(house)
    name = house.root.name
    if request.param == SFTP:
        machine: Server = request.getfixturevalue("machine")
        folder = Path(machine.url.partition("127.0.0.1:")[2].partition("/")[2])
        (Path("/") / folder / name).mkdir()
        return over_sftp(house, machine, name)
    storage: Server = request.getfixturevalue("storage")
    where = Where("cloud", S3, f"{storage.url}/{name}", secret=lambda: storage.secret)
    return Copies(house, where).prepare()


def test_a_copy_is_whole_and_the_next_sends_what_is_new(copies: Copies) -> None:
    house = copies.house
    first = house.back_up()

    assert copies.copy() > 5
    assert copies.there() == [first.id]
    assert copies.verify(first.id) == Found(first.id, (), (), first.bytes)
    assert copies.copy() == 0

    house.attach(b"new since then")
    second = house.back_up()
    assert 1 < copies.copy() <= 8
    assert copies.there() == sorted([first.id, second.id])
    assert copies.verify(second.id).ok


def test_every_flipped_byte_is_named_and_sent_again(copies: Copies) -> None:
    made = copies.house.back_up()
    copies.copy()
    entry = copies.house.objects(made)[0]
    part = f"{copying.SETS}/{made.id}/{made.database.part}"
    copies.flip(copying.object_name(entry.name))
    copies.flip(part)

    found = copies.verify(made.id)

    assert set(found.damaged) == {entry.name, part}
    assert copies.copy() == 0
    assert copies.copy(damaged=frozenset(found.damaged)) == 2
    assert copies.verify(made.id).ok


def test_a_changed_manifest_is_found_by_its_signature(copies: Copies) -> None:
    made = copies.house.back_up()
    copies.copy()
    copies.flip(f"{copying.SETS}/{made.id}/{manifest.NAME}")

    found = copies.verify(made.id)

    assert not found.ok
    assert "signature" in found.problems[0]


def test_a_missing_file_is_named(copies: Copies) -> None:
    made = copies.house.back_up()
    copies.copy()
    entry = copies.house.objects(made)[0]
    with copies.place() as place:
        place.remove(copying.object_name(entry.name))

    assert copies.verify(made.id).damaged == (entry.name,)
    assert copies.copy() == 1
    assert copies.verify(made.id).ok


def test_killed_in_the_middle_no_set_shows_and_the_next_goes_on(copies: Copies) -> None:
    made = copies.house.back_up()
    whole = sum(1 for _each in {each.name for each in copies.house.objects(made)}) + 7

    def work() -> None:
        left = [3]

        def tell(stage: Stage, done: int, total: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                die()

        copies.copy(progress=tell)

    assert in_a_process(work) == -9
    assert copies.there() == []
    assert 0 < copies.copy() <= whole - 3
    assert copies.there() == [made.id]
    assert copies.verify(made.id).ok


def test_a_fetched_backup_restores_as_the_one_that_was_lost(copies: Copies) -> None:
    house = copies.house
    made = house.back_up()
    copies.copy()
    shutil.rmtree(house.store.set_folder(made.id))
    shutil.rmtree(house.store.objects)
    house.store.objects.mkdir()

    with copies.place() as place:
        fetching.fetch(place, house.store, made.id, house.keys.trust)

    assert house.verify(made.id, Level.DRILL).ok
    assert house.restore(made.id).manifest.id == made.id
    with copies.place() as place, pytest.raises(Conflict, match="here already"):
        fetching.fetch(place, house.store, made.id, house.keys.trust)


def test_a_damaged_copy_never_becomes_a_backup_here(copies: Copies) -> None:
    house = copies.house
    made = house.back_up()
    copies.copy()
    entry = house.objects(made)[0]
    copies.flip(copying.object_name(entry.name))
    shutil.rmtree(house.store.set_folder(made.id))
    house.store.object_path(entry.name).unlink()

    with copies.place() as place, pytest.raises(Broken):
        fetching.fetch(place, house.store, made.id, house.keys.trust)

    assert house.store.set_ids() == []
    assert not list(house.store.folder.rglob(".part-*"))


def test_nothing_is_changed_or_removed_where_only_adding_is_allowed(copies: Copies) -> None:
    made = copies.house.back_up()
    copies.copy()
    entry = copies.house.objects(made)[0]
    name = copying.object_name(entry.name)
    copies.flip(name)
    locked = copies.append_only()

    assert locked.copy(damaged=frozenset({entry.name})) == 0
    with locked.place() as place:
        with pytest.raises(Conflict, match="nothing is changed"):
            place.write(name, Bytes(b"x"), 1)
        with pytest.raises(Conflict, match="ever removed"):
            place.remove(name)
    copies.house.attach(b"more")
    second = copies.house.back_up()
    locked.copy()
    assert second.id in locked.there()


def test_sets_that_may_go_take_their_own_objects_along(copies: Copies) -> None:
    house = copies.house
    first = house.back_up()
    attached = house.attach(b"only in the second" * 100)
    second = house.back_up()
    attached.unlink()
    third = house.back_up()
    copies.copy()
    own = {each.name for each in house.objects(second)} - {
        each.name for each in (*house.objects(first), *house.objects(third))
    }

    with copies.place() as place:
        freed = copying.clear(place, [second.id], house.keys.trust, house.root / "scratch")
        left = {each.name.rpartition("/")[2] for each in place.entries(copying.OBJECTS)}

    assert own
    assert freed > 0
    assert not own & left
    assert copies.there() == sorted([first.id, third.id])
    assert copies.verify(first.id).ok
    assert copies.verify(third.id).ok


def test_a_place_without_marker_is_an_unmounted_disk(copies: Copies) -> None:
    with copies.place() as place:
        marker.read(place, copies.house.plan.instance)
        with pytest.raises(Conflict, match="another installation"):
            marker.read(place, "inst-2")
        with pytest.raises(Conflict, match="another installation"):
            marker.prepare(place, "inst-2")
        place.remove(MARKER)
        with pytest.raises(Missing, match="mounted"):
            marker.read(place, copies.house.plan.instance)


def test_the_own_folder_of_backups_is_no_place_for_copies(house: House) -> None:
    with (
        opened(Where("self", FOLDER, str(house.store.folder))) as place,
        pytest.raises(Conflict, match="own"),
    ):
        marker.prepare(place, house.plan.instance)


def test_a_place_that_is_away_says_so(house: House, machine: Server) -> None:
    gone = (
        Where("usb", FOLDER, str(house.root / "not-plugged-in")),
        Where(
            "office",
            SFTP,
            "sftp://a@127.0.0.1:1/x",
            host_key=machine.host_key,
            secret=lambda: machine.secret,
        ),
    )
    for where in gone:
        with pytest.raises(Missing) as refusal, opened(where):
            pass
        assert refusal.value.code == AWAY


def test_a_foreign_host_key_stops_before_anything_is_sent(
    house: House, machine: Server, tmp_path: Path
) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqDbAhhWb6CfYT2QwmoBSfKVEHpeMkVaMGrm8zmSGyu"
    where = Where("office", SFTP, machine.url, host_key=other, secret=lambda: machine.secret)

    with pytest.raises(Broken, match="host key"), opened(where):
        pass
    with pytest.raises(Invalid), opened(replace(where, host_key="nonsense")):
        pass
    with (
        pytest.raises(Missing, match="refused"),
        opened(replace(where, host_key=machine.host_key, secret=lambda: "a password")),
    ):
        pass


def test_a_reader_refuses_what_is_longer_or_shorter() -> None:
    entry = manifest.Object("x", 3, manifest.digest_of(b"abc"))
    assert Passing(Bytes(b"abc"), entry).read(3) == b"abc"
    with pytest.raises(Broken):
        Passing(Bytes(b"ab"), entry).read(-1) + Passing(Bytes(b""), entry).read(-1)
    with pytest.raises(Broken):
        Passing(Bytes(b"abcd"), entry).read(-1)
