"""The first page: what needs somebody, and how things stand."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from licensing.authority.audit.queries import list_entries
from licensing.authority.console import queries
from licensing.authority.console.desk import console, operator
from licensing.authority.housekeeping import ending_soon
from server.core import clock
from server.core.listing import ListQuery
from server.http.access import signed_in
from server.http.unit_of_work import current_session

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@signed_in()
def page() -> ResponseReturnValue:
    """Show what needs somebody."""
    session, who = current_session(), operator()
    found = queries.overview(session, clock.now())
    done = list_entries(session, ListQuery(limit=queries.SHOWN)) if who.may("audit.see") else None
    return render_template(
        "console/home.html",
        found=found,
        flag_count=sum(found.flags.values()),
        done=done.items if done else (),
        ending_keys=ending_soon(console().keys),
        days=queries.ENDING_DAYS,
        silent_days=queries.SILENT_DAYS,
    )
