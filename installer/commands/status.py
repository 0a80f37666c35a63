"""`daftar status`: the installation at one glance. What is wrong, and why, is the doctor's."""

import click

from installer.checks import Finding, Status
from installer.commands.home import open_home
from installer.doctor.records import scheduler as scheduler_lives
from installer.doctor.service import web as web_answers
from server.core.clock import rfc3339
from server.core.command_line import FOUND, HomeCommand, json_option, report
from server.core.format import zoned
from server.core.i18n import gettext as _
from server.core.schedule import job_states
from server.core.version import VERSION
from server.users.queries import seats


@click.command(cls=HomeCommand)
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Show whether the service runs, how the licence stands and when the next work is due.

    Ends with 1 when the web service does not run.
    """
    opened = open_home()
    web, scheduler = web_answers(opened.settings), scheduler_lives(opened.settings)
    verdict = opened.office.refresh()
    with opened.database.read() as session:
        used = seats(session)
    states = sorted(job_states(opened.database).items())
    document: dict[str, object] = {
        "version": VERSION,
        "home": str(opened.settings.home),
        "database": opened.database.dialect,
        "web": _part(web),
        "scheduler": _part(scheduler),
        "license": {"mode": verdict.mode, "reason": verdict.reason},
        "seats": {"used": used.used, "cap": used.cap},
        "jobs": {
            name: {"next_at": rfc3339(state.next_at), "ok": state.ok} for name, state in states
        },
    }
    lines = [
        f"Daftar {VERSION}: {opened.settings.home}",
        _("Web service: %(state)s", state=web.detail),
        _("Scheduler: %(state)s", state=scheduler.detail),
        _("Licence: %(state)s", state=f"{verdict.mode} ({verdict.reason})"),
        _("Users: %(used)s of %(cap)s", used=used.used, cap=used.cap),
        *(f"  {name}: {zoned(state.next_at)}" for name, state in states),
    ]
    report(document, "\n".join(lines), as_json=as_json)
    context.exit(0 if _runs(web) else FOUND)


def _part(finding: Finding) -> dict[str, object]:
    return {"runs": _runs(finding), "detail": finding.detail}


def _runs(finding: Finding) -> bool:
    return finding.status in {Status.PASS, Status.WARN}
