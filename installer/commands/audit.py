"""`daftar audit`: whether the audit trail is what it was."""

import click

from installer.commands.home import open_home
from server.audit.chain import seal_all, verify
from server.audit.rules import Trail
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import Broken
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.links import broken_sentence


@click.group(name="audit", cls=HomeGroup)
def group() -> None:
    """Look after the audit trail: who changed what, when, before and after."""


@group.command(name="verify")
@json_option
def verify_trail(as_json: bool) -> None:
    """Walk along the sealed trail; exit code 6 when somebody changed it past Daftar."""
    opened = open_home()
    with opened.database.read() as session:
        found = verify(session)
    document = {
        "ok": found.whole,
        "sealed": found.sealed,
        "unsealed": found.unsealed,
        "erased": found.erased,
        "head": found.head,
        "broken": {"position": found.broken.position, "fault": found.broken.fault.value}
        if found.broken
        else None,
    }
    report(document, _lines(found), as_json=as_json)
    if found.broken is not None:
        raise Broken(broken_sentence(found.broken), code="trail_broken")


@group.command(name="seal")
def seal_trail() -> None:
    """Seal what waits now; the scheduler does this every few seconds by itself."""
    done = seal_all(open_home().database)
    click.echo(ngettext("%(n)s entry was sealed.", "%(n)s entries were sealed.", done))


def _lines(found: Trail) -> str:
    sealed = ngettext("%(n)s entry is sealed.", "%(n)s entries are sealed.", found.sealed)
    waiting = ngettext(
        "%(n)s entry waits for its seal.", "%(n)s entries wait for their seal.", found.unsealed
    )
    erased = ngettext(
        "The values of %(n)s entry were erased on request.",
        "The values of %(n)s entries were erased on request.",
        found.erased,
    )
    head = _("The newest link: %(link)s", link=found.head)
    return "\n".join([sealed, waiting, erased, head])
