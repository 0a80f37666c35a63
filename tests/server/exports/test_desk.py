"""Exports that people asked for: written once, stopped, left behind by the dead, removed in time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from server.audit.models import AuditEntry
from server.core import clock
from server.core.db import Database
from server.core.errors import Conflict, DaftarError, NotAllowed
from server.exports import desk as desks
from server.exports import service
from server.exports.rules import ExportStatus
from server.users.rules import PERMISSIONS, Role
from tests.server.conftest import Cast
from tests.server.exports.conftest import House, new_desk


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what is asked here does not depend on its kind."""
    return sqlite_database


def test_the_desk_writes_what_waits(house: House) -> None:
    export_id = house.ask()

    house.desk.work_off()

    found = house.look(export_id)
    assert found.status is ExportStatus.DONE
    assert (found.error, found.claimed_by) == ("", "")
    assert found.counts["companies.csv"] == 1
    assert found.bytes == house.archive(export_id).path.stat().st_size
    assert "manifest.json" in house.archive(export_id).names()


def test_who_asks_while_one_waits_is_given_that_one(house: House) -> None:
    assert house.ask() == house.ask()


def test_nobody_takes_out_what_another_was_allowed_to_see_and_they_are_not(
    house: House, cast: Cast
) -> None:
    manager = replace(cast.anna, permissions=PERMISSIONS[Role.MANAGER])
    of_root = house.ask()
    house.desk.work_off()
    own = house.ask(manager)
    new_desk(house.settings, house.database, manager).work_off()

    assert "audit_entries.csv" in house.archive(of_root).names()
    assert "audit_entries.csv" not in house.archive(own).names()
    with house.database.write(manager) as session:
        assert service.take_out(session, manager, house.settings, own)
        with pytest.raises(NotAllowed):
            service.take_out(session, manager, house.settings, of_root)
    with house.database.write(cast.root) as session:
        assert service.take_out(session, cast.root, house.settings, own)


def test_an_export_that_a_dead_process_left_is_written_by_another(house: House) -> None:
    export_id = house.ask()
    with house.database.write() as session:
        service.claim(session, "dead")
    half = service.folder_of(house.settings) / f".{export_id}.zip.aa.part"
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(b"half")

    house.desk.work_off()
    early = house.look(export_id).status
    with time_machine.travel(clock.now() + service.CLAIM + timedelta(seconds=1), tick=False):
        house.desk.work_off()

    assert early is ExportStatus.RUNNING
    assert house.look(export_id).status is ExportStatus.DONE
    assert not half.exists()


def test_an_export_that_kills_its_process_again_and_again_is_given_up(house: House) -> None:
    export_id = house.ask()
    at = clock.now()
    for attempt in range(4):
        with (
            time_machine.travel(at + attempt * timedelta(minutes=5), tick=False),
            house.database.write() as session,
        ):
            service.claim(session, f"dead {attempt}")

    found = house.look(export_id)
    assert found.status is ExportStatus.FAILED
    assert "3 times" in found.error


def test_a_removed_export_stops(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "TELL_S", 0.0)
    export_id = house.ask()
    told = house.desk._teller

    def remove_first(number: int) -> Callable[[int, int], None]:
        with house.database.write(house.root) as session:
            service.remove_export(session, house.root, house.settings, number)
        return told(number)

    monkeypatch.setattr(house.desk, "_teller", remove_first)

    house.desk.work_off()

    assert house.look(export_id).status is ExportStatus.REMOVED
    assert list(service.folder_of(house.settings).glob("*")) == []
    assert list(service.folder_of(house.settings).glob(".*.part")) == []


def test_a_disk_that_refuses_is_told_in_the_list(house: House) -> None:
    export_id = house.ask()
    service.folder_of(house.settings).parent.mkdir(parents=True, exist_ok=True)
    service.folder_of(house.settings).write_text("a file where the folder should be")

    house.desk.work_off()

    found = house.look(export_id)
    assert found.status is ExportStatus.FAILED
    assert "cannot be written" in found.error


def test_whose_account_is_out_of_use_gets_no_export(house: House, cast: Cast) -> None:
    export_id = house.ask()

    new_desk(house.settings, house.database, cast.guest).work_off()

    found = house.look(export_id)
    assert found.status is ExportStatus.FAILED
    assert "export data" in found.error


def test_a_download_needs_a_ready_file_and_stands_in_the_trail(house: House) -> None:
    export_id = house.ask()
    with pytest.raises(Conflict), house.database.write(house.root) as session:
        service.take_out(session, house.root, house.settings, export_id)
    house.desk.work_off()
    with house.database.write(house.root) as session:
        path = service.take_out(session, house.root, house.settings, export_id)
    path.unlink()
    with (
        pytest.raises(DaftarError, match="not there any more"),
        house.database.write(house.root) as session,
    ):
        service.take_out(session, house.root, house.settings, export_id)

    with house.database.read() as session:
        query = select(AuditEntry.action).where(AuditEntry.kind == "export").order_by(AuditEntry.id)
        assert session.scalars(query).all() == ["export", "download"]


def test_old_exports_are_removed_by_themselves(house: House) -> None:
    export_id = house.ask()
    house.desk.work_off()
    with time_machine.travel(clock.now() + timedelta(days=6), tick=False):
        house.desk.expire()
    kept = house.archive(export_id).path.exists()
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        house.desk.expire()

    assert kept
    assert house.look(export_id).status is ExportStatus.REMOVED
    assert not house.archive(export_id).path.exists()
