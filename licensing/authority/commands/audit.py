"""`daftar-authority audit`: what the vendor's people and the protocol did, and whether it is whole."""

import click

from licensing.authority.audit.chain import Trail, verify
from licensing.authority.audit.models import AuditEntry
from licensing.authority.audit.queries import list_entries
from licensing.authority.commands.home import open_home
from server.core.clock import rfc3339
from server.core.command_line import HomeGroup, json_option, report
from server.core.errors import Broken
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.links import broken_sentence
from server.core.listing import Filter, ListQuery

MOST = 200


@click.group("audit", cls=HomeGroup)
def group() -> None:
    """Look at the audit trail, and prove that nobody changed it past the program."""


@group.command("list")
@click.option("--subject", metavar="ID", help="Only about this licence, customer or key.")
@click.option("--operator", "who", metavar="NAME", help="Only what this person did.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, metavar="N")
@click.option("--cursor", metavar="TEXT", help="Where the page before ended.")
@json_option
def list_all(
    *, subject: str | None, who: str | None, limit: int, cursor: str | None, as_json: bool
) -> None:
    """Show who did what, the newest first."""
    asked = {"subject": subject, "operator": who}
    filters = tuple(Filter(name, "eq", value) for name, value in asked.items() if value)
    wish = ListQuery(limit=limit, cursor=cursor, filters=filters)
    with open_home() as home, home.database.read() as session:
        found = list_entries(session, wish)
        items = [_shown(entry) for entry in found.items]
    lines = "\n".join(
        f"{item['at']}  {item['operator']}  {item['action']}  {item['subject']}  {item['detail']}"
        for item in items
    )
    document = {"items": items, "next_cursor": found.next_cursor}
    report(document, lines or _("Nothing has been done yet."), as_json=as_json)


def _shown(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "operator": entry.operator,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
        "sealed": entry.position is not None,
    }


@group.command("verify")
@json_option
def verify_trail(*, as_json: bool) -> None:
    """Walk along the sealed trail; exit code 6 when somebody changed it past the program."""
    with open_home() as home, home.database.read() as session:
        found = verify(session)
    broken = found.broken
    document = {
        "ok": broken is None,
        "sealed": found.sealed,
        "unsealed": found.unsealed,
        "head": found.head,
        "broken": broken and {"position": broken.position, "fault": broken.fault.value},
    }
    report(document, _lines(found), as_json=as_json)
    if broken is not None:
        raise Broken(broken_sentence(broken), code="trail_broken")


def _lines(found: Trail) -> str:
    sealed = ngettext("%(n)s entry is sealed.", "%(n)s entries are sealed.", found.sealed)
    waiting = ngettext(
        "%(n)s entry waits for its seal.", "%(n)s entries wait for their seal.", found.unsealed
    )
    return "\n".join([sealed, waiting, _("The newest link: %(link)s", link=found.head)])
