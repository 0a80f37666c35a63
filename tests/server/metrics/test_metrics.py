"""What a monitoring system reads."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from werkzeug.test import TestResponse

from backup.plan import Kind, State
from server.activation.service import LicenseOffice
from server.app import create_app
from server.audit.chain import seal_all, verify_and_remember
from server.backups.models import BackupSet
from server.core import clock
from server.core.actor import SYSTEM
from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.core.schedule import Job, Scheduler, every
from server.core.version import VERSION
from server.http.app import DaftarFlask
from server.metrics.queries import KINDS, counts
from server.metrics.rules import METRICS
from server.users.sign_in import note_failure
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import Cast
from tests.server.http.walk import write_some_records
from tests.server.metrics.asking import ask
from tests.support.licensed import licensed_stage
from tests.support.sources import ROOT

ELSEWHERE = "203.0.113.9"
Figures = dict[tuple[str, tuple[str, ...]], float]


def figures(answer: TestResponse) -> Figures:
    """Return every figure by its name and the values of its labels."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


def names(of: Iterable[tuple[str, tuple[str, ...]]]) -> set[str]:
    return {name for name, _labels in of}


def keep_backup(database: Database, name: str, state: State, *, hours: float) -> None:
    """Write down a backup of that age, as a look at the disk does."""
    made = clock.now() - timedelta(hours=hours)
    with database.write(SYSTEM) as session:
        session.add(
            BackupSet(name=name, created_at=made, kind=Kind.DAILY, bytes=10, state=state, shown={})
        )


def fail() -> None:
    raise RuntimeError("no")


def work(database: Database) -> None:
    """Let something happen of everything that is measured."""
    jobs = [
        Job("good", every(timedelta(minutes=1)), lambda: None, at_start=True),
        Job("bad", every(timedelta(minutes=1)), fail, at_start=True),
    ]
    Scheduler(database, jobs).run_due()
    keep_backup(database, "old", State.VERIFIED, hours=30)
    keep_backup(database, "new", State.FAILED, hours=2)
    with database.write(SYSTEM) as session:
        note_failure(session, "anna@example.com", ELSEWHERE)


def test_the_figures_tell_how_the_house_is(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    write_some_records(app, database, cast)
    seal_all(database)
    verify_and_remember(database)
    work(database)

    found = figures(ask(app))

    assert found["daftar_build_info", (VERSION,)] == found["daftar_up", ()] == 1
    assert found["daftar_license_mode", ("ok",)] == 1
    assert found["daftar_license_mode", ("locked",)] == 0
    assert found["daftar_seats_used", ("named",)] == 4
    assert found["daftar_seats_cap", ("named",)] == 10
    assert found["daftar_seats_cap", ("service",)] == 2
    assert found["daftar_backup_age_seconds", ("newest",)] == pytest.approx(7200, abs=600)
    assert found["daftar_backup_age_seconds", ("verified",)] == pytest.approx(108_000, abs=600)
    assert found["daftar_backup_state", ("newest", "failed")] == 1
    assert found["daftar_backup_state", ("verified", "verified")] == 1
    assert found["daftar_job_last_run_ok", ("good",)] == 1
    assert found["daftar_job_last_run_ok", ("bad",)] == 0
    assert found["daftar_job_last_run_timestamp_seconds", ("bad",)] > 1_700_000_000
    assert found["daftar_audit_trail_whole", ()] == 1
    assert found["daftar_audit_entries_unsealed", ()] == 0
    assert found["daftar_database_size_bytes", ()] > 100_000
    assert found["daftar_sign_in_failures", ()] == 1
    assert found["daftar_records", ("company",)] == found["daftar_records", ("deal",)] == 1


def test_each_figure_is_read_when_it_is_asked_for(
    app: DaftarFlask, settings: Settings, database: Database, cast: Cast
) -> None:
    """Two processes that never heard of each other tell the same."""
    other = create_app(settings, database, EntitlementsBoard(UNLIMITED))
    before = figures(ask(other))

    write_some_records(app, database, cast)

    assert before["daftar_records", ("person",)] == 0
    assert figures(ask(other))["daftar_records", ("person",)] == 1
    assert figures(ask(other))["daftar_audit_entries_unsealed", ()] > 0


def test_a_licence_tells_its_term_and_the_last_contact(
    settings: Settings, sqlite_database: Database
) -> None:
    with licensed_stage(settings, sqlite_database) as stage:
        office: LicenseOffice = stage.open_office()
        app = create_app(stage.settings, sqlite_database, stage.board, office)
        before = figures(ask(app))
        office.activate(SYSTEM, SHOWN_CODE)
        after = figures(ask(app))
        now = clock.timestamp()

    assert before["daftar_license_mode", ("setup",)] == 1
    assert "daftar_license_expires_timestamp_seconds" not in names(before)
    assert after["daftar_license_mode", ("ok",)] == 1
    assert after["daftar_license_expires_timestamp_seconds", ()] > now
    assert after["daftar_license_last_contact_timestamp_seconds", ()] == pytest.approx(now, abs=60)


@pytest.mark.parametrize("mode", ["setup", "read_only", "locked"])
def test_every_licence_mode_can_be_watched(
    settings: Settings, sqlite_database: Database, mode: str
) -> None:
    board = EntitlementsBoard(replace(UNLIMITED, mode=mode))
    app = create_app(settings, sqlite_database, board)

    assert figures(ask(app))["daftar_license_mode", (mode,)] == 1


def test_without_its_database_it_says_so(settings: Settings, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    app = create_app(settings, away, EntitlementsBoard(UNLIMITED))

    found = figures(ask(app))

    assert found["daftar_up", ()] == 0
    assert found["daftar_license_mode", ("ok",)] == 1
    assert names(found) == {"daftar_build_info", "daftar_up", "daftar_license_mode"}


def test_counting_records_reads_an_index_alone(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        for model in KINDS:
            for count in counts(model):
                plan = session.execute(text(f"EXPLAIN QUERY PLAN {count}")).all()
                assert "COVERING INDEX" in str(plan), (model.__tablename__, plan)


def test_every_metric_is_documented() -> None:
    page = (ROOT / "docs" / "admin" / "README.md").read_text(encoding="utf8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `daftar_")}

    assert rows == {
        metric.name + (f"{{{','.join(metric.labels)}}}" if metric.labels else "")
        for metric in METRICS
    }
