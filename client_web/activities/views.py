"""Activities in the browser: the timeline's fragments, one activity, its form, the bin."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.forms import ActivityForm, form_of, moment
from client_web.activities.options import chosen, record_options
from client_web.activities.panel import Entry, entries, timeline_page
from client_web.choices import colleagues
from client_web.reading import page_address, put_back, say
from server.activities import queries, service
from server.activities.rules import KIND_LABELS, PLANNED, ActivityDraft, ActivityKind, Target
from server.audit.queries import history_of
from server.core import kinds
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.core.listing import read_moment
from server.http.access import current_actor, needs
from server.http.errors import status_of
from server.http.paging import list_query
from server.http.unit_of_work import current_session

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.activities.models import Activity

blueprint = Blueprint("activities", __name__)


@dataclass(frozen=True)
class Trouble:
    """Why a form is shown again: a sentence, what belongs to no field, and whose change came first."""

    message: str
    elsewhere: tuple[Any, ...] = ()
    other: Any = None


def _fragment() -> bool:
    return request.headers.get("HX-Request") == "true"


def toast(text: str, level: str = "success", *, press: str | None = None) -> str:
    """Return the value of HX-Trigger that shows the sentence; Undo ticks the box `press` back."""
    undo = {"label": _("Undo"), "press": press} if press else None
    return json.dumps({"toast": {"text": text, "level": level, "undo": undo}})


def _entry(activity: "Activity") -> Entry:
    return entries([activity], besides_link=_here())[0]


def _here() -> tuple[str, int] | None:
    """Return the record whose timeline asks, so that it is not named on each of its own activities."""
    name = request.values.get("here", "")
    if not name:
        return None
    target = queries.target_of(name, "here")
    return target.kind, target.record_id


def _back() -> str:
    """Return the page to go back to: that of the record the reader came from, else the tasks."""
    here = _here()
    if here is not None:
        known = kinds.links(current_session(), current_actor(), [here])
        if here in known:
            return known[here].url
    return url_for("tasks.page")


@blueprint.get("/activities/timeline")
@needs("activities.see")
def timeline() -> ResponseReturnValue:
    """Return the next page of a record's timeline."""
    try:
        until = read_moment(request.args.get("until", ""))
    except ValueError as error:
        raise Invalid(_("This page mark does not belong to this list.")) from error
    shown = timeline_page(
        request.args.get("kind", ""),
        request.args.get("record_id", 0, type=int),
        cursor=request.args.get("cursor") or None,
        until=until,
    )
    return render_template("activities/_past.html", timeline=shown)


@blueprint.post("/activities")
@needs("activities.create")
def create() -> ResponseReturnValue:
    """Write down what a composer sent; answer the new event, or the whole list of what is planned."""
    form = ActivityForm()
    try:
        activity = service.create_activity(current_session(), current_actor(), form.composed())
    except DaftarError as refusal:
        if _fragment():
            return _refused(refusal)
        elsewhere, status = put_back(form, refusal)
        return _form(form, None, Trouble(refusal.message, tuple(elsewhere))), status
    here = _here()
    if not _fragment():
        say(_("It is written down."))
        return redirect(_back())
    if here is None or not activity.is_open:
        answer = make_response(
            render_template("activities/_event.html", entry=_entry(activity), here=_here_name())
        )
    else:
        shown = timeline_page(*here)
        answer = make_response(render_template("activities/_planned.html", timeline=shown))
        answer.headers["HX-Retarget"] = "#timeline-planned"
        answer.headers["HX-Reswap"] = "outerHTML"
    answer.headers["HX-Trigger"] = toast(_("It is written down."))
    return answer


def _here_name() -> str:
    return request.values.get("here", "")


def _refused(refusal: DaftarError) -> ResponseReturnValue:
    if not _fragment():
        raise refusal
    answer = make_response("", status_of(refusal))
    answer.headers["HX-Reswap"] = "none"
    answer.headers["HX-Trigger"] = toast(refusal.message, "danger")
    return answer


@blueprint.post("/activities/<int:activity_id>/done")
@needs("activities.edit")
def done(activity_id: int) -> ResponseReturnValue:
    """Tick the activity off or open it again, and answer it as it is now."""
    wish = request.form.getlist("done")[-1:] == ["1"]
    try:
        activity = service.set_done(current_session(), current_actor(), activity_id, done=wish)
    except DaftarError as refusal:
        return _refused(refusal)
    if not _fragment():
        say(_("Done.") if wish else _("Open again."))
        return redirect(url_for("activities.show", activity_id=activity_id))
    template = (
        "activities/_row.html" if request.args.get("as") == "row" else "activities/_event.html"
    )
    answer = make_response(render_template(template, entry=_entry(activity), here=_here_name()))
    box = f"#activity-{activity_id} [type=checkbox]" if wish else None
    answer.headers["HX-Trigger"] = toast(_("Done.") if wish else _("Open again."), press=box)
    return answer


@blueprint.post("/activities/<int:activity_id>/delete")
@needs("activities.edit")
def delete(activity_id: int) -> ResponseReturnValue:
    """Put the activity into the bin, and offer to undo that."""
    try:
        activity = service.delete_activity(current_session(), current_actor(), activity_id)
    except DaftarError as refusal:
        return _refused(refusal)
    if _fragment():
        return render_template("activities/_gone.html", entry=_entry(activity), here=_here_name())
    title = queries.title_of(activity)
    undo = url_for("activities.restore", activity_id=activity_id)
    say(_("“%(title)s” is in the bin.", title=title), undo=undo)
    return redirect(_back())


@blueprint.post("/activities/<int:activity_id>/restore")
@needs("activities.edit")
def restore(activity_id: int) -> ResponseReturnValue:
    """Take the activity out of the bin again."""
    try:
        activity = service.restore_activity(current_session(), current_actor(), activity_id)
    except DaftarError as refusal:
        return _refused(refusal)
    if _fragment():
        return render_template("activities/_event.html", entry=_entry(activity), here=_here_name())
    say(_("“%(title)s” is back.", title=queries.title_of(activity)))
    return redirect(url_for("activities.show", activity_id=activity_id))


@blueprint.get("/activities/records")
@needs("activities.see")
def records() -> ResponseReturnValue:
    """Answer the picker of linked records."""
    return jsonify(record_options(request.args.get("q", "")[:200]))


@blueprint.get("/activities/<int:activity_id>")
@needs("activities.see")
def show(activity_id: int) -> ResponseReturnValue:
    """Show one activity and the records it belongs to."""
    session, actor = current_session(), current_actor()
    activity = queries.get_activity(session, actor, activity_id)
    return render_template("activities/show.html", entry=entries([activity])[0])


@blueprint.get("/activities/new")
@needs("activities.create")
def new() -> ResponseReturnValue:
    """Show the form for something new to do."""
    here = _here()
    draft = ActivityDraft(
        kind=ActivityKind.TASK,
        due_at=moment(request.args.get("due_at"), "due_at"),
        owner_id=current_actor().user_id,
        links=(Target(*here),) if here else (),
    )
    return _form(form_of(draft, None), None)


@blueprint.post("/activities/new")
@needs("activities.create")
def write() -> ResponseReturnValue:
    """Write the activity down, or show the form again with what does not fit."""
    form = ActivityForm()
    try:
        draft = form.draft(ActivityDraft(kind=ActivityKind.TASK))
        service.create_activity(current_session(), current_actor(), draft)
    except DaftarError as refusal:
        elsewhere, status = put_back(form, refusal)
        return _form(form, None, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("It is written down."))
    return redirect(_back())


@blueprint.get("/activities/<int:activity_id>/edit")
@needs("activities.edit")
def edit(activity_id: int) -> ResponseReturnValue:
    """Show the form of an activity."""
    session, actor = current_session(), current_actor()
    activity = queries.get_activity(session, actor, activity_id)
    draft = service.draft_of(session, activity)
    return _form(form_of(draft, activity.version), activity)


@blueprint.post("/activities/<int:activity_id>/edit")
@needs("activities.edit")
def change(activity_id: int) -> ResponseReturnValue:
    """Change the activity, unless somebody else did so since the form was opened."""
    session, actor = current_session(), current_actor()
    activity = queries.get_activity(session, actor, activity_id)
    form = ActivityForm()
    if form.version.data != str(activity.version):
        return _somebody_was_faster(form, activity), 412
    try:
        draft = form.draft(service.draft_of(session, activity))
        service.change_activity(session, actor, activity_id, draft)
    except DaftarError as refusal:
        session.refresh(activity)
        elsewhere, status = put_back(form, refusal)
        return _form(form, activity, Trouble(refusal.message, tuple(elsewhere))), status
    say(_("The changes are saved."))
    here = _here()
    return redirect(_back() if here else url_for("activities.show", activity_id=activity_id))


def _somebody_was_faster(form: ActivityForm, activity: "Activity") -> str:
    history = history_of(current_session(), "activity", activity.id, limit=1)
    form.version.data = form.version.raw_data = None
    form.version.process_data(activity.version)
    message = _(
        "Somebody else changed this activity while you were writing. What you typed is still here. "
        "Compare it with the present state, then save again."
    )
    return _form(form, activity, Trouble(message, other=history[0] if history else None))


def _form(form: ActivityForm, activity: "Activity | None", trouble: Trouble | None = None) -> str:
    return render_template(
        "activities/form.html",
        form=form,
        activity=activity,
        title=queries.title_of(activity) if activity else None,
        trouble=trouble,
        here=_here_name(),
        kinds=[(kind.value, _(words)) for kind, words in KIND_LABELS.items()],
        planned=PLANNED,
        owners=colleagues(form.owner_id.data),
        records=chosen(form.links.data or []),
    )


@blueprint.get("/activities/bin")
@needs("activities.edit")
def binned() -> ResponseReturnValue:
    """List what the reader can take out of the bin."""
    wish = list_query()
    found = queries.list_binned_activities(current_session(), current_actor(), wish)
    path = url_for("activities.binned")
    return render_template(
        "activities/bin.html",
        found=found,
        entries=entries(found.items),
        wish=wish,
        path=path,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
    )
