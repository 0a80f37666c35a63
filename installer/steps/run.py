"""Installing: the steps in their order, carried out one by one. Stopped at any point, it is repeated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from backup.lock import held
from installer.checks import CheckReport, CheckResult
from installer.preflight.run import run_preflight
from installer.steps import backup_keys, places, records, service
from installer.steps.answers import Answers
from installer.steps.journal import Journal, load_journal, save_journal
from installer.steps.work import Step, Work
from server.core import clock
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.version import VERSION

LEFT = ".part-"  # how a file is called until it is whole

STEPS: tuple[Step, ...] = (
    Step("account", mark("User of the service"), service.make_account, system_only=True),
    Step("directories", mark("Folders"), places.make_directories),
    Step("secrets", mark("Secrets"), places.make_secrets),
    Step("configuration", mark("Configuration"), places.write_configuration),
    Step("trust", mark("Root keys of the vendor"), places.take_trust_root),
    Step("database", mark("Database"), records.migrate),
    Step(backup_keys.STEP, mark("Keys of the backups"), backup_keys.make_backup_keys),
    Step("administrator", mark("Administrator"), records.create_administrator),
    Step("organization", mark("Organisation"), records.prepare_organization),
    Step("ownership", mark("Ownership"), service.hand_over, system_only=True),
    Step("service", mark("Service"), service.register_service, system_only=True),
)


def steps_of(answers: Answers) -> tuple[Step, ...]:
    """Return the steps that this installation takes."""
    return tuple(step for step in STEPS if answers.is_system or not step.system_only)


def look_first(
    home: Path, answers: Answers, progress: Callable[[CheckResult], None] | None = None
) -> CheckReport | None:
    """Run the preflight; None when this home is installed already and only repeats its steps."""
    known = load_journal(home)
    if known is not None and known.installed_at is not None:
        return None
    return run_preflight(answers.preflight(home), progress)


def install(
    work: Work, report: CheckReport | None, progress: Callable[[Step, str], None]
) -> Journal:
    """Carry out every step and return the finished journal. `progress` hears of each that ended."""
    with _alone(work.home):
        _sweep(work)
        work.journal = _begin(work, report)
        for step in steps_of(work.answers):
            said = step.run(work)
            work.done(step.id)
            progress(step, said)
        if work.journal.installed_at is None:
            work.journal = replace(work.journal, installed_at=clock.now())
            save_journal(work.home, work.journal)
        return work.journal


def _sweep(work: Work) -> None:
    """Remove the half-written files of a run that was killed; some of them hold private keys."""
    folders = (work.home, *work.home.glob("secrets/**/"), work.settings.trust_root.parent)
    for folder in folders:
        for left in folder.glob(f"{LEFT}*"):
            left.unlink(missing_ok=True)
    if work.answers.backup.recovery_sheet:
        sheet = work.answers.beside(work.answers.backup.recovery_sheet)
        for left in sheet.parent.glob(f"{LEFT}{sheet.name}-*"):
            left.unlink(missing_ok=True)


def new_journal(answers: Answers) -> Journal:
    """Return the journal of an installation that begins now."""
    return Journal(version=VERSION, mode=answers.mode, started_at=clock.now())


def _begin(work: Work, report: CheckReport | None) -> Journal:
    journal = load_journal(work.home) or work.journal
    if report is not None:
        journal = replace(journal, host_checks=report.evidence())
    save_journal(work.home, journal)
    return journal


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=places.FAMILY)
    except OSError as error:
        raise Missing(
            _(
                "The home %(path)s cannot be made: %(why)s.",
                path=home,
                why=error.strerror or error,
            )
        ) from error
    refusal = _("Another “daftar install” is at work in %(path)s.", path=home)
    with held(home / ".install.lock", refusal=refusal):
        yield
