"""The licence page: what holds, why, what to do; activating, checking now, giving back, confirming the machine."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.license.frame import blueprint, office, readable
from server.activation.fields import CHECK_IN_FIELDS
from server.activation.queries import license_status
from server.activation.rules import (
    PART_CHANGES,
    PARTS,
    REASONS,
    REQUESTS,
    LicenseStatus,
    notice_sentences,
)
from server.core import clock
from server.core.errors import DaftarError, NotFound
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.errors import status_of
from server.http.unit_of_work import current_session

_NEW = timedelta(days=1)  # so long the page offers the first steps


@dataclass(frozen=True)
class Refused:
    """Why a form came back: what was wrong, in which field, and what had been typed."""

    message: str = ""
    field: str = ""
    code: str = ""


def _page(refused: Refused | None = None) -> str:
    actor, desk = current_actor(), office()
    manages = actor.may("license.manage")
    status = license_status(current_session(), actor, desk)
    changed = manages and "FINGERPRINT_CHANGED" in status.notices
    return render_template(
        "license/page.html",
        status=status,
        notices=notice_sentences(status.notices),
        problems=notice_sentences(status.problems),
        messages=desk.messages(actor) if manages else (),
        preview=readable(desk.preview(actor)) if manages else "",
        pending=desk.pending(actor) if manages else None,
        receipts=desk.receipts(actor) if manages else (),
        machine=desk.machine(actor) if changed else (),
        begins=manages and _has_just_begun(status),
        readable=readable,
        refused=refused or Refused(),
        fields_sent=CHECK_IN_FIELDS,
        parts=PARTS,
        part_changes=PART_CHANGES,
        requests=REQUESTS,
        reasons=REASONS,
    )


def _has_just_begun(status: LicenseStatus) -> bool:
    if status.activated_at is None or status.mode not in ("ok", "warn_expiry"):
        return False
    return clock.now() - status.activated_at < _NEW


def _refused(refusal: DaftarError, code: str = "") -> ResponseReturnValue:
    field = str(getattr(refusal, "field", None) or "")
    return _page(Refused(refusal.message, field, code)), status_of(refusal)


@blueprint.get("/license")
@needs("license.see", always=True)
def page() -> ResponseReturnValue:
    """Show what holds."""
    return _page()


@blueprint.get("/license/activate", endpoint="after_activate")
@blueprint.get("/license/check-in", endpoint="after_check_in")
@blueprint.get("/license/deactivate", endpoint="after_deactivate")
@blueprint.get("/license/machine", endpoint="after_machine")
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
        office().activate(current_actor(), code)
    except DaftarError as refusal:
        return _refused(refusal, code)
    flash(_("This server is activated. Welcome to Daftar."), "success")
    return redirect(url_for("license.page"))


@blueprint.post("/license/check-in")
@needs("license.manage", always=True)
def check_in() -> ResponseReturnValue:
    """Ask the vendor now."""
    try:
        verdict = office().check_in(current_actor())
    except DaftarError as refusal:
        return _refused(refusal)
    if verdict.may_read:
        flash(_("The vendor has answered and the licence is up to date."), "success")
    else:
        flash(_("The vendor has answered. What holds now stands on this page."), "warning")
    return redirect(url_for("license.page"))


@blueprint.post("/license/deactivate")
@needs("license.manage", always=True)
def deactivate() -> ResponseReturnValue:
    """Give the activation back."""
    try:
        office().deactivate(current_actor(), request.form.get("reason", ""))
    except DaftarError as refusal:
        return _refused(refusal)
    flash(_("The licence was given back. The signed proof is kept on this server."), "success")
    return redirect(url_for("license.page"))


@blueprint.post("/license/machine")
@needs("license.manage", always=True)
def confirm_machine() -> ResponseReturnValue:
    """Take the word of a person that this is still the machine."""
    office().confirm_machine(current_actor())
    flash(_("This machine is confirmed. The next check tells the vendor."), "success")
    return redirect(url_for("license.page"))


@blueprint.get("/license/receipts/<activation_id>")
@needs("license.manage", always=True)
def receipt(activation_id: str) -> ResponseReturnValue:
    """Hand out the signed proof of a deactivation."""
    for one in office().receipts(current_actor()):
        if one.activation_id == activation_id:
            answer = Response(one.raw, mimetype="application/json")
            answer.headers.set("Content-Disposition", "attachment", filename=one.name)
            return answer
    raise NotFound(_("There is no proof for this activation."))
