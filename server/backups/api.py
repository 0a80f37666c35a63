"""Backups over JSON. Every route is open in every licence mode: a lapsed licence never costs data."""

from apiflask import APIBlueprint
from flask import Response, current_app, jsonify, url_for

from backup.confirm import Choice
from backup.plan import Kind
from server.backups import queries
from server.backups.models import BackupSet
from server.backups.rules import Action
from server.backups.runs import Wish
from server.backups.schema import (
    BackupList,
    BackupShown,
    NewRun,
    RunList,
    RunShown,
    Word,
    show_run,
)
from server.backups.service import BackupOffice
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import created, listed, shown, told
from server.http.unit_of_work import current_session
from server.users.queries import confirm_password

blueprint = APIBlueprint("backups_api", __name__, url_prefix="/backups", tag="backups")


def _office() -> BackupOffice:
    office: BackupOffice = current_app.extensions["daftar.backups"]
    return office


def _show(found: BackupSet) -> dict[str, object]:
    return found.shown


@blueprint.get("")
@needs("backups.see", always=True)
@blueprint.output(BackupList)
@blueprint.doc(description=told(queries.SETS))
def list_backups() -> Response:
    """List backups, newest first."""
    page = queries.list_sets(current_session(), current_actor(), list_query())
    return listed(page, _show)


@blueprint.get("/runs")
@needs("backups.see", always=True)
@blueprint.output(RunList)
def list_runs() -> Response:
    """Show what runs and waits, and the newest runs that ended."""
    session, actor = current_session(), current_actor()
    runs = [*queries.runs_under_way(session, actor), *queries.recent_runs(session, actor)]
    return jsonify({"items": [show_run(run) for run in runs]})


@blueprint.post("/runs")
@needs("backups.run", always=True)
@blueprint.input(NewRun)
@blueprint.output(RunShown, status_code=201)
def ask_run(json_data: NewRun) -> Response:
    """Ask the scheduler for a backup or a verification; the same wish waits only once."""
    kind = Kind.MANUAL if json_data.word is Action.RUN else None
    wish = Wish(json_data.word, kind, json_data.id if kind is None else "")
    run = _office().ask(current_session(), current_actor(), wish)
    return created(show_run(run), url_for("backups_api.list_runs"))


@blueprint.get("/<string:backup_id>")
@needs("backups.see", always=True)
@blueprint.output(BackupShown)
def get_backup(backup_id: str) -> Response:
    """Return one backup."""
    return shown(_show(queries.get_set(current_session(), current_actor(), backup_id)))


@blueprint.post("/<string:backup_id>/confirm")
@needs("backups.confirm", always=True)
@blueprint.input(Word)
@blueprint.output(BackupShown)
def confirm_backup(backup_id: str, json_data: Word) -> Response:
    """Write down that the token's owner checked this backup."""
    session, actor = current_session(), current_actor()
    confirm_password(session, actor, json_data.password)
    _office().confirm(session, actor, backup_id, Choice(json_data.choice), json_data.note)
    return shown(_show(queries.get_set(session, actor, backup_id)))


@blueprint.post("/<string:backup_id>/download")
@needs("backups.run", always=True)
@blueprint.output({}, content_type="application/x-tar")
def download_backup(backup_id: str) -> Response:
    """Send the sealed backup as one tar file."""
    outgoing = _office().send(current_session(), current_actor(), backup_id)
    answer = Response(outgoing.blocks, mimetype="application/x-tar")
    answer.content_length = outgoing.size
    answer.headers["Content-Disposition"] = f'attachment; filename="daftar-{backup_id}.tar"'
    return answer
