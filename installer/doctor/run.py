"""All checks of the doctor in their order, and running them."""

from collections.abc import Callable, Mapping

from installer.checks import Check, CheckReport, CheckResult, run_checks, titles
from installer.doctor import files, letters, networks, records, service
from installer.doctor.patient import Patient, on_plan, on_settings
from installer.preflight import host, storage
from server.core.i18n import mark

CHECKS: tuple[Check[Patient], ...] = (
    Check(
        "configuration",
        mark("Configuration"),
        mark("Everything else follows from it."),
        files.configuration,
    ),
    Check(
        "secrets",
        mark("Secret files"),
        mark("Who reads them can sign in as anybody."),
        on_settings(files.secret_files),
    ),
    Check(
        "database",
        mark("Database"),
        mark("All records live in it."),
        on_settings(records.reachable),
    ),
    Check(
        "database-integrity",
        mark("Integrity of the database"),
        mark("Damage spreads into backups when nobody looks."),
        on_settings(records.whole),
    ),
    Check(
        "migrations",
        mark("Shape of the database"),
        mark("Each release needs its own shape of tables."),
        on_settings(records.newest_shape),
    ),
    Check(
        "web",
        mark("Web service"),
        mark("Colleagues work through it."),
        on_settings(service.web),
    ),
    Check(
        "scheduler",
        mark("Scheduler"),
        mark("Backups, reminders and licence renewals are made by it."),
        on_settings(records.scheduler),
    ),
    Check(
        "jobs",
        mark("Work by the clock"),
        mark("A job that fails every night fails in silence."),
        on_settings(records.jobs),
    ),
    Check(
        "license",
        mark("Licence"),
        mark("Without it records can only be read and taken away."),
        service.license_state,
    ),
    Check(
        "networks",
        mark("Allowed networks"),
        mark("The licence covers users in these networks; colleagues elsewhere are refused."),
        networks.networks,
    ),
    Check(
        "authority",
        mark("Licence authority"),
        mark("The licence is renewed online every day."),
        on_settings(service.authority_answers),
    ),
    Check(
        "mail",
        mark("Mail"),
        mark("Warnings of the licence and of backups leave by it."),
        on_settings(letters.mail),
    ),
    Check(
        "sms",
        mark("SMS"),
        mark("Warnings of the licence reach the representative by it."),
        on_settings(letters.sms),
    ),
    Check(
        "backup",
        mark("Last verified backup"),
        mark("A backup is one only after it was restored."),
        service.backup_age,
    ),
    Check(
        "disk-space",
        mark("Free disk space"),
        mark("A full disk stops saving and backups."),
        on_plan(storage.free_space),
    ),
    Check(
        "file-system",
        mark("File system"),
        mark("The locks of SQLite do not hold on network file systems."),
        on_plan(storage.file_system),
    ),
    Check(
        "log",
        mark("Log directory"),
        mark("Without a log nobody can find out what happened."),
        on_settings(files.log_directory),
    ),
    Check(
        "time",
        mark("Time synchronisation"),
        mark("Licences, codes for signing in and reminders need the right time."),
        on_plan(host.time_synchronisation),
    ),
)


def run_doctor(
    patient: Patient, progress: Callable[[CheckResult], None] | None = None
) -> CheckReport:
    """Look at a running installation and change nothing."""
    return run_checks(CHECKS, patient, progress)


def doctor_titles() -> Mapping[str, str]:
    """Return the titles by id in the reader's language."""
    return titles(CHECKS)
