"""One's own notices: by which ways one wants to hear, and what cannot be silenced (R-CRM-8)."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from client_web.notices.forms import WaysForm
from client_web.reading import put_back, say
from client_web.users.profile import profile_tabs
from server.core.contact import email_key
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.http.access import current_actor, signed_in
from server.http.unit_of_work import current_session
from server.notices import queries, service

blueprint = Blueprint("own_notices", __name__)


@blueprint.get("/settings/profile/notices")
@signed_in(always=True)
def page() -> ResponseReturnValue:
    """Show by which ways one hears of notices."""
    ways = queries.preference_of(current_session(), current_actor().user_id or 0)
    return _page(WaysForm(by_email=ways.by_email, by_sms=ways.by_sms, phone=ways.phone))


def _page(form: WaysForm) -> str:
    actor = current_actor()
    named = queries.representative(current_session())
    represents = named is not None and email_key(named.email) == email_key(actor.email)
    return render_template(
        "notices/own.html",
        form=form,
        tabs=profile_tabs("own_notices.page"),
        represents=represents,
        alone=named is None and actor.may("settings.edit"),
    )


@blueprint.post("/settings/profile/notices")
@signed_in(always=True)
def save() -> ResponseReturnValue:
    """Keep by which ways one wants to hear."""
    form = WaysForm()
    try:
        service.choose_ways(current_session(), current_actor(), form.draft())
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _page(form), status
    say(_("Your choice is saved."))
    return redirect(url_for("own_notices.page"))
