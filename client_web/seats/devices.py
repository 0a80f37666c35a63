"""One's own connected devices: ending one to make room, and telling that a page is being looked at."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.reading import say
from client_web.seats.gate import full_page, sign_in_here
from server.core.i18n import gettext as _
from server.http.access import current_actor, signed_in
from server.http.unit_of_work import current_session
from server.users.agents import device_name
from server.users.house import house_of
from server.users.slots import end_device

blueprint = Blueprint("devices", __name__)


@blueprint.get("/devices/alive")
@signed_in(always=True)
def alive() -> ResponseReturnValue:
    """Tell that somebody looks at a page; nothing else is said or written."""
    return "", 204


@blueprint.get("/devices")
@signed_in(always=True)
def page() -> ResponseReturnValue:
    """Lead to one's devices, or show the full house to whoever is not connected."""
    found = sign_in_here()
    if found is None or found.connected:
        return redirect(url_for("profile.security"))
    return full_page(house_of(current_session(), current_actor(), found.sign_in_id))


@blueprint.post("/devices/<int:device_id>/end")
@signed_in(always=True)
def end(device_id: int) -> ResponseReturnValue:
    """Sign out a device of one's own, or any when one manages users, and show what room that made."""
    session, actor, found = current_session(), current_actor(), sign_in_here()
    end_device(session, actor, device_id)
    if not request.headers.get("HX-Request"):
        say(_("That device is signed out."))
        return redirect(url_for("home.page"))
    here = found.sign_in_id if found else 0
    house = house_of(session, actor, here)
    return render_template("seats/_house.html", house=house, device_name=device_name)
