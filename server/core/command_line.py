"""What both commands share: one table of exit codes, `--home` at any place, refusals as sentences.

No command lives here. `daftar` and `daftar-authority` build their groups from `CommandLine`.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from server.core import errors
from server.core.i18n import LOCALES, set_locale
from server.core.i18n import gettext as _
from server.core.interrupts import INTERRUPTED, tidily

DONE = 0
FOUND = 1  # a check found something wrong
USAGE = 2
MISSING = 3
REFUSED = 4  # the licence refuses
UNREACHABLE = 5
BROKEN = 6

EXIT_CODES: Mapping[type[errors.DaftarError], int] = {
    errors.DaftarError: FOUND,
    errors.NotSignedIn: USAGE,
    errors.NotAllowed: USAGE,
    errors.NotFound: USAGE,
    errors.Invalid: USAGE,
    errors.Conflict: MISSING,
    errors.Stale: INTERRUPTED,
    errors.NotLicensed: REFUSED,
    errors.TooMany: UNREACHABLE,
    errors.Missing: MISSING,
    errors.Unreachable: UNREACHABLE,
    errors.Broken: BROKEN,
    errors.Interrupted: INTERRUPTED,
}

_HOME = "daftar.home"


def exit_code(error: errors.DaftarError) -> int:
    """Return the exit code of an error: that of its nearest class in the table."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def _keep_home(context: click.Context, _option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.meta[_HOME] = value


def _home_option() -> click.Option:
    return click.Option(
        ["--home"],
        type=click.Path(path_type=Path, file_okay=False),
        expose_value=False,
        callback=_keep_home,
        metavar="DIR",
        help="The home to work on.",
    )


class HomeCommand(click.Command):
    """A command that takes `--home`; the one nearest to the end of the line wins."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(_home_option())

    def invoke(self, context: click.Context) -> Any:
        """Do the work; what interrupts it lets it lay everything down in order."""
        with tidily():
            return super().invoke(context)


class HomeGroup(click.Group):
    """A group of commands that all take `--home`."""

    command_class = HomeCommand
    group_class: type[click.Group] | type[type] | None = type

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params.append(_home_option())


class CommandLine(HomeGroup):
    """The outermost group: it turns every refusal into a sentence on stderr and an exit code."""

    group_class = HomeGroup

    def invoke(self, context: click.Context) -> Any:
        """Run the command in the terminal's language; no refusal shows a traceback."""
        set_locale(terminal_locale(os.environ))
        try:
            return super().invoke(context)
        except errors.DaftarError as error:
            _complain(error.message)
            context.exit(exit_code(error))
        except (KeyboardInterrupt, click.Abort):
            _complain(_("Interrupted. The command can safely be repeated."))
            context.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # click ends quietly when the reader of our output has gone
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()
            _complain(_("The database does not answer: %(why)s", why=reason[0] if reason else "?"))
            context.exit(UNREACHABLE)
        except OSError as error:
            _complain(_unusable(error))
            context.exit(MISSING)


def _unusable(error: OSError) -> str:
    why = error.strerror or str(error)
    if error.filename is None:
        return _("The system refuses: %(why)s.", why=why)
    return _("%(path)s cannot be used: %(why)s.", path=error.filename, why=why)


def _complain(sentence: str) -> None:
    click.echo(sentence, err=True)


def home_of(variable: str, default: Path | None = None) -> Path:
    """Return the home of the running command: `--home`, else the variable, else the default."""
    named = click.get_current_context().meta.get(_HOME) or os.environ.get(variable) or default
    if named is None:
        raise errors.Missing(
            _(
                "No home was named. Add --home DIR, or set the variable %(name)s.",
                name=variable,
            )
        )
    return Path(named).absolute()


def terminal_locale(environment: Mapping[str, str]) -> str:
    """Return the language that the terminal asks for, English when it is none of ours."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((environment[name] for name in names if environment.get(name)), "")
    language = asked[:2].lower()
    return language if language in LOCALES else "en"


def may_ask(yes: bool) -> bool:
    """Tell whether the command may ask questions: on a terminal, and not told `--yes`."""
    return not yes and sys.stdin.isatty()


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`, handed over as `as_json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
    )(command)


def report(document: Mapping[str, object], lines: str, *, as_json: bool) -> None:
    """Print the result of a command: one JSON document for programs, or lines for people."""
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else lines)
