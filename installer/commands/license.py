"""`daftar license`: activating this server, asking the vendor, giving back; what else is beside."""

import click

from installer.commands.home import open_home
from installer.commands.license_looking import confirm_machine, diagnose, messages, preview
from installer.commands.license_offline import export_request, import_answer, receipt, withdraw
from installer.commands.license_status import show
from server.core.command_line import HomeGroup, json_option


@click.group(name="license", cls=HomeGroup)
def group() -> None:
    """Activate the licence, see how it stands, give it back."""


@group.command()
@click.argument("code")
@json_option
def activate(code: str, as_json: bool) -> None:
    """Activate the licence of this CODE on this server. Safe to repeat."""
    opened = open_home()
    opened.office.activate(opened.actor, code)
    show(opened, as_json=as_json)


@group.command()
@json_option
def status(as_json: bool) -> None:
    """Show mode, seats, term and the last contact with the vendor."""
    show(open_home(), as_json=as_json)


@group.command(name="check-in")
@json_option
def check_in(as_json: bool) -> None:
    """Ask the vendor now; this happens every day by itself."""
    opened = open_home()
    opened.office.check_in(opened.actor)
    show(opened, as_json=as_json)


@group.command()
@click.option(
    "--reason",
    type=click.Choice(["move", "refund", "end"]),
    required=True,
    help="move: the same code activates another server; refund: for money back; end: for good.",
)
@json_option
def deactivate(reason: str, as_json: bool) -> None:
    """Give the licence back; the signed proof is kept and the data stays."""
    opened = open_home()
    opened.office.deactivate(opened.actor, reason)
    show(opened, as_json=as_json)


for command in (
    export_request,
    import_answer,
    withdraw,
    receipt,
    preview,
    messages,
    confirm_machine,
    diagnose,
):
    group.add_command(command)
