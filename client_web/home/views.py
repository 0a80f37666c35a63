"""The first page."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.http.access import signed_in

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@signed_in(always=True)
def page() -> ResponseReturnValue:
    """Show what is on today."""
    return render_template("home/page.html")
