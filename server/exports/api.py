"""Full exports over JSON. Every route is open in every licence mode: data is never held back."""

from apiflask import APIBlueprint
from flask import Response, current_app, send_file, url_for

from server.exports import queries, service
from server.exports.schema import ExportList, ExportShown, show_export
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import created, gone, listed, shown, told
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("exports_api", __name__, url_prefix="/exports", tag="exports")


@blueprint.get("")
@needs("exports.run", always=True)
@blueprint.output(ExportList)
@blueprint.doc(description=told(queries.EXPORTS))
def list_exports() -> Response:
    """List exports, the newest first."""
    page = queries.list_exports(current_session(), current_actor(), list_query())
    return listed(page, show_export)


@blueprint.post("")
@needs("exports.run", always=True)
@blueprint.output(ExportShown, status_code=201)
def ask_export() -> Response:
    """Ask for an export of everything; ask for it again to see how far it is."""
    made = service.ask_export(current_session(), current_actor())
    return created(show_export(made), url_for("exports_api.get_export", export_id=made.id))


@blueprint.get("/<int:export_id>")
@needs("exports.run", always=True)
@blueprint.output(ExportShown)
def get_export(export_id: int) -> Response:
    """Return one export and how far it is."""
    return shown(show_export(queries.get_export(current_session(), current_actor(), export_id)))


@blueprint.post("/<int:export_id>/download")
@needs("exports.run", always=True)
@blueprint.output({}, content_type="application/zip")
def download_export(export_id: int) -> Response:
    """Send the finished archive; the audit trail remembers who fetched it."""
    session, actor = current_session(), current_actor()
    path = service.take_out(session, actor, current_app.extensions["daftar.settings"], export_id)
    name = service.file_name(queries.get_export(session, actor, export_id))
    return send_file(path, "application/zip", as_attachment=True, download_name=name)


@blueprint.delete("/<int:export_id>")
@needs("exports.run", always=True)
@blueprint.output({}, status_code=204)
def remove_export(export_id: int) -> Response:
    """Stop an export that is under way, or remove its file."""
    settings = current_app.extensions["daftar.settings"]
    service.remove_export(current_session(), current_actor(), settings, export_id)
    return gone()
