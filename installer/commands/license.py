"""`daftar license`: activating this server, and how its licence stands."""

import click

from installer.commands.home import Opened, open_home
from server.activation.queries import license_status
from server.activation.rules import LicenseStatus
from server.activation.schema import show_status
from server.core.command_line import HomeGroup, json_option, report
from server.core.format import zoned
from server.core.i18n import gettext as _


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
    _show(opened, as_json=as_json)


@group.command()
@json_option
def status(as_json: bool) -> None:
    """Show mode, seats, term and the last contact with the vendor."""
    _show(open_home(), as_json=as_json)


@group.command(name="check-in")
@json_option
def check_in(as_json: bool) -> None:
    """Ask the vendor now; this happens every day by itself."""
    opened = open_home()
    opened.office.check_in(opened.actor)
    _show(opened, as_json=as_json)


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
    _show(opened, as_json=as_json)


def _show(opened: Opened, *, as_json: bool) -> None:
    with opened.database.read() as session:
        found = license_status(session, opened.actor, opened.office)
    report(show_status(found), _lines(found), as_json=as_json)


def _lines(found: LicenseStatus) -> str:
    words = found.explanation
    seats = {"used": found.named.used, "cap": found.named.cap}
    lines = [
        f"{_(words.title)} ({found.mode}, {found.reason})",
        _(words.happened),
        _(words.next_step),
        "",
        _("Licence: %(id)s", id=found.license_id or "–"),
        _("Customer: %(name)s", name=found.customer or "–"),
        _("Users: %(used)s of %(cap)s", **seats),
    ]
    if found.expires_at is not None:
        lines.append(_("Valid until: %(moment)s", moment=zoned(found.expires_at)))
    if found.last_contact_at is not None:
        lines.append(_("Last contact: %(moment)s", moment=zoned(found.last_contact_at)))
    if found.lease is not None:
        ends = zoned(found.lease.read_only_at)
        lines.append(_("Works without contact until: %(moment)s", moment=ends))
    return "\n".join(lines)
