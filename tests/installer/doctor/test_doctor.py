"""A running installation with faults planted one at a time."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from backup.report import Standing
from installer.checks import CheckResult, Status
from installer.doctor.patient import Patient, admit
from installer.doctor.run import CHECKS, doctor_titles, run_doctor
from installer.doctor.service import judge_backup
from server.core import clock
from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import Entitlements
from server.core.errors import Broken
from server.core.schedule import JobState, SchedulerLease

HOUR = 3600


def found(patient: Patient) -> dict[str, CheckResult]:
    return {check.id: check for check in run_doctor(patient).checks}


@pytest.mark.usefixtures("served")
def test_a_sound_installation_is_ok(patient: Patient) -> None:
    report = run_doctor(patient)

    failures = [check for check in report.checks if check.status is Status.FAIL]
    assert report.ok, failures
    passed = {check.id for check in report.checks if check.status is Status.PASS}
    assert {"configuration", "secrets", "database", "database-integrity", "web"} <= passed
    assert {"migrations", "scheduler", "log"} <= passed


def test_the_json_has_exactly_the_promised_fields(patient: Patient) -> None:
    document = json.loads(run_doctor(patient).to_json())

    assert set(document) == {"ok", "checks"}
    assert all(
        set(check) == {"id", "title", "status", "detail", "fix"} for check in document["checks"]
    )


def test_whatever_is_wrong_has_a_fix(tmp_path: Path, patient: Patient) -> None:
    for each in (patient, admit(tmp_path / "nowhere")):
        for check in run_doctor(each).checks:
            if check.status in {Status.WARN, Status.FAIL}:
                assert check.fix, check.id


def test_a_home_without_configuration_is_told_and_nothing_else_is_guessed(tmp_path: Path) -> None:
    report = run_doctor(admit(tmp_path / "nowhere"))

    assert not report.ok
    assert report.checks[0].status is Status.FAIL
    assert {check.status for check in report.checks[1:]} == {Status.SKIP}


def test_a_wrong_setting_is_named(home: Path) -> None:
    (home / "daftar.toml").write_text("[web]\nprot = 1\n", encoding="utf-8")

    assert "web.prot" in found(admit(home))["configuration"].detail


def test_a_secret_that_others_may_read_fails(patient: Patient) -> None:
    (patient.home / "secrets" / "web.key").chmod(0o644)

    check = found(patient)["secrets"]

    assert check.status is Status.FAIL
    assert check.fix.startswith("chmod")


def test_a_missing_secret_fails(patient: Patient) -> None:
    (patient.home / "secrets" / "web.key").unlink()

    assert found(patient)["secrets"].status is Status.FAIL


def test_a_missing_database_is_told_and_not_made(home: Path) -> None:
    file = home / "data" / "db" / "daftar.sqlite3"
    file.unlink()

    checks = found(admit(home))

    assert checks["database"].status is Status.FAIL
    assert not file.exists()


def test_a_damaged_database_fails(home: Path, patient: Patient, database: Database) -> None:
    database.dispose()
    file = home / "data" / "db" / "daftar.sqlite3"
    content = bytearray(file.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\xff" * (4096 * 4)
    file.write_bytes(content)

    checks = found(patient)

    assert checks["database-integrity"].status is Status.FAIL


def test_a_file_that_is_no_database_fails(home: Path) -> None:
    (home / "data" / "db" / "daftar.sqlite3").write_bytes(b"nothing of ours" * 1000)

    assert found(admit(home))["database"].status is Status.FAIL


def test_a_database_of_another_release_fails(patient: Patient, database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    check = found(patient)["migrations"]

    assert check.status is Status.FAIL
    assert check.fix == "daftar db upgrade"


def test_a_dead_web_service_fails(patient: Patient) -> None:
    assert found(patient)["web"].status is Status.FAIL


def test_a_stranger_on_our_port_is_not_our_web_service(
    patient: Patient, settings: Settings
) -> None:
    with socket.create_server((settings.web.host, settings.web.port)) as stranger:
        stranger.listen()
        # The stranger takes the connection and says nothing.
        assert found(patient)["web"].status is Status.FAIL


def test_a_dead_scheduler_fails(patient: Patient, database: Database) -> None:
    with database.write() as session:
        session.execute(update(SchedulerLease).values(expires_at=clock.now() - timedelta(hours=3)))

    check = found(patient)["scheduler"]

    assert check.status is Status.FAIL
    assert "serve" in check.fix


def test_a_scheduler_that_never_ran_fails(home: Path) -> None:
    assert found(admit(home))["scheduler"].status is Status.FAIL


def test_a_failing_job_is_named(patient: Patient, database: Database) -> None:
    with database.write() as session:
        session.add(JobState(name="backup", next_at=clock.now(), ok=False, error="disk full"))

    check = found(patient)["jobs"]

    assert check.status is Status.WARN
    assert "backup: disk full" in check.detail


def test_a_log_directory_that_is_gone_fails(patient: Patient, home: Path) -> None:
    (home / "data" / "log").rmdir()

    assert found(patient)["log"].status is Status.FAIL


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("ok", Status.PASS),
        ("warn_users", Status.WARN),
        ("setup", Status.WARN),
        ("read_only", Status.FAIL),
        ("locked", Status.FAIL),
    ],
)
def test_the_licence_is_judged_by_what_it_still_allows(
    home: Path, mode: str, status: Status
) -> None:
    patient = admit(home, license=lambda _settings: Entitlements(mode=mode, reason="no_contact"))

    assert found(patient)["license"].status is status


def test_too_many_users_are_mended_by_fewer_users_or_more_seats(home: Path) -> None:
    over = Entitlements(mode="read_only", reason="seats_over_cap")

    check = found(admit(home, license=lambda _settings: over))["license"]

    assert "buy more seats" in check.fix
    assert "check-in" not in check.fix


def test_a_damaged_licence_fails_with_its_own_words(home: Path) -> None:
    def damaged(_settings: Settings) -> Entitlements:
        raise Broken("The licence's state was altered.")

    check = found(admit(home, license=damaged))["license"]

    assert check.status is Status.FAIL
    assert check.detail == "The licence's state was altered."


def test_an_installation_without_verified_backup_fails(home: Path) -> None:
    nothing = Standing(None, None, (), None, None)

    assert found(admit(home, backups=lambda _settings: nothing))["backup"].status is Status.FAIL


def test_what_nobody_asked_does_not_pass(patient: Patient) -> None:
    checks = found(patient)

    assert checks["license"].status is Status.SKIP
    assert checks["backup"].status is Status.SKIP


def test_the_age_of_the_last_verified_backup_is_judged() -> None:
    assert judge_backup(20 * HOUR).status is Status.PASS
    assert judge_backup(30 * HOUR).status is Status.WARN
    assert judge_backup(8 * 24 * HOUR).status is Status.FAIL
    assert judge_backup(None).status is Status.FAIL


def test_a_dead_authority_is_a_warning_because_work_goes_on(
    patient: Patient, settings: Settings, dead_url: Callable[[], str]
) -> None:
    license_settings = replace(settings.license, authority_urls=(dead_url(),))
    patient = replace(patient, settings=replace(settings, license=license_settings))

    assert found(patient)["authority"].status is Status.WARN


def test_identifiers_are_unique() -> None:
    assert set(doctor_titles()) == {check.id for check in CHECKS}
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_looking_leaves_no_new_files(patient: Patient, home: Path) -> None:
    before = sorted(home.rglob("*"))

    run_doctor(patient)

    assert sorted(home.rglob("*")) == before
