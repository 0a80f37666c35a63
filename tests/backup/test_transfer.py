"""One backup as one file: carried away whole, taken in only when every byte is right."""

import io
import tarfile
from pathlib import Path

import pytest

from backup import report, transfer
from backup.plan import State
from backup.store import Store
from server.core.errors import Broken, Conflict
from tests.backup.house import House, build


def exported(house: House, tmp_path: Path) -> tuple[str, Path]:
    made = house.back_up()
    house.verify(made.id)
    file = tmp_path / "backup.tar"
    return made.id, transfer.export_set(house.store, made.id, file, trust=house.keys.trust)


def test_an_exported_backup_arrives_with_its_proof(house: House, tmp_path: Path) -> None:
    set_id, file = exported(house, tmp_path)
    other = Store.create(tmp_path / "other")

    made = transfer.import_set(other, file, trust=house.keys.trust)

    assert made.id == set_id
    (item,) = report.items(other, house.keys.trust)
    assert item.state is State.VERIFIED
    with pytest.raises(Conflict):
        transfer.import_set(other, file, trust=house.keys.trust)


def test_what_is_sent_is_what_is_exported(house: House, tmp_path: Path) -> None:
    set_id, file = exported(house, tmp_path)

    outgoing = transfer.send(house.store, set_id, trust=house.keys.trust)
    sent = b"".join(outgoing.blocks)

    assert len(sent) == outgoing.size
    with tarfile.open(file) as one, tarfile.open(fileobj=io.BytesIO(sent)) as other:
        names = one.getnames()
        assert sorted(other.getnames()) == sorted(names)
        for name in names[1:]:  # the first names the place, which is new each time
            assert one.extractfile(name).read() == other.extractfile(name).read()  # type: ignore[union-attr] # files


def test_a_piece_that_is_missing_or_cut_is_named_before_the_first_byte(house: House) -> None:
    made = house.back_up()
    path = house.store.object_path(house.objects(made)[0].name)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Broken, match=house.objects(made)[0].name):
        transfer.send(house.store, made.id, trust=house.keys.trust)
    path.unlink()
    with pytest.raises(Broken, match="missing"):
        transfer.send(house.store, made.id, trust=house.keys.trust)


@pytest.mark.parametrize(
    "part", ["manifest.json", "manifest.sig", "database.sqlite.zst.age", "objects/"]
)
def test_a_changed_file_is_not_taken_in(house: House, tmp_path: Path, part: str) -> None:
    _set_id, file = exported(house, tmp_path)
    with tarfile.open(file) as tar:
        at = next(each.offset_data for each in tar if part in each.name)
    content = bytearray(file.read_bytes())
    content[at + 30] ^= 1
    file.write_bytes(content)
    other = Store.create(tmp_path / "other")

    with pytest.raises(Broken):
        transfer.import_set(other, file, trust=house.keys.trust)

    assert other.set_ids() == []
    assert not list(other.folder.rglob(".part-*"))


def test_a_backup_of_somebody_else_and_a_crooked_tar_are_refused(
    house: House, tmp_path: Path
) -> None:
    _set_id, file = exported(house, tmp_path)
    stranger = build(tmp_path / "stranger")
    with pytest.raises(Broken):
        transfer.import_set(stranger.store, file, trust=stranger.keys.trust)
    crooked = tmp_path / "crooked.tar"
    with tarfile.open(crooked, "w") as tar:
        info = tarfile.TarInfo("sets/../../outside")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"evil"))

    with pytest.raises(Broken):
        transfer.import_set(stranger.store, crooked, trust=None)

    assert not (tmp_path / "outside").exists()
    assert stranger.store.set_ids() == []


def test_an_existing_file_is_not_written_over(house: House, tmp_path: Path) -> None:
    made = house.back_up()
    (tmp_path / "there.tar").write_text("mine")

    with pytest.raises(Conflict):
        transfer.export_set(house.store, made.id, tmp_path / "there.tar", trust=house.keys.trust)

    assert (tmp_path / "there.tar").read_text() == "mine"
