"""Pages of imports: the list, uploading, the mapping, the trial run, the run with its progress, every row."""

import csv
from io import StringIO
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.imports import forms
from client_web.money import currency_choices, typed_currency
from client_web.reading import address_now, page_address, say
from server.core.cells import harmless
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.core.kinds import kind_of
from server.deals.queries import all_pipelines
from server.exchange import queries, service
from server.exchange.rules import (
    EDITABLE,
    KIND_LABELS,
    MAX_FILE,
    MODE_LABELS,
    OUTCOME_LABELS,
    RESUMABLE,
    STATUS_LABELS,
    UNDO_LABELS,
    UNDOABLE,
    WORKING,
)
from server.exchange.service import ImportKind, ImportStatus, Mode
from server.http.access import current_actor, needs
from server.http.errors import status_of
from server.http.paging import list_query
from server.http.unit_of_work import current_session

if TYPE_CHECKING:  # templates show records, and only their types are needed here
    from server.exchange.models import Import

blueprint = Blueprint("imports", __name__)

RECORDS = {ImportKind.COMPANIES: "company", ImportKind.PEOPLE: "person", ImportKind.DEALS: "deal"}
MEGABYTE = 1024 * 1024


def _words() -> dict[str, object]:
    return {
        "kind_words": {kind: _(words) for kind, words in KIND_LABELS.items()},
        "status_words": {status: _(words) for status, words in STATUS_LABELS.items()},
        "outcome_words": {outcome: _(words) for outcome, words in OUTCOME_LABELS.items()},
        "undo_words": {outcome: _(words) for outcome, words in UNDO_LABELS.items()},
    }


def _files() -> service.FileStore:
    return service.FileStore(current_app.extensions["daftar.settings"].files)


@blueprint.get("/imports")
@needs("imports.run")
def page() -> ResponseReturnValue:
    """List the imports, the newest first."""
    wish = list_query()
    found = queries.list_imports(current_session(), current_actor(), wish)
    path = url_for("imports.page")
    return render_template(
        "imports/list.html",
        found=found,
        wish=wish,
        path=path,
        query=address_now(),
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        **_words(),
    )


@blueprint.get("/imports/new")
@needs("imports.run")
def new() -> ResponseReturnValue:
    """Ask for a file and for what it holds."""
    return _new(request.args.get("kind", ""))


@blueprint.post("/imports/new")
@needs("imports.run")
def upload() -> ResponseReturnValue:
    """Keep the file, take a first look at it and go on to its mapping."""
    chosen, file = request.form.get("kind", ""), request.files.get("file")
    try:
        kind = _kind(chosen)
        if file is None or not file.filename:
            raise Invalid(_("Choose the file to import."), field="file")
        seen = service.look_at_file(_files(), file.stream)  # before the database is asked for
        made = service.add_import(current_session(), current_actor(), kind, file.filename, seen)
    except DaftarError as refusal:
        return _new(chosen, refusal), status_of(refusal)
    return redirect(url_for("imports.mapping", import_id=made.id))


def _kind(text: str) -> ImportKind:
    try:
        return ImportKind(text)
    except ValueError as error:
        raise Invalid(_("Say what the rows of the file are."), field="kind") from error


def _new(kind: str, refusal: DaftarError | None = None) -> str:
    return render_template(
        "imports/new.html",
        kind=kind if kind in list(ImportKind) else "",
        kinds=[(kind.value, _(words)) for kind, words in KIND_LABELS.items()],
        problem=refusal,
        errors={item.field: item.message for item in getattr(refusal, "errors", ())},
        most=MAX_FILE // MEGABYTE,
    )


@blueprint.get("/imports/<int:import_id>/mapping")
@needs("imports.run")
def mapping(import_id: int) -> ResponseReturnValue:
    """Show what each column is taken for."""
    found = queries.get_import(current_session(), current_actor(), import_id)
    if found.status not in EDITABLE:
        return redirect(url_for("imports.show", import_id=import_id))
    return _mapping(found, service.mapping_of(found))


@blueprint.post("/imports/<int:import_id>/mapping")
@needs("imports.run")
def change_mapping(import_id: int) -> ResponseReturnValue:
    """Keep the mapping, then look at it again, try it or run it, as the pressed button says."""
    session, actor = current_session(), current_actor()
    found = queries.get_import(session, actor, import_id)
    before = service.mapping_of(found)
    guesses, _stages = queries.stage_guesses(session, actor, found)
    wanted = before
    try:
        headers = service.profile_of(found).headers
        wanted = forms.read_mapping(request.form, before, headers, tuple(guesses))
        service.change_mapping(session, actor, import_id, wanted)
        step = request.form.get("step", "")
        if step == "try":
            service.start_trial(session, actor, import_id)
        elif step == "run":
            service.start_run(session, actor, import_id)
    except DaftarError as refusal:
        return _mapping(found, wanted, refusal), status_of(refusal)
    if step in {"try", "run"}:
        return redirect(url_for("imports.show", import_id=import_id))
    return redirect(url_for("imports.mapping", import_id=import_id))


@blueprint.post("/imports/<int:import_id>/read-again")
@needs("imports.run")
def read_again(import_id: int) -> ResponseReturnValue:
    """Read the file in another encoding or with another delimiter."""
    session, actor = current_session(), current_actor()
    found = queries.get_import(session, actor, import_id)
    try:
        layout = forms.read_layout(request.form)
        service.read_again(session, actor, import_id, _files(), layout)
    except DaftarError as refusal:
        return _mapping(found, service.mapping_of(found), refusal), status_of(refusal)
    return redirect(url_for("imports.mapping", import_id=import_id))


def _mapping(found: "Import", wanted: service.Mapping, refusal: DaftarError | None = None) -> str:
    session, actor = current_session(), current_actor()
    profile = service.profile_of(found)
    guesses, stages = queries.stage_guesses(session, actor, found)
    home = str(current_app.extensions["daftar.settings"].organization.currency)
    pipelines = all_pipelines(session, actor) if found.kind is ImportKind.DEALS else []
    return render_template(
        "imports/mapping.html",
        found=found,
        profile=profile,
        mapping=wanted,
        problem=refusal,
        fields=forms.field_choices(found.kind),
        keys=forms.key_choices(found.kind),
        modes=[(mode.value, _(words)) for mode, words in MODE_LABELS.items()],
        currencies=currency_choices(home, wanted.currency or None),
        currency=wanted.currency or typed_currency(home),
        times=[(str(number), _(words)) for number, words in forms.TIMES],
        chosen_times=str(next(iter(wanted.times.values()), 1)),
        pipelines=[(each.name, each.name) for each in pipelines],
        guesses=guesses,
        stages=[(name, name) for name in stages],
        stage_words=wanted.values.get("stage", {}),
        hints=queries.misspelt(session, actor, found),
        reading=forms.reading_choices(profile.layout),
        **_words(),
    )


@blueprint.get("/imports/<int:import_id>")
@needs("imports.run")
def show(import_id: int) -> ResponseReturnValue:
    """Show one import: how far it is, what became of every row, and what can be done now."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = queries.get_import(session, actor, import_id)
    if found.status is ImportStatus.DRAFT:
        return redirect(url_for("imports.mapping", import_id=import_id))
    rows = queries.list_rows(session, actor, import_id, wish)
    path = url_for("imports.show", import_id=import_id)
    record = kind_of(RECORDS[found.kind])
    seen = record.titles(session, actor, {row.record_id for row in rows.items if row.record_id})
    profile, mapping = service.profile_of(found), service.mapping_of(found)
    return render_template(
        "imports/show.html",
        found=found,
        rows=rows,
        wish=wish,
        path=path,
        headers=profile.headers,
        columns=mapping.columns,
        labels=dict(forms.field_choices(found.kind)),
        outcomes=[(each.value, _(words)) for each, words in OUTCOME_LABELS.items()],
        titles=seen,
        record_path=record.path,
        extras=queries.extras_of(session, actor, import_id),
        newer=page_address(path, rows.previous_cursor, wish.sort),
        older=page_address(path, rows.next_cursor, wish.sort),
        mode=_(MODE_LABELS[Mode(mapping.mode)]),
        **_choices(found),
        **_words(),
    )


def _choices(found: "Import") -> dict[str, bool]:
    return {
        "working": found.status in WORKING,
        "may_run": found.status in EDITABLE,
        "may_go_on": found.status in RESUMABLE,
        "may_undo": found.status in UNDOABLE,
        "tried": found.status in {ImportStatus.CHECKING, ImportStatus.CHECKED},
    }


@blueprint.get("/imports/<int:import_id>/progress")
@needs("imports.run")
def progress(import_id: int) -> ResponseReturnValue:
    """Answer how far the work is; once it is over, the whole page is asked for again."""
    found = queries.get_import(current_session(), current_actor(), import_id)
    working = found.status in WORKING
    answer = current_app.make_response(
        render_template("imports/_progress.html", found=found, working=working, **_words())
    )
    if not working:
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/imports/<int:import_id>/trial")
@needs("imports.run")
def try_it(import_id: int) -> ResponseReturnValue:
    """Try the import."""
    service.start_trial(current_session(), current_actor(), import_id)
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.post("/imports/<int:import_id>/run")
@needs("imports.run")
def run(import_id: int) -> ResponseReturnValue:
    """Run the import, or go on with it."""
    service.start_run(current_session(), current_actor(), import_id)
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.post("/imports/<int:import_id>/stop")
@needs("imports.run")
def stop(import_id: int) -> ResponseReturnValue:
    """Stop the work."""
    service.stop(current_session(), current_actor(), import_id)
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.post("/imports/<int:import_id>/undo")
@needs("imports.run")
def undo(import_id: int) -> ResponseReturnValue:
    """Take the import back."""
    service.start_undo(current_session(), current_actor(), import_id)
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.post("/imports/<int:import_id>/again")
@needs("imports.run")
def again(import_id: int) -> ResponseReturnValue:
    """Begin a new import of the same file."""
    made = service.import_again(current_session(), current_actor(), import_id)
    return redirect(url_for("imports.mapping", import_id=made.id))


@blueprint.post("/imports/<int:import_id>/discard")
@needs("imports.run")
def discard(import_id: int) -> ResponseReturnValue:
    """Forget an import that has not run."""
    service.discard(current_session(), current_actor(), import_id)
    say(_("The import is discarded. No record was touched."))
    return redirect(url_for("imports.page"))


@blueprint.get("/imports/<int:import_id>/refused.csv")
@needs("imports.run")
def refused(import_id: int) -> ResponseReturnValue:
    """Hand out the refused rows as a file: mended, it can be imported again."""
    session, actor = current_session(), current_actor()
    found = queries.get_import(session, actor, import_id)
    headers = service.profile_of(found).headers
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*map(harmless, headers), _("Line"), _("Reason")])
    after = 0
    while rows := queries.refused_rows(session, actor, import_id, after):
        after = rows[-1].line
        for row in rows:
            cells = [*map(harmless, row.raw), *[""] * (len(headers) - len(row.raw))]
            reason = harmless(row.message)
            writer.writerow([*cells[: len(headers)], row.line, reason, *cells[len(headers) :]])
    name = f"refused-{import_id}.csv"
    return Response(
        text.getvalue().encode("utf-8-sig"),  # spreadsheets read Persian only with the mark
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
