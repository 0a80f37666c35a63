"""`daftar preflight` and `daftar doctor`: looking at a server, and at an installation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from installer.checks import CheckReport, CheckResult
from installer.commands.home import Opened, at_the_keyboard, home, open_database
from installer.commands.screen import show_check, show_verdict
from installer.doctor.patient import admit, plan_of
from installer.doctor.run import run_doctor
from installer.facts import backups_standing
from installer.preflight.plan import Mode, PreflightPlan
from installer.preflight.run import run_preflight
from installer.steps.answers import SYSTEM_PATHS, load_answers
from installer.steps.journal import load_journal
from server.core.command_line import FOUND, HomeCommand, json_option
from server.core.config import Settings, load_settings
from server.core.entitlements import Entitlements


@click.command(cls=HomeCommand)
@click.option(
    "--answers",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The answers of the installation to come; without them, the usual ones.",
)
@json_option
@click.pass_context
def preflight(context: click.Context, answers: Path | None, as_json: bool) -> None:
    """Look at everything an installation needs, and change nothing."""
    plan = _plan(answers)
    _finish(context, run_preflight(plan, _progress(as_json)), as_json=as_json)


def _plan(answers: Path | None) -> PreflightPlan:
    place = home()
    if answers is not None:
        return load_answers(answers).preflight(place)
    if (place / "daftar.toml").is_file():
        journal = load_journal(place)
        mode = Mode(journal.mode) if journal else Mode.SYSTEM
        return replace(plan_of(load_settings(place)), mode=mode)
    return PreflightPlan(
        home=place,
        data=Path(SYSTEM_PATHS.data),
        backups=Path(SYSTEM_PATHS.backups),
        mode=Mode.SYSTEM,
    )


@click.command(cls=HomeCommand)
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Examine a running installation and say what is wrong with it and how to mend it."""
    patient = admit(home(), license=_license, backups=backups_standing)
    _finish(context, run_doctor(patient, _progress(as_json)), as_json=as_json)


def _license(settings: Settings) -> Entitlements:
    database = open_database(settings)
    try:
        return Opened(settings, database, at_the_keyboard()).office.refresh()
    finally:
        database.dispose()


def _progress(as_json: bool) -> Callable[[CheckResult], None] | None:
    return None if as_json else show_check


def _finish(context: click.Context, report: CheckReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(report.to_json())
    else:
        show_verdict(report)
    context.exit(0 if report.ok else FOUND)
