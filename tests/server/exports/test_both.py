"""Full exports on both databases: whole, of one moment, page after page, asked for and written once."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from server.core.actor import Actor
from server.core.db import Base, Database
from server.exports import service, sheets
from server.exports.archive import write_archive
from server.exports.models import Export
from server.http.app import DaftarFlask
from tests.server.exports.conftest import Archive, House, change
from tests.support.racing import race


def test_an_export_holds_every_record_with_words_beside_the_ids(
    house: House, tmp_path: Path
) -> None:
    target = tmp_path / "all.zip"

    written = write_archive(house.source, house.root, target)

    archive = Archive(target)
    [deal] = archive.rows("deals")
    [link] = archive.rows("activity_links")
    assert (deal["title"], deal["company"], deal["pipeline"]) == (
        "Chairs",
        "Pars Trading",
        "Selling",
    )
    assert (deal["amount"], deal["amount_minor"], deal["currency"]) == ("1.00", "100", "USD")
    assert deal["owner_email"] == "root@example.com"
    assert (link["kind"], link["record_id"]) == ("deal", "1")
    assert {row["email"] for row in archive.rows("users")} == {
        f"{name}@example.com" for name in ("anna", "ben", "guest", "root")
    }
    assert written.counts["companies.csv"] == len(archive.rows("companies")) == 1
    assert written.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert target.stat().st_mode & 0o077 == 0


def test_an_export_shows_one_moment(app: DaftarFlask, house: House, tmp_path: Path) -> None:
    """A company that comes in while the export is being written is in no sheet of it."""
    target = tmp_path / "all.zip"
    came: list[object] = []

    def meanwhile(done: int, _rows: int) -> None:
        if done and not came:
            came.append(change(app, house, "POST", "companies", {"name": "Late"}))

    write_archive(house.source, house.root, target, meanwhile)

    assert came
    archive = Archive(target)
    assert [row["name"] for row in archive.rows("companies")] == ["Pars Trading"]
    assert "Late" not in archive.raw("audit_entries.csv").decode()


def test_pages_follow_each_other_without_a_gap(
    house: House, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "PAGE", 3)
    links = Base.metadata.tables["deal_people"]
    people = Base.metadata.tables["people"]
    with database.write(house.root) as session:
        [first] = session.execute(people.select()).mappings().all()
        copies = [{**first, "id": number} for number in range(2, 12)]
        session.execute(insert(people), copies)
        session.execute(
            insert(links), [{"deal_id": 1, "person_id": number} for number in range(1, 12)]
        )
    target = tmp_path / "all.zip"

    write_archive(house.source, house.root, target)

    archive = Archive(target)
    assert [row["id"] for row in archive.rows("people")] == [str(n) for n in range(1, 12)]
    assert [row["person_id"] for row in archive.rows("deal_people")] == [
        str(n) for n in range(1, 12)
    ]


def test_two_desks_write_an_export_once(house: House) -> None:
    export_id = house.ask()
    with house.database.write() as session:
        mine = service.claim(session, "first")
    with house.database.write() as session:
        theirs = service.claim(session, "second")

    assert (mine and mine.id, theirs) == (export_id, None)


def _ask(url: str, root: Actor) -> int:
    database = Database(url)
    with database.write(root) as session:
        found = service.ask_export(session, root).id
    database.dispose()
    return found


def test_many_who_ask_at_once_make_one_export(house: House) -> None:
    made = race(house.database, _ask, [(house.database.url, house.root)] * 4)

    assert len(set(made)) == 1
    with house.database.read() as session:
        assert len(session.scalars(select(Export)).all()) == 1
