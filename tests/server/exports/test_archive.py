"""What a full export holds: every record and file, no secret, nothing a spreadsheet would carry out."""

import hashlib
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from server.core.actor import Actor
from server.core.db import Base, Database
from server.core.errors import Missing, NotAllowed
from server.exports import sheets
from server.exports.archive import write_archive
from server.exports.rules import LEFT_OUT, SHEETS
from server.exports.sheets import columns_of, header_of, table_of
from server.http.app import DaftarFlask
from server.tables import metadata
from tests.server.conftest import PASSWORD, Cast
from tests.server.exports.conftest import Archive, House, change


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what is asked here does not depend on its kind."""
    return sqlite_database


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    exported = {sheet.table for sheet in SHEETS}

    assert exported & set(LEFT_OUT) == set()
    assert exported | set(LEFT_OUT) == set(metadata.tables)


def test_no_column_of_an_export_is_a_secret() -> None:
    secret = re.compile(r"hash|secret|salt|totp|token|password|mac$")
    shown = [
        f"{sheet.table}.{column.name}"
        for sheet in SHEETS
        for column in columns_of(sheet)
        if secret.search(column.name)
    ]

    assert shown == []


def test_every_sheet_is_read_in_the_order_of_its_primary_key() -> None:
    for sheet in SHEETS:
        assert set(sheet.keys) == {column.name for column in table_of(sheet.table).primary_key}


def test_no_secret_is_in_an_export(house: House, database: Database, tmp_path: Path) -> None:
    target = tmp_path / "all.zip"
    write_archive(house.source, house.root, target)

    archive = Archive(target)
    everything = b"".join(archive.raw(name) for name in archive.names())
    with database.read() as session:
        hidden = [
            *session.scalars(
                table_of("users").select().with_only_columns(table_of("users").c.password_hash)
            ),
            *session.scalars(
                table_of("api_tokens")
                .select()
                .with_only_columns(table_of("api_tokens").c.token_hash)
            ),
        ]
    assert len(hidden) > 4
    assert not [value for value in hidden if value.encode() in everything]
    assert PASSWORD.encode() not in everything


def test_records_in_the_bin_are_marked(app: DaftarFlask, house: House, tmp_path: Path) -> None:
    change(app, house, "POST", "companies", {"name": "Kaveh Steel"})
    change(app, house, "DELETE", "companies/2")
    target = tmp_path / "all.zip"

    write_archive(house.source, house.root, target)

    found = {row["name"]: row["in_bin"] for row in Archive(target).rows("companies")}
    assert found == {"Pars Trading": "false", "Kaveh Steel": "true"}


def test_a_formula_is_made_harmless_and_persian_stays_readable(
    app: DaftarFlask, house: House, tmp_path: Path
) -> None:
    formula, persian = '=HYPERLINK("http://x.example","click")', "شرکت پارس، «تهران»\nخط دوم"
    change(app, house, "POST", "companies", {"name": formula, "notes": persian})
    target = tmp_path / "all.zip"

    write_archive(house.source, house.root, target)

    archive = Archive(target)
    row = archive.rows("companies")[1]
    assert row["name"] == f"'{formula}"
    assert row["notes"] == persian
    assert archive.raw("companies.csv").startswith(b"\xef\xbb\xbf")


def test_uploaded_files_come_along(house: House, tmp_path: Path) -> None:
    kept = house.settings.files / "ab" / "abcd"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"title\nPump\n")
    (house.settings.files / ".half").write_bytes(b"not yet")
    target = tmp_path / "all.zip"

    write_archive(house.source, house.root, target)

    archive = Archive(target)
    assert archive.raw("files/ab/abcd") == b"title\nPump\n"
    assert "files/.half" not in archive.names()
    assert archive.json("manifest.json")["files"] == {"count": 1, "bytes": 11}


def test_the_manifest_proves_every_sheet(house: House, tmp_path: Path) -> None:
    target = tmp_path / "all.zip"
    write_archive(house.source, house.root, target)

    archive = Archive(target)
    manifest = archive.json("manifest.json")
    for sheet in manifest["sheets"]:
        raw = archive.raw(sheet["file"])
        assert hashlib.sha256(raw).hexdigest() == sheet["sha256"]
        assert len(archive.rows(sheet["file"].removesuffix(".csv"))) == sheet["rows"]
    assert manifest["made_by"] == "Root"
    assert manifest["not_for_this_user"] == []
    assert archive.json("license.json") is None


def test_who_may_not_see_trail_and_messages_gets_an_export_without_them(
    house: House, cast: Cast, tmp_path: Path
) -> None:
    target = tmp_path / "all.zip"
    manager = _with(cast, "exports.run")

    write_archive(house.source, manager, target)

    archive = Archive(target)
    hidden = ["audit_entries.csv", "outgoing_messages.csv", "outside_visits.csv"]
    assert not set(hidden) & set(archive.names())
    assert sorted(archive.json("manifest.json")["not_for_this_user"]) == hidden
    with pytest.raises(NotAllowed):
        write_archive(house.source, cast.anna, target)


def _with(cast: Cast, permission: str) -> Actor:
    return replace(cast.anna, permissions=cast.anna.permissions | {permission})


@pytest.mark.parametrize("place", ["file", "folder"])
def test_what_cannot_be_written_is_told_and_leaves_nothing(
    house: House, tmp_path: Path, place: str
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, no folder")
    target = blocked / "all.zip" if place == "folder" else Path("/dev/full/all.zip")

    with pytest.raises(Missing, match="cannot be written"):
        write_archive(house.source, house.root, target)

    assert list(tmp_path.rglob("*.part")) == []


def test_a_failure_half_way_leaves_the_former_export_as_it_was(
    house: House, tmp_path: Path
) -> None:
    target = tmp_path / "all.zip"
    write_archive(house.source, house.root, target)
    before = target.read_bytes()

    def fail(done: int, _rows: int) -> None:
        if done > 3:
            raise OSError(28, "No space left on device")

    with pytest.raises(Missing, match="No space left"):
        write_archive(house.source, house.root, target, fail)

    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.part")] + [
        path.name for path in tmp_path.glob(".*.part")
    ] == []


def test_memory_does_not_grow_with_the_records(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "PAGE", 100)
    people = Base.metadata.tables["people"]
    with house.database.write(house.root) as session:
        [first] = session.execute(people.select()).mappings().all()
        session.execute(
            insert(people), [{**first, "id": n, "notes": "x" * 8_000} for n in range(2, 1_500)]
        )
    tracemalloc.start()

    write_archive(house.source, house.root, tmp_path / "all.zip")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 6 * 1024 * 1024  # the notes alone are 12 MB


def test_headers_name_the_columns_once(house: House) -> None:
    for sheet in SHEETS:
        header = header_of(sheet)
        assert len(header) == len(set(header)), sheet.table
