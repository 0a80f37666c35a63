"""Refunds: the proof that a licence was given back is read first, then the payment is written down, once."""

import base64
import binascii

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from licensing.authority.activations.refunds import Proof, newest_proof, pay_refund, read_proof
from licensing.authority.console.desk import console, fresh, operator, say
from licensing.document.parser import MAX_BYTES
from server.core import clock
from server.core.errors import DaftarError, Invalid
from server.core.i18n import gettext as _
from server.http.access import needs
from server.http.errors import status_of
from server.http.unit_of_work import current_session

blueprint = Blueprint("refunds", __name__)


@blueprint.get("/refunds")
@needs("refunds.pay")
@fresh
def page() -> ResponseReturnValue:
    """Ask for the proof."""
    return _ask(None)


def _ask(problem: str | None) -> str:
    return render_template("console/refunds/ask.html", problem=problem)


@blueprint.post("/refunds")
@needs("refunds.pay")
def read() -> ResponseReturnValue:
    """Show what the proof says; nothing is written down yet."""
    upload = request.files.get("file")
    raw = upload.read(MAX_BYTES + 1) if upload is not None else b""
    raw = raw or request.form.get("text", "").strip().encode()
    try:
        if not raw:
            raise Invalid(_("Choose the file of the proof, or paste its text."), field="file")
        proof = read_proof(current_session(), console().keys, raw)
    except DaftarError as refusal:
        return _ask(refusal.message), _status(refusal)
    return _show(raw, proof)


def _show(raw: bytes, proof: Proof) -> str:
    document = proof.document
    return render_template(
        "console/refunds/proof.html",
        proof=proof,
        eligible_at=document.refund_eligible_at or document.deactivated_at,
        now=clock.timestamp(),
        text=base64.b64encode(raw).decode(),
    )


def _status(refusal: DaftarError) -> int:
    """Return the status of a refusal; a false proof is a fault of whoever brought it, not ours."""
    status = status_of(refusal)
    return 422 if status >= 500 else status


@blueprint.post("/refunds/pay")
@needs("refunds.pay")
@fresh
def pay() -> ResponseReturnValue:
    """Write down that the refund is paid."""
    try:
        raw = base64.b64decode(request.form.get("proof", ""), validate=True)
        paid = pay_refund(current_session(), operator().email, console().keys, raw)
    except (binascii.Error, ValueError):
        return _ask(_("The proof got lost on the way. Choose its file again.")), 422
    except DaftarError as refusal:
        return _ask(refusal.message), _status(refusal)
    say(_("The refund is written down."))
    return redirect(url_for("licenses.show", license_id=paid.document.license_id))


@blueprint.get("/licenses/<license_id>/proof.json")
@needs("licenses.see")
def file(license_id: str) -> ResponseReturnValue:
    """Hand over the newest proof that was given for a licence, byte for byte."""
    response = Response(
        newest_proof(current_session(), license_id), content_type="application/json"
    )
    name = f"{license_id}-proof.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
