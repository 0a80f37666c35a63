"""`daftar token`: keys for programs."""

import click

from installer.commands.home import open_home
from installer.commands.user import find_user
from server.core.command_line import HomeGroup, json_option, report
from server.core.i18n import gettext as _
from server.users.sign_in import create_token


@click.group(name="token", cls=HomeGroup)
def group() -> None:
    """Make tokens for programs that use the API."""


@group.command()
@click.option("--user", "email", required=True, metavar="EMAIL", help="Whose rights it carries.")
@click.option("--name", required=True, help="What it is for.")
@json_option
def create(email: str, name: str, as_json: bool) -> None:
    """Make a token and print it, this once."""
    opened = open_home()
    with opened.database.write(opened.actor) as session:
        user = find_user(session, email)
        token = create_token(session, opened.actor, user.id, name)
    if not as_json:
        click.echo(_("This token is shown once. Keep it like a password."), err=True)
    report({"token": token, "user": user.email, "name": name.strip()}, token, as_json=as_json)
