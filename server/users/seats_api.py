"""Seats over JSON: who holds them and why, the history, and ending a device. Open in every licence mode."""

from apiflask import APIBlueprint
from flask import Response, jsonify, request

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import gone, listed, told
from server.http.unit_of_work import current_session
from server.users import holders, seat_history, slots
from server.users.holders import SeatKind
from server.users.seats_schema import (
    HolderList,
    SeatDayList,
    show_day,
    show_holder,
    show_seats,
)

blueprint = APIBlueprint("seats_api", __name__, url_prefix="/license/seats", tag="license")

LISTS = (
    "`kind` is `named` (people, the default), `service` (service accounts) or `concurrent` (devices). "
    f"People and service accounts: {told(holders.ACCOUNTS)} Devices: {told(holders.DEVICES)}"
)


def _kind() -> SeatKind:
    text = request.args.get("kind", SeatKind.NAMED.value)
    try:
        return SeatKind(text)
    except ValueError as error:
        raise Invalid(
            _("“%(kind)s” is none of named, service and concurrent.", kind=text), field="kind"
        ) from error


@blueprint.get("")
@needs("users.manage", always=True)
@blueprint.output(HolderList)
@blueprint.doc(description=LISTS)
def explain() -> Response:
    """List who holds the seats of one kind, and who does not and why."""
    session, kind = current_session(), _kind()
    found = holders.list_holders(session, current_actor(), kind, list_query())
    answer = dict(listed(found, show_holder).get_json())
    return jsonify(show_seats(kind, holders.seats_of(session, kind)) | answer)


@blueprint.get("/history")
@needs("users.manage", always=True)
@blueprint.output(SeatDayList)
@blueprint.doc(description=told(seat_history.DAYS))
def history() -> Response:
    """List the seats of each day; three years are kept."""
    days = seat_history.list_days(current_session(), current_actor(), list_query())
    return listed(days, show_day)


@blueprint.post("/devices/<int:device_id>/end")
@needs("users.manage", always=True)
@blueprint.output({}, status_code=204)
def end_device(device_id: int) -> Response:
    """Sign a device out; its slot is free at once."""
    slots.end_device(current_session(), current_actor(), device_id)
    return gone()
