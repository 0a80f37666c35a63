"""Putting a banner away for the day."""

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from client_web.ladder.banners import COOKIE, seconds_left_today, with_put_away
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.http.access import signed_in

blueprint = Blueprint("ladder", __name__)

MOST_KEY = 64


@blueprint.post("/banners/put-away")
@signed_in(always=True)
def put_away() -> ResponseReturnValue:
    """Remember in the reader's browser that this banner was read today."""
    key = request.form.get("key", "")
    if not key or len(key) > MOST_KEY or not key.replace(".", "").replace("_", "").isalnum():
        raise Invalid(_("There is no such notice."), field="key")
    by_part = request.headers.get("HX-Request")
    answer = current_app.make_response("" if by_part else redirect(url_for("home.page")))
    answer.set_cookie(
        COOKIE,
        with_put_away(key),
        max_age=seconds_left_today(),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return answer
