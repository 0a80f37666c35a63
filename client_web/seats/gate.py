"""The slot of a device, asked for before a page is made: whoever has none takes one, or sees a full house.

A device with a slot costs no statement and no writing here: that it was heard of is kept in memory.
"""

import json

from flask import current_app, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from server.http.access import wanted_access
from server.http.unit_of_work import SAFE_METHODS, database
from server.users.agents import device_name
from server.users.house import House, full_sentence, house_of
from server.users.presence import Presence
from server.users.sign_in import SignedIn
from server.users.slots import connect

# Whoever has no slot must get here: to leave, and to make room.
WITHOUT_SLOT = frozenset({"users.sign_out", "devices.page", "devices.end"})
ALIVE = "devices.alive"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 300
FULL = 402


def hold_slot() -> ResponseReturnValue | None:
    """Let the request pass on a slot; answer it here when there is none."""
    found, access = sign_in_here(), wanted_access()
    if found is None or access is None or access.public or request.endpoint in WITHOUT_SLOT:
        return None
    if not found.connected and not _connect(found):
        return _refuse(found)
    presence: Presence = current_app.extensions["daftar.presence"]
    presence.saw(found.actor.user_id or 0, found.sign_in_id, found.seen_s)
    return None


def sign_in_here() -> SignedIn | None:
    """Return which sign-in of whom this request belongs to; None for strangers and programs."""
    found: SignedIn | None = g.get("sign_in")
    return found


def _connect(found: SignedIn) -> bool:
    is_admin = found.actor.may("users.manage")
    with database().write(found.actor) as session:
        return connect(session, found.sign_in_id, is_admin=is_admin)


def _refuse(found: SignedIn) -> ResponseReturnValue:
    if request.endpoint == ALIVE:
        return "", FULL
    with database().read() as session:
        house = house_of(session, found.actor, found.sign_in_id)
    if request.headers.get("HX-Request"):
        return "", FULL, {"HX-Trigger": _said_aloud(house)}
    return make_response(full_page(house), FULL)


def _said_aloud(house: House) -> str:
    """Say it beside the page, which stays as it is, and so does what was typed into it."""
    return json.dumps({"toast": {"text": full_sentence(house.seats), "level": "danger"}})


def full_page(house: House) -> str:
    """Render the full house with a way to send again what this request brought."""
    repeats = request.method not in SAFE_METHODS
    return render_template(
        "seats/full.html",
        house=house,
        device_name=device_name,
        again=request.full_path.rstrip("?"),
        repeats=repeats,
        fields=_typed() if repeats else [],
    )


def _typed() -> list[tuple[str, str]] | None:
    """Return what the form brought, to be sent again; None when the browser itself must repeat it.

    Files cannot be handed back, and passwords are not written into a page.
    """
    if request.mimetype != FORM:
        return None
    fields = list(request.form.items(multi=True))
    secret = any("password" in name or name == "current" for name, _text in fields)
    return None if secret or len(fields) > MOST_FIELDS else fields
