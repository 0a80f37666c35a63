"""Pages of licences: the list, one licence with everything about it, its documents."""

from datetime import timedelta

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from licensing.authority.activations.lists import list_activations, list_licenses
from licensing.authority.audit.queries import list_entries
from licensing.authority.console.desk import operator, revealed
from licensing.authority.console.license_changes import steps_for
from licensing.authority.console.reading import show_list
from licensing.authority.console.words import json_lines
from licensing.authority.licenses.lists import list_serials
from licensing.authority.licenses.queries import customer_of, flags_of, get_serial, look_up
from server.core import clock
from server.core.clock import rfc3339
from server.core.listing import Filter, ListQuery
from server.core.text import small_number
from server.http.access import needs
from server.http.forms import page_address
from server.http.unit_of_work import current_session

blueprint = Blueprint("licenses", __name__)

SERVERS_SHOWN = 20
ENTRIES_SHOWN = 15
SERIALS_SHOWN = 10
ENDS = ("7", "30", "90")
CODE = "code"


@blueprint.get("/licenses")
@needs("licenses.see")
def page() -> ResponseReturnValue:
    """List the licences."""
    return show_list(
        "console/licenses/list.html",
        "licenses.page",
        list_licenses,
        filters=_ends(request.args.get("ends", "")),
    )


def _ends(choice: str) -> tuple[Filter, ...]:
    """Return the filters behind one choice: within so many days, or over already."""
    now = clock.now()
    if choice == "over":
        return (Filter("expires_at", "lt", rfc3339(now)),)
    days = small_number(choice)
    if days is None or choice not in ENDS:
        return ()
    until = now + timedelta(days=days)
    return (
        Filter("expires_at", "gte", rfc3339(now)),
        Filter("expires_at", "lte", rfc3339(until)),
    )


@blueprint.get("/licenses/<license_id>")
@needs("licenses.see")
def show(license_id: str) -> ResponseReturnValue:
    """Show one licence: terms, seats, servers, flags, documents, and what was done about it."""
    session, who = current_session(), operator()
    license_ = look_up(session, license_id)
    of_license = (Filter("license", "eq", license_id),)
    about = (Filter("subject", "eq", license_id),)
    entries = None
    if who.may("audit.see"):
        entries = list_entries(session, ListQuery(filters=about, limit=ENTRIES_SHOWN))
    cursor = request.args.get("cursor") or None
    serials = list_serials(session, license_, ListQuery(limit=SERIALS_SHOWN, cursor=cursor))
    path = url_for("licenses.show", license_id=license_id)
    servers = list_activations(session, ListQuery(filters=of_license, limit=SERVERS_SHOWN))
    active = next(
        (row.activation for row in servers.items if row.activation.status == "active"), None
    )
    return render_template(
        "console/licenses/show.html",
        sold=license_,
        customer=customer_of(session, license_),
        servers=servers,
        active=active,
        flags=flags_of(session, license_),
        serials=serials,
        newer=page_address(path, serials.previous_cursor, ""),
        older=page_address(path, serials.next_cursor, ""),
        entries=entries,
        steps=steps_for(license_, active, who),
        code=revealed(CODE),
        now=clock.timestamp(),
    )


@blueprint.get("/licenses/<license_id>/documents/<int:serial>")
@needs("licenses.see")
def document(license_id: str, serial: int) -> ResponseReturnValue:
    """Show one signed document of a licence as it was signed."""
    session = current_session()
    license_ = look_up(session, license_id)
    kept = get_serial(session, license_, serial)
    return render_template(
        "console/licenses/document.html",
        sold=license_,
        kept=kept,
        text=json_lines(kept.envelope),
    )


@blueprint.get("/licenses/<license_id>/documents/<int:serial>.json")
@needs("licenses.see")
def file(license_id: str, serial: int) -> ResponseReturnValue:
    """Hand over the envelope of a document, byte for byte."""
    session = current_session()
    kept = get_serial(session, look_up(session, license_id), serial)
    response = Response(kept.envelope.encode(), content_type="application/json")
    name = f"{license_id}-{serial}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
