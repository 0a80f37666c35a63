"""`daftar install`: from answers to a running installation. The steps live in installer.steps."""

from pathlib import Path

import click

from installer.commands.home import home
from installer.commands.screen import show_check, show_verdict, table
from installer.steps.answers import Answers, load_answers
from installer.steps.run import install as carry_out
from installer.steps.run import look_first, new_journal, steps_of
from installer.steps.work import Step, Work
from server.core.command_line import HomeCommand, may_ask
from server.core.errors import Interrupted, Missing
from server.core.i18n import gettext as _
from server.core.password_prompt import choose_password, read_password


@click.command(cls=HomeCommand)
@click.option(
    "--answers",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The answers; docs/answers.example.toml shows them all.",
)
@click.option("--plan", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is changed.")
def install(file: Path, plan: bool, yes: bool) -> None:
    """Install Daftar into the home, step by step. Safe to repeat, also after it was stopped."""
    place, answers = home(), load_answers(file)
    settings = answers.settings(place)
    if plan:
        click.echo(_planned(place, answers))
        return
    report = look_first(place, answers, show_check)
    if report is not None:
        show_verdict(report)
        if not report.ok:
            raise Missing(_("Nothing was changed: the checks above have to pass first."))
    if may_ask(yes):
        _ask(place)
    work = Work(
        home=place,
        answers=answers,
        settings=settings,
        journal=new_journal(answers),
        password=lambda: _password(answers),
        say=click.echo,
    )
    carry_out(work, report, _show)
    click.echo("\n" + _next(place, offline=answers.license.offline))


def _ask(place: Path) -> None:
    if not click.confirm(_("Install Daftar into %(home)s?", home=place), default=True):
        raise Interrupted(_("Nothing was changed."))


def _password(answers: Answers) -> tuple[str, bool]:
    named = answers.admin.password_file
    if named:
        return read_password(answers.beside(named)), False
    return choose_password(None)


def _planned(place: Path, answers: Answers) -> str:
    settings = answers.settings(place)
    facts = (
        (_("Home"), str(place)),
        (_("Mode"), answers.mode),
        (_("Data"), str(settings.data)),
        (_("Backups"), str(settings.backups)),
        (_("Address"), f"{settings.web.host}:{settings.web.port}"),
        (_("Administrator"), answers.admin.email),
    )
    steps = [(str(number), _(step.title)) for number, step in enumerate(steps_of(answers), 1)]
    return f"{table(('', _('What')), facts)}\n\n{table(('', _('Steps')), steps)}"


def _show(step: Step, said: str) -> None:
    click.echo(f"{click.style('✓', fg='green')} {_(step.title)}: {said}")


def _next(place: Path, *, offline: bool) -> str:
    if offline:
        return _(
            "Daftar is installed in %(home)s. Next:\n"
            "  daftar license export-request FILE --kind activate --code CODE --home %(home)s\n"
            "  daftar serve --home %(home)s",
            home=place,
        )
    return _(
        "Daftar is installed in %(home)s. Next:\n"
        "  daftar license activate CODE --home %(home)s\n"
        "  daftar serve --home %(home)s",
        home=place,
    )
