"""The audit trail over JSON, for those who may see it."""

from apiflask import APIBlueprint
from flask import Response

from server.audit import queries
from server.audit.schema import EntryList, EntryShown, SealShown, show_entry, show_seal
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.rest import listed, shown, told
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("audit_api", __name__, url_prefix="/audit", tag="audit")


@blueprint.get("")
@needs("audit.see")
@blueprint.output(EntryList)
@blueprint.doc(description=told(queries.ENTRIES))
def list_entries() -> Response:
    """List changes, newest first."""
    page = queries.list_entries(current_session(), current_actor(), list_query())
    return listed(page, show_entry)


@blueprint.get("/seal")
@needs("audit.see")
@blueprint.output(SealShown)
def seal() -> Response:
    """Tell how far the trail is sealed, and what the last look at the chain found."""
    return shown(show_seal(queries.seal_state(current_session(), current_actor())))


@blueprint.get("/<int:entry_id>")
@needs("audit.see")
@blueprint.output(EntryShown)
def get_entry(entry_id: int) -> Response:
    """Return one change."""
    return shown(show_entry(queries.get_entry(current_session(), current_actor(), entry_id)))
