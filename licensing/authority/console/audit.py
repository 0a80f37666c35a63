"""The trail of what the vendor's people did."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from licensing.authority.audit.queries import list_entries
from licensing.authority.console.reading import day_filters, show_list
from licensing.authority.staff.queries import list_staff
from server.http.access import needs
from server.http.unit_of_work import current_session

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@needs("audit.see")
def page() -> ResponseReturnValue:
    """List what was done, the newest first."""
    people = [(one.email, one.name) for one in list_staff(current_session())]
    return show_list(
        "console/audit/list.html",
        "audit.page",
        list_entries,
        filters=day_filters("at"),
        people=people,
    )
