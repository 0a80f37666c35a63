"""The list of servers: who holds which licence, who has gone silent."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from licensing.authority.activations.lists import list_activations
from licensing.authority.console.reading import day_filters, show_list
from server.http.access import needs

blueprint = Blueprint("activations", __name__)


@blueprint.get("/activations")
@needs("licenses.see")
def page() -> ResponseReturnValue:
    """List the servers that were ever activated."""
    return show_list(
        "console/activations/list.html",
        "activations.page",
        list_activations,
        filters=day_filters("last_seen_at"),
    )
