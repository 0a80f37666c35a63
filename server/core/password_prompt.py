"""Where a new password comes from: a file, the terminal, or a generator. Never from the command line."""

import secrets
from pathlib import Path

import click

from server.core.command_line import may_ask
from server.core.errors import Missing
from server.core.i18n import gettext as _

# No letters and digits that look alike: it is read aloud and typed once.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 5

password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take the password from the first line of this file.",
)


def choose_password(file: Path | None) -> tuple[str, bool]:
    """Return the password, and whether it was made here and has to be shown once."""
    if file is not None:
        return read_password(file), False
    if may_ask(yes=False):
        typed: str = click.prompt(
            _("Password (empty makes one)"), hide_input=True, default="", show_default=False
        )
        if typed:
            return typed, False
    return make_password(), True


def read_password(file: Path) -> str:
    """Return the first line of a file, or raise Missing."""
    try:
        lines = file.read_text(encoding="utf8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(
            _("The password file %(path)s cannot be read: %(why)s.", path=file, why=error)
        ) from error
    if not lines or not lines[0]:
        raise Missing(_("The password file %(path)s is empty.", path=file))
    return lines[0]


def make_password() -> str:
    """Return a new password of about 99 bits, in groups that can be read aloud."""
    groups = ["".join(secrets.choice(LETTERS) for _letter in range(GROUP)) for _no in range(GROUPS)]
    return "-".join(groups)


def show_password(password: str) -> None:
    """Print a password that was made here; it is not kept."""
    click.echo(_("Password, shown this once: %(password)s", password=password))
