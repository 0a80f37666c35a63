"""`daftar-authority init`."""

from pathlib import Path

import click

from licensing.authority.commands.home import HOME_VARIABLE
from licensing.authority.founding import Wishes, found, is_founded
from licensing.authority.keys.private import PASSPHRASE_VARIABLE, find_passphrase
from server.core.command_line import HomeCommand, home_of, json_option, may_ask, report
from server.core.errors import Invalid, Missing
from server.core.i18n import gettext as _

_LEAST_PASSPHRASE = 8


@click.command("init", cls=HomeCommand)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option(
    "--root-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the private root keys go; by default HOME/root.",
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"The passphrase of all private keys; else the variable {PASSPHRASE_VARIABLE}.",
)
@click.option("--database", "database_url", default="", metavar="URL", help="Default: SQLite.")
@json_option
def command(
    *,
    yes: bool,
    root_dir: Path | None,
    passphrase_file: Path | None,
    database_url: str,
    as_json: bool,
) -> None:
    """Make the root keys, the first keyset, the database and the settings."""
    home = home_of(HOME_VARIABLE)
    if is_founded(home):
        lines = _("There is an authority at %(home)s already. Nothing was changed.", home=home)
        report({"home": str(home), "created": False}, lines, as_json=as_json)
        return
    folder = (root_dir or home / "root").absolute()
    file = passphrase_file.absolute() if passphrase_file else None
    settings = found(home, Wishes(folder, _passphrase(file, yes), file, database_url))
    lines = _(
        "The authority is ready at %(home)s.\n"
        "The private root keys are in %(folder)s. Move them to media that stay offline: "
        "only rotating and revoking keys needs them.\n"
        "Customers trust %(root)s. Start with “daftar-authority serve”.",
        home=home,
        folder=folder,
        root=settings.trust_dir / "root.json",
    )
    document = {"home": str(home), "created": True, "root_dir": str(folder)}
    report(document, lines, as_json=as_json)


def _passphrase(file: Path | None, yes: bool) -> bytes:
    passphrase = find_passphrase(file)
    if passphrase is None and may_ask(yes):
        asked: str = click.prompt(
            _("Passphrase of the private keys"), hide_input=True, confirmation_prompt=True, err=True
        )
        passphrase = asked.encode()
    if passphrase is None:
        raise Missing(
            _(
                "The private keys need a passphrase. Name its file with --passphrase-file, "
                "or set the variable %(name)s.",
                name=PASSPHRASE_VARIABLE,
            )
        )
    if len(passphrase) < _LEAST_PASSPHRASE:
        raise Invalid(
            _("The passphrase needs at least %(n)s characters.", n=_LEAST_PASSPHRASE),
            field="passphrase",
        )
    return passphrase
