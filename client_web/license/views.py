"""The licence page: what holds, why, what to do; activating, checking now, giving back.

Every route here is open in every licence mode: the way out must never be locked itself.
"""

import json

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.activation.queries import license_status
from server.activation.rules import notice_sentences
from server.activation.service import LicenseOffice
from server.core.errors import DaftarError, Missing
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.errors import status_of
from server.http.unit_of_work import current_session

blueprint = Blueprint("license", __name__)


def _office() -> LicenseOffice:
    office: LicenseOffice | None = current_app.extensions.get("daftar.office")
    if office is None:
        raise Missing(
            _("This server runs without a licence office: the vendor's root keys are missing.")
        )
    return office


def _page(problem: str | None = None, code: str = "") -> str:
    actor, office = current_actor(), _office()
    manages = actor.may("license.manage")
    status = license_status(current_session(), actor, office)
    return render_template(
        "license/page.html",
        status=status,
        notices=notice_sentences((*status.notices, *status.problems)),
        messages=office.messages(actor) if manages else (),
        preview=_readable(office.preview(actor)) if manages else "",
        readable=_readable,
        problem=problem,
        code=code,
    )


def _readable(message: str) -> str:
    """Return a message with one member on each line; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(message), indent=2, ensure_ascii=False)
    except ValueError:
        return message


@blueprint.get("/license")
@needs("license.see", always=True)
def page() -> ResponseReturnValue:
    """Show what holds."""
    return _page()


@blueprint.get("/license/activate", endpoint="after_activate")
@blueprint.get("/license/check-in", endpoint="after_check_in")
@blueprint.get("/license/deactivate", endpoint="after_deactivate")
@needs("license.see", always=True)
def asked_again() -> ResponseReturnValue:
    """Lead to the page whoever opens the address of a refusal again."""
    return redirect(url_for("license.page"))


@blueprint.post("/license/activate")
@needs("license.manage", always=True)
def activate() -> ResponseReturnValue:
    """Activate with the code of the order."""
    code = request.form.get("code", "")
    try:
        _office().activate(current_actor(), code)
    except DaftarError as refusal:
        return _page(refusal.message, code), status_of(refusal)
    flash(_("This server is activated. Welcome to Daftar."), "success")
    return redirect(url_for("license.page"))


@blueprint.post("/license/check-in")
@needs("license.manage", always=True)
def check_in() -> ResponseReturnValue:
    """Ask the vendor now."""
    try:
        _office().check_in(current_actor())
    except DaftarError as refusal:
        return _page(refusal.message), status_of(refusal)
    flash(_("The vendor has answered and the licence is up to date."), "success")
    return redirect(url_for("license.page"))


@blueprint.post("/license/deactivate")
@needs("license.manage", always=True)
def deactivate() -> ResponseReturnValue:
    """Give the activation back."""
    try:
        _office().deactivate(current_actor(), request.form.get("reason", ""))
    except DaftarError as refusal:
        return _page(refusal.message), status_of(refusal)
    flash(_("The licence was given back. The signed proof is kept on this server."), "success")
    return redirect(url_for("license.page"))
