"""What somebody should look at: the queue, one flag, settling it with a note."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from licensing.authority.activations.queries import active_of
from licensing.authority.console.desk import operator, say
from licensing.authority.console.reading import show_list
from licensing.authority.licenses import flags as service
from licensing.authority.licenses.lists import list_flags
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.core.listing import Filter
from server.http.access import needs
from server.http.errors import status_of
from server.http.unit_of_work import current_session

blueprint = Blueprint("flags", __name__)


@blueprint.get("/flags")
@needs("flags.see")
def page() -> ResponseReturnValue:
    """List what is open, or what was settled."""
    is_open = request.args.get("state", "") != "settled"
    return show_list(
        "console/flags/list.html",
        "flags.page",
        list_flags,
        filters=(Filter("open", "eq", "1" if is_open else "0"),),
        is_open=is_open,
    )


@blueprint.get("/flags/<int:flag_id>")
@needs("flags.see")
def show(flag_id: int) -> ResponseReturnValue:
    """Show one flag, what it means, and the server it is about."""
    return _page(flag_id, "", None)


def _page(flag_id: int, note: str, problem: str | None) -> str:
    session = current_session()
    row = service.get_flag(session, flag_id)
    return render_template(
        "console/flags/show.html",
        row=row,
        server=active_of(session, row.license),
        note=note,
        problem=problem,
        must_clear=row.flag.kind in service.CLEARED_BY_HOLD,
    )


@blueprint.post("/flags/<int:flag_id>/settle")
@needs("flags.settle")
def settle(flag_id: int) -> ResponseReturnValue:
    """Take the flag down with a note on how it was settled."""
    note = request.form.get("note", "")
    try:
        service.settle_flag(current_session(), operator().email, flag_id, note)
    except DaftarError as refusal:
        return _page(flag_id, note, refusal.message), status_of(refusal)
    say(_("The flag is settled."))
    return redirect(url_for("flags.page"))


@blueprint.post("/flags/<int:flag_id>/reopen")
@needs("flags.settle")
def reopen(flag_id: int) -> ResponseReturnValue:
    """Raise the flag again that was settled too early."""
    service.reopen_flag(current_session(), operator().email, flag_id)
    say(_("The flag is up again."))
    return redirect(url_for("flags.show", flag_id=flag_id))
