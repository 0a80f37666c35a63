"""Warnings over JSON: what was sent, who is told, by which ways. Open in every licence mode."""

from apiflask import APIBlueprint
from flask import Response, url_for

from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs, signed_in
from server.http.paging import list_query
from server.http.rest import created, listed, shown, told
from server.http.unit_of_work import current_session
from server.notices import queries, service
from server.notices.schema import (
    NewRepresentative,
    NewTest,
    NewWays,
    NoticeInFull,
    NoticeList,
    RepresentativeShown,
    WaysShown,
    show_in_full,
    show_notice,
    show_representative,
    show_ways,
)

blueprint = APIBlueprint("notices_api", __name__, url_prefix="/notices", tag="notices")


@blueprint.get("")
@needs("settings.edit", always=True)
@blueprint.output(NoticeList)
@blueprint.doc(description=told(queries.MESSAGES))
def list_notices() -> Response:
    """List what was sent by mail and SMS, and what waits."""
    page = queries.list_deliveries(current_session(), current_actor(), list_query())
    return listed(page, show_notice)


@blueprint.get("/<int:message_id>")
@needs("settings.edit", always=True)
@blueprint.output(NoticeInFull)
def get_notice(message_id: int) -> Response:
    """Return one message with its text."""
    found = queries.get_delivery(current_session(), current_actor(), message_id)
    return shown(show_in_full(found))


@blueprint.post("/<int:message_id>/send-again")
@needs("settings.edit", always=True)
@blueprint.output(NoticeInFull, status_code=201)
def send_again(message_id: int) -> Response:
    """Send a message once more, or a waiting one now; return what is on its way."""
    session, actor = current_session(), current_actor()
    return _made(service.send_again(session, actor, message_id))


@blueprint.post("/test")
@needs("settings.edit", always=True)
@blueprint.input(NewTest)
@blueprint.output(NoticeInFull, status_code=201)
def send_test(json_data: NewTest) -> Response:
    """Put a test message into the outbox; ask for it by its address to learn how it went."""
    session, actor = current_session(), current_actor()
    return _made(service.send_test(session, actor, json_data.channel, json_data.to))


def _made(message_id: int) -> Response:
    found = queries.get_delivery(current_session(), current_actor(), message_id)
    address = url_for("notices_api.get_notice", message_id=message_id)
    return created(show_in_full(found), address)


@blueprint.get("/representative")
@needs("settings.edit", always=True)
@blueprint.output(RepresentativeShown)
def get_representative() -> Response:
    """Return who answers for the licence."""
    named = queries.representative(current_session())
    if named is None:
        raise NotFound(_("No representative is named yet."))
    return shown(show_representative(named))


@blueprint.put("/representative")
@needs("settings.edit", always=True)
@blueprint.input(NewRepresentative)
@blueprint.output(RepresentativeShown)
def name_representative(json_data: NewRepresentative) -> Response:
    """Name who answers for the licence and is told before the term ends."""
    draft = json_data.draft()
    kept = service.name_representative(current_session(), current_actor(), draft)
    return shown(show_representative(kept))


@blueprint.get("/ways")
@signed_in(always=True)
@blueprint.output(WaysShown)
def get_ways() -> Response:
    """Return by which ways the user of this token hears of notices."""
    ways = queries.preference_of(current_session(), current_actor().user_id or 0)
    return shown(show_ways(ways))


@blueprint.put("/ways")
@signed_in(always=True)
@blueprint.input(NewWays)
@blueprint.output(WaysShown)
def choose_ways(json_data: NewWays) -> Response:
    """Choose by which ways the user of this token hears of notices."""
    kept = service.choose_ways(current_session(), current_actor(), json_data.draft())
    return shown(show_ways(kept))
