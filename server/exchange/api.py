"""Imports over JSON: uploading a file, mapping, a trial run, the run, its rows, taking it back."""

from apiflask import APIBlueprint
from flask import Response, current_app, url_for

from server.exchange import queries, service
from server.exchange.rules import ImportKind
from server.exchange.schema import (
    ImportList,
    ImportRowList,
    ImportShown,
    MappingChange,
    NewImport,
    show_import,
    show_row,
)
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import created, gone, listed, shown, told
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("imports_api", __name__, url_prefix="/imports", tag="imports")


@blueprint.get("")
@needs("imports.run")
@blueprint.output(ImportList)
@blueprint.doc(description=told(queries.IMPORTS))
def list_imports() -> Response:
    """List imports, the newest first."""
    page = queries.list_imports(current_session(), current_actor(), list_query())
    return listed(page, show_import)


@blueprint.post("")
@needs("imports.run")
@blueprint.input(NewImport, location="form_and_files")
@blueprint.output(ImportShown, status_code=201)
def create_import(form_and_files_data: NewImport) -> Response:
    """Upload a file; `start` tries it or runs it at once."""
    body, kind = form_and_files_data, ImportKind(form_and_files_data.kind)
    files = service.FileStore(current_app.extensions["daftar.settings"].files)
    seen = service.look_at_file(files, body.file.stream)
    mapping = None
    if body.mapping.strip():
        mapping = service.from_toml(body.mapping, kind, seen[1].headers, seen[1].dates)
    session, actor = current_session(), current_actor()
    made = service.add_import(session, actor, kind, body.file.filename or "", seen, mapping)
    if body.start:
        start = service.start_run if body.start == "run" else service.start_trial
        start(session, actor, made.id)
    return created(show_import(made), url_for("imports_api.get_import", import_id=made.id))


@blueprint.get("/<int:import_id>")
@needs("imports.run")
@blueprint.output(ImportShown)
def get_import(import_id: int) -> Response:
    """Return one import and how far it is."""
    return shown(show_import(queries.get_import(current_session(), current_actor(), import_id)))


@blueprint.get("/<int:import_id>/rows")
@needs("imports.run")
@blueprint.output(ImportRowList)
@blueprint.doc(description=told(queries.ROWS))
def list_rows(import_id: int) -> Response:
    """List the rows of an import with what became of each."""
    session, actor = current_session(), current_actor()
    headers = service.profile_of(queries.get_import(session, actor, import_id)).headers
    page = queries.list_rows(session, actor, import_id, list_query())
    return listed(page, lambda row: show_row(row, headers))


@blueprint.put("/<int:import_id>/mapping")
@needs("imports.run")
@blueprint.input(MappingChange)
@blueprint.output(ImportShown)
def change_mapping(import_id: int, json_data: MappingChange) -> Response:
    """Say what becomes of the columns, before the import has run."""
    mapping = json_data.mapping()
    found = service.change_mapping(current_session(), current_actor(), import_id, mapping)
    return shown(show_import(found))


@blueprint.post("/<int:import_id>/trial")
@needs("imports.run")
@blueprint.output(ImportShown)
def start_trial(import_id: int) -> Response:
    """Try the import: it tells what would become of every row and writes no record."""
    found = service.start_trial(current_session(), current_actor(), import_id)
    return shown(show_import(found))


@blueprint.post("/<int:import_id>/run")
@needs("imports.run")
@blueprint.output(ImportShown)
def start_run(import_id: int) -> Response:
    """Run the import, or go on with one that was stopped; ask for it again to see how far it is."""
    found = service.start_run(current_session(), current_actor(), import_id)
    return shown(show_import(found))


@blueprint.post("/<int:import_id>/stop")
@needs("imports.run")
@blueprint.output(ImportShown)
def stop(import_id: int) -> Response:
    """Stop the work; what is written stays and can be gone on with or taken back."""
    return shown(show_import(service.stop(current_session(), current_actor(), import_id)))


@blueprint.post("/<int:import_id>/undo")
@needs("imports.run")
@blueprint.output(ImportShown)
def undo(import_id: int) -> Response:
    """Take the import back: new records go to the bin, changed ones are as before."""
    return shown(show_import(service.start_undo(current_session(), current_actor(), import_id)))


@blueprint.delete("/<int:import_id>")
@needs("imports.run")
@blueprint.output({}, status_code=204)
def discard(import_id: int) -> Response:
    """Forget an import that has not run."""
    service.discard(current_session(), current_actor(), import_id)
    return gone()
