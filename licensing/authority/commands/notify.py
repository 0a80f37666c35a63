"""`daftar-authority notify`: trying out mail and SMS, and what was sent to customers and staff."""

import click

from licensing.authority.commands.home import open_home
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.letter_list import list_messages, message_document, message_line
from server.core.letter_trial import try_out
from server.core.letters import Channel
from server.core.listing import ListQuery
from server.core.postman import carriers


@click.group("notify", cls=HomeGroup)
def group() -> None:
    """Try out mail and SMS, and see what was sent."""


@group.command("test")
@click.option("--mail", metavar="ADDRESS", help="Send a test message to this address.")
@click.option("--sms", metavar="NUMBER", help="Send a test SMS to this number.")
@json_option
def test(*, mail: str | None, sms: str | None, as_json: bool) -> None:
    """Send a test message now and say which step fails.

    Ends with 5 when the server cannot be reached or refuses our sign-in, with 1 when it refuses the message.
    """
    if bool(mail) == bool(sms):
        raise Invalid(_("Name one of --mail ADDRESS and --sms NUMBER."), field="mail")
    channel = Channel.EMAIL if mail else Channel.SMS
    with open_home() as home:
        found = home.settings
        carrying = carriers(found.mail, found.sms, home=found.home, secrets_dir=found.secrets_dir)
        answer = try_out(home.database, carrying, channel, mail or sms or "")
    lines = _("Handed over. The answer was: %(answer)s", answer=answer)
    report({"sent": True, "answer": answer}, lines, as_json=as_json)


@group.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, metavar="N")
@json_option
def list_all(*, limit: int, as_json: bool) -> None:
    """Show what was sent, the newest first."""
    with open_home() as home, home.database.read() as session:
        found = list_messages(session, ListQuery(limit=limit)).items
    lines = "\n".join(message_line(one) for one in found) or _("Nothing was sent yet.")
    report({"items": [message_document(one) for one in found]}, lines, as_json=as_json)
