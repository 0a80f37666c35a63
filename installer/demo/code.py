"""`python -m installer.demo.code`: the code that an authenticator app would show for the demo's console."""

from pathlib import Path

import click
import pyotp

from installer.demo.vendor import SECOND_FACTOR
from server.core import clock
from server.core.command_line import CommandLine
from server.core.errors import Missing
from server.core.i18n import gettext as _

STEP_S = 30


@click.group(cls=CommandLine, invoke_without_command=True)
@click.option(
    "--var",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="The folder in which both homes live.",
)
def main(var: Path) -> None:
    """Print the code of the demo's second factor and how long it is good."""
    path = var.absolute() / "demo-authority" / SECOND_FACTOR
    if not path.exists():
        raise Missing(_("There is no demo in %(path)s yet. Run “make demo” first.", path=var))
    now = clock.timestamp()
    code = pyotp.TOTP(path.read_text(encoding="utf8").strip()).generate_otp(now // STEP_S)
    left = STEP_S - now % STEP_S
    click.echo(_("%(code)s, for %(n)s more seconds. Each code works once.", code=code, n=left))


if __name__ == "__main__":
    main()
