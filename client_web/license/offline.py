"""Pages of a server without a line: make the request, carry it as a file or as QR codes, take the answer."""

import base64
from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.license.frame import blueprint, office
from server.activation.offline import MOST_ANSWER_BYTES, RequestFile, RequestWish
from server.activation.queries import license_status
from server.activation.rules import REASONS, REQUESTS
from server.core import qr
from server.core.errors import DaftarError, Invalid, Missing
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.errors import status_of
from server.http.unit_of_work import current_session


@dataclass(frozen=True)
class Typed:
    """What stood in the forms when one was refused, and where the refusal belongs."""

    message: str = ""
    field: str = ""
    kind: str = ""
    code: str = ""
    reason: str = "move"
    answer: str = ""

    def error(self, field: str) -> str | None:
        """Return the refusal when it belongs to this field."""
        return self.message if self.message and self.field == field else None


@dataclass(frozen=True)
class Picture:
    """One QR code: the picture for a scanner, the text for whoever types it over."""

    source: str
    text: str


def _page(typed: Typed | None = None) -> str:
    actor, desk = current_actor(), office()
    file = _file()
    return render_template(
        "license/offline.html",
        status=license_status(current_session(), actor, desk),
        pending=desk.pending(actor),
        file=file,
        pictures=[_picture(text) for text in file.codes] if file else [],
        typed=typed or Typed(),
        requests=REQUESTS,
        reasons=REASONS,
    )


def _file() -> RequestFile | None:
    try:
        return office().pending_file(current_actor())
    except Missing:
        return None


def _picture(text: str) -> Picture:
    packed = base64.b64encode(qr.svg(text)).decode()
    return Picture(f"data:image/svg+xml;base64,{packed}", text)


@blueprint.get("/license/offline")
@needs("license.manage", always=True)
def offline() -> ResponseReturnValue:
    """Show the way without the internet, step by step."""
    return _page()


@blueprint.get("/license/offline/request", endpoint="after_request")
@blueprint.get("/license/offline/answer", endpoint="after_answer")
@blueprint.get("/license/offline/withdraw", endpoint="after_withdraw")
@needs("license.manage", always=True)
def asked_again() -> ResponseReturnValue:
    """Lead to the page whoever opens the address of a refusal again."""
    return redirect(url_for("license.offline"))


@blueprint.post("/license/offline/request")
@needs("license.manage", always=True)
def make_request() -> ResponseReturnValue:
    """Make the request that was chosen; a deactivation asks for the licence number first."""
    form = request.form
    typed = Typed(
        kind=form.get("kind", ""), code=form.get("code", ""), reason=form.get("reason", "")
    )
    try:
        if typed.kind == "deactivate":
            _must_be_meant(form.get("confirm", ""))
        wish = RequestWish(typed.kind, typed.code, typed.reason)
        made = office().export_request(current_actor(), wish)
    except DaftarError as refusal:
        field = str(getattr(refusal, "field", None) or "")
        kept = Typed(refusal.message, field, typed.kind, typed.code, typed.reason)
        return _page(kept), status_of(refusal)
    flash(
        _("The request with the number %(number)s is ready.", number=made.request.number),
        "success",
    )
    return redirect(url_for("license.offline", _anchor="carry"))


def _must_be_meant(typed: str) -> None:
    number = office().board.verdict.license_id
    if number is not None and typed.strip() != number:
        raise Invalid(
            _(
                "This locks the server at once. Type the licence number %(number)s to go on.",
                number=number,
            ),
            field="confirm",
        )


@blueprint.get("/license/offline/request.dftreq")
@needs("license.manage", always=True)
def download() -> ResponseReturnValue:
    """Hand out the request that waits, as often as it is needed."""
    made = office().pending_file(current_actor())
    answer = Response(made.raw, mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=made.name)
    return answer


@blueprint.post("/license/offline/answer")
@needs("license.manage", always=True)
def take_answer() -> ResponseReturnValue:
    """Take the vendor's answer, uploaded or as the text of its QR codes."""
    pasted = request.form.get("codes", "")
    given = request.files.get("file")
    raw = given.stream.read(MOST_ANSWER_BYTES + 1) if given and given.filename else b""
    try:
        office().import_answer(current_actor(), raw or pasted.encode())
    except DaftarError as refusal:
        kept = Typed(refusal.message, "answer", answer=pasted[:MOST_ANSWER_BYTES])
        return _page(kept), status_of(refusal)
    flash(_("The vendor's answer was taken."), "success")
    return redirect(url_for("license.page"))


@blueprint.post("/license/offline/withdraw")
@needs("license.manage", always=True)
def withdraw() -> ResponseReturnValue:
    """Forget the request that waits."""
    try:
        office().withdraw(current_actor())
    except DaftarError as refusal:
        return _page(Typed(refusal.message, "pending")), status_of(refusal)
    flash(_("The request was withdrawn."), "success")
    return redirect(url_for("license.offline"))
