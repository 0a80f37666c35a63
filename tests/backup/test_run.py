"""Making backups: whole, of one moment, nothing stored twice, and clear words when it cannot be."""

import json
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from backup import manifest, report, run
from backup.keys import Role
from backup.plan import Kind, Level, Stage, State
from backup.store import Store
from server.core.errors import Conflict, DaftarError, Missing
from tests.backup.house import House, query, start


def test_a_backup_is_listed_with_the_fields_of_the_interface(house: House) -> None:
    made = house.back_up(Kind.DAILY)

    item = report.items(house.store, house.keys.trust)[0].as_json()

    assert item == {
        "id": made.id,
        "created_at": item["created_at"],
        "kind": "daily",
        "bytes": made.bytes,
        "database": "sqlite",
        "state": "complete",
        "verified_at": None,
        "verification": None,
        "confirmed_at": None,
        "confirmed_by": None,
    }
    assert str(item["created_at"]).endswith("Z")
    json.dumps(item)


def test_the_set_lies_on_disk_as_the_interface_says(house: House) -> None:
    made = house.back_up()

    folder = house.store.sets / made.id
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "database.sqlite.zst.age",
        "files.tsv.zst.age",
        "manifest.json",
        "manifest.sig",
        "objects.tsv",
        "secrets.tar.zst.age",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(house.store.objects.glob("??/*"))) == 4
    assert not list(house.store.folder.rglob(".part-*"))
    assert [path.name for path in (house.root / "scratch").iterdir()] == []


def test_the_manifest_counts_every_table(house: House) -> None:
    made = house.back_up()

    rows = {table.name: table.rows for table in made.tables}
    assert rows["people"] == 500
    assert rows["companies"] == 3
    assert rows["settings"] == 2
    assert rows["words_content"] == 2
    assert made.schema_version == "abc123"
    assert made.product_version == "0.1.0"
    assert [each.role for each in made.recipients] == [Role.WORKING, Role.ESCROW, Role.DRILL]


def test_nothing_of_an_attachment_shows_without_a_key(house: House) -> None:
    path = house.attach(b"a contract that a thief knows of")

    made = house.back_up()

    everything = b"".join(
        each.read_bytes() for each in house.store.folder.rglob("*") if each.is_file()
    )
    assert path.name.encode() not in everything
    assert path.name not in [each.name for each in house.objects(made)]


def test_an_unchanged_attachment_is_not_stored_twice(house: House) -> None:
    first = house.back_up()
    stored = {path: path.stat().st_mtime_ns for path in house.store.objects.glob("??/*")}

    house.attach(b"something new")
    second = house.back_up()

    assert {each.name for each in house.objects(first)} < {
        each.name for each in house.objects(second)
    }
    assert len(house.objects(second)) == len(house.objects(first)) + 1
    assert all(path.stat().st_mtime_ns == before for path, before in stored.items())


def test_each_manifest_names_the_one_before(house: House) -> None:
    first = house.back_up()
    second = house.back_up()

    content = (house.store.sets / first.id / manifest.NAME).read_bytes()
    assert second.previous is not None
    assert second.previous.id == first.id
    assert second.previous.sha256 == manifest.digest_of(content)
    assert (first.sequence, second.sequence) == (1, 2)


def test_progress_names_the_stages_in_their_order(house: House) -> None:
    seen: list[Stage] = []

    run.back_up(house.plan, house.store, progress=lambda stage, _done, _total: seen.append(stage))

    assert list(dict.fromkeys(seen)) == [
        Stage.SNAPSHOT,
        Stage.COUNT,
        Stage.DATABASE,
        Stage.FILES,
        Stage.SECRETS,
        Stage.PUBLISH,
    ]


def write_without_pause(database: Path) -> None:
    """Move money between two lines of the ledger for ever; the sum is always nought."""
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        for number in range(1, 1_000_000):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO ledger (amount) VALUES (?)", (number,))
            connection.execute("INSERT INTO ledger (amount) VALUES (?)", (-number,))
            connection.execute("COMMIT")


def test_a_backup_under_a_live_writer_is_of_one_moment(house: House) -> None:
    writer = start(lambda: write_without_pause(house.database))
    try:
        while house.query("SELECT count(*) FROM ledger")[0][0] == 0:
            pass
        made = [house.back_up() for _ in range(3)]
    finally:
        writer.kill()
        writer.join()

    for each in made:
        assert house.verify(each.id).ok
        report_ = house.restore(each.id, f"restored-{each.id}")
        assert query(report_.database, "SELECT sum(amount) FROM ledger") == [(0,)]
    rows = [{table.name: table.rows for table in each.tables}["ledger"] for each in made]
    assert rows[0] > 0


def test_two_backups_at_once_are_one_backup_and_one_refusal(house: House) -> None:
    context = get_context("fork")
    inside, go_on = context.Event(), context.Event()

    def slow_backup() -> None:
        def wait(stage: Stage, _done: int, _total: int) -> None:
            if stage is Stage.PUBLISH:
                inside.set()
                go_on.wait()

        run.back_up(house.plan, house.store, progress=wait)

    first = start(slow_backup)
    inside.wait()
    with pytest.raises(Conflict) as refused:
        house.back_up()
    go_on.set()
    first.join()

    assert refused.value.code == "backup_busy"
    assert first.exitcode == 0
    assert len(house.store.set_ids()) == 1


def test_an_unmounted_disk_is_named(house: House) -> None:
    with pytest.raises(Missing, match="mounted") as refused:
        Store(house.root / "data")

    assert refused.value.code == "place_missing"


def test_another_disk_in_the_same_place_is_named(house: House) -> None:
    with pytest.raises(Missing) as refused:
        Store(house.store.folder, place="0123456789abcdef")

    assert refused.value.code == "place_differs"


def test_a_missing_secret_stops_the_backup(house: House) -> None:
    house.plan.secrets[0].path.unlink()

    with pytest.raises(Missing, match=r"instance\.key"):
        house.back_up()

    assert house.store.set_ids() == []
    assert not list(house.store.folder.rglob(".part-*"))


def test_a_damaged_database_is_named(house: House) -> None:
    house.query("PRAGMA journal_mode = DELETE")
    content = bytearray(house.database.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    house.database.write_bytes(content)

    with pytest.raises(DaftarError, match=r"daftar\.sqlite3|damaged"):
        house.back_up()

    assert house.store.set_ids() == []


def test_without_escrow_key_no_backup_is_made(house: House) -> None:
    only = tuple(each for each in house.keys.recipients if each.role is not Role.ESCROW)
    plan = replace(house.plan, keys=replace(house.keys, recipients=only))

    with pytest.raises(Missing) as refused:
        run.back_up(plan, house.store)

    assert refused.value.code == "no_recipients"


def test_a_damaged_object_is_sealed_anew_and_the_old_set_stays_failed(house: House) -> None:
    first = house.back_up()
    rotten = house.store.object_path(house.objects(first)[0].name)
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"x")
    assert not house.verify(first.id, Level.STORE).ok

    second = house.back_up()

    assert house.verify(second.id).ok
    states = {item.id: item.state for item in report.items(house.store, house.keys.trust)}
    assert states == {first.id: State.FAILED, second.id: State.VERIFIED}


def test_a_vanished_object_is_sealed_anew(house: House) -> None:
    first = house.back_up()
    house.store.object_path(house.objects(first)[0].name).unlink()

    second = house.back_up()

    assert house.verify(second.id).ok
    assert not house.verify(first.id, Level.STORE).ok


def test_an_object_that_somebody_planted_is_not_used(house: House) -> None:
    content = next(path for path in house.files.rglob("*") if path.is_file()).read_bytes()
    digest = manifest.digest_of(content)
    planted = house.store.object_path(house.keys.object_name(digest))
    planted.parent.mkdir()
    planted.write_bytes(b"sealed by somebody else")

    made = house.back_up()

    assert house.verify(made.id).ok
