"""Activities over JSON."""

from dataclasses import replace

from apiflask import APIBlueprint
from flask import Response, url_for

from server.activities import queries, service
from server.activities.models import Activity
from server.activities.schema import (
    ActivityChange,
    ActivityList,
    ActivityShown,
    NewActivity,
    sent,
    show_activity,
)
from server.core.listing import Page
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import check_version, created, gone, listed, shown, told
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("activities_api", __name__, url_prefix="/activities", tag="activities")

TOLD = (
    told(queries.ACTIVITIES)
    + " `filter[link]=company:5` lists everything that belongs to this record; `filter[done]` is true for "
    "what was done and false for what is open."
)


def _show(activity: Activity) -> dict[str, object]:
    links = queries.links_of(current_session(), current_actor(), [activity.id])
    return show_activity(activity, links[activity.id])


def _listed(page: Page[Activity]) -> Response:
    ids = [activity.id for activity in page.items]
    links = queries.links_of(current_session(), current_actor(), ids)
    return listed(page, lambda activity: show_activity(activity, links[activity.id]))


@blueprint.get("")
@needs("activities.see")
@blueprint.output(ActivityList)
@blueprint.doc(description=TOLD)
def list_activities() -> Response:
    """List activities."""
    return _listed(queries.list_activities(current_session(), current_actor(), list_query()))


@blueprint.get("/bin")
@needs("activities.edit")
@blueprint.output(ActivityList)
@blueprint.doc(description=TOLD)
def list_binned() -> Response:
    """List the activities in the bin that the caller may restore."""
    page = queries.list_binned_activities(current_session(), current_actor(), list_query())
    return _listed(page)


@blueprint.post("")
@needs("activities.create")
@blueprint.input(NewActivity)
@blueprint.output(ActivityShown, status_code=201)
def create_activity(json_data: NewActivity) -> Response:
    """Write down an activity."""
    activity = service.create_activity(current_session(), current_actor(), json_data.draft())
    address = url_for("activities_api.get_activity", activity_id=activity.id)
    return created(_show(activity), address, version=activity.version)


@blueprint.get("/<int:activity_id>")
@needs("activities.see")
@blueprint.output(ActivityShown)
def get_activity(activity_id: int) -> Response:
    """Return one activity."""
    activity = queries.get_activity(current_session(), current_actor(), activity_id)
    return shown(_show(activity), version=activity.version)


@blueprint.patch("/<int:activity_id>")
@needs("activities.edit")
@blueprint.input(ActivityChange)
@blueprint.output(ActivityShown)
def change_activity(activity_id: int, json_data: ActivityChange) -> Response:
    """Change an activity."""
    session, actor = current_session(), current_actor()
    activity = queries.get_activity(session, actor, activity_id)
    check_version(activity.version, lambda: _show(activity))
    draft = replace(service.draft_of(session, activity), **sent(json_data))
    changed = service.change_activity(session, actor, activity_id, draft)
    return shown(_show(changed), version=changed.version)


@blueprint.delete("/<int:activity_id>")
@needs("activities.edit")
@blueprint.output({}, status_code=204)
def delete_activity(activity_id: int) -> Response:
    """Put an activity into the bin, from where it can be restored for 30 days."""
    service.delete_activity(current_session(), current_actor(), activity_id)
    return gone()


@blueprint.post("/<int:activity_id>/restore")
@needs("activities.edit")
@blueprint.output(ActivityShown)
def restore_activity(activity_id: int) -> Response:
    """Take an activity out of the bin."""
    activity = service.restore_activity(current_session(), current_actor(), activity_id)
    return shown(_show(activity), version=activity.version)
