"""Pages of full exports: asking, watching the progress, fetching the archive. Open in every licence mode."""

from flask import Blueprint, Response, current_app, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from client_web.reading import address_now, page_address, say
from server.core.config import Settings
from server.core.errors import Conflict, Missing, NotAllowed
from server.core.i18n import gettext as _
from server.exports import queries, service
from server.exports.rules import KEPT_FOR, STATUS_LABELS, UNDER_WAY
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session

blueprint = Blueprint("exports", __name__)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["daftar.settings"]
    return settings


def _words() -> dict[str, object]:
    return {"status_words": {status: _(words) for status, words in STATUS_LABELS.items()}}


@blueprint.get("/exports")
@needs("exports.run", always=True)
def page() -> ResponseReturnValue:
    """List the exports, the newest first, with the progress of the one under way."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.list_exports(session, actor, wish)
    path = url_for("exports.page")
    return render_template(
        "exports/list.html",
        found=found,
        working=queries.under_way(session, actor),
        under_way=UNDER_WAY,
        path=path,
        query=address_now(),
        days=KEPT_FOR.days,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        **_words(),
    )


@blueprint.post("/exports")
@needs("exports.run", always=True)
def ask() -> ResponseReturnValue:
    """Ask for an export of everything."""
    service.ask_export(current_session(), current_actor())
    return redirect(url_for("exports.page"))


@blueprint.get("/exports/progress")
@needs("exports.run", always=True)
def progress() -> ResponseReturnValue:
    """Answer how far the work is; once it is over, the whole page is asked for again."""
    working = queries.under_way(current_session(), current_actor())
    answer = current_app.make_response(
        render_template("exports/_progress.html", working=working, **_words())
    )
    if working is None:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/exports/<int:export_id>/download")
@needs("exports.run", always=True)
def download(export_id: int) -> ResponseReturnValue:
    """Send the archive; the audit trail remembers who fetched it."""
    session, actor = current_session(), current_actor()
    try:
        path = service.take_out(session, actor, _settings(), export_id)
    except (Conflict, Missing, NotAllowed) as refusal:
        say(refusal.message, "warning")
        return redirect(url_for("exports.page"))
    name = service.file_name(queries.get_export(session, actor, export_id))
    answer: Response = send_file(path, "application/zip", as_attachment=True, download_name=name)
    return answer


@blueprint.post("/exports/<int:export_id>/remove")
@needs("exports.run", always=True)
def remove(export_id: int) -> ResponseReturnValue:
    """Stop an export that is under way, or remove its file."""
    service.remove_export(current_session(), current_actor(), _settings(), export_id)
    say(_("The export is removed. The records themselves are untouched."))
    return redirect(url_for("exports.page"))
