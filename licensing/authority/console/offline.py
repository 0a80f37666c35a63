"""Requests of servers without a line: shown first, then answered with a file and QR codes."""

import base64
import binascii

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from licensing.authority.activations.answer_files import Answered, answer_file
from licensing.authority.activations.api import desk
from licensing.authority.activations.asked import Asked, what_is_asked
from licensing.authority.audit.service import note
from licensing.authority.console.desk import console, operator, picture
from licensing.document import qr
from licensing.document.errors import Code, DocumentError
from licensing.document.parser import MAX_BYTES
from licensing.document.qr import QrError, QrTrouble
from server.core.errors import DaftarError, Invalid, NotFound
from server.core.i18n import gettext as _
from server.http.access import needs
from server.http.errors import status_of
from server.http.unit_of_work import current_session

blueprint = Blueprint("offline", __name__)

_MOST_TEXT = 4 * MAX_BYTES


@blueprint.get("/offline")
@needs("offline.answer")
def page() -> ResponseReturnValue:
    """Ask for a request file, or the text of its QR codes."""
    return _ask("", None)


def _ask(text: str, problem: str | None) -> str:
    return render_template("console/offline/ask.html", text=text, problem=problem)


@blueprint.post("/offline")
@needs("offline.answer")
def read() -> ResponseReturnValue:
    """Show what the request asks; nothing is done yet."""
    text = request.form.get("text", "")[:_MOST_TEXT]
    try:
        raw = _sent(text)
        asked = _asked(raw)
    except DaftarError as refusal:
        return _ask(text, refusal.message), status_of(refusal)
    return _show(raw, asked)


def _show(raw: bytes, asked: Asked) -> str:
    request_text = base64.b64encode(raw).decode()
    return render_template("console/offline/asked.html", asked=asked, request_text=request_text)


def _sent(text: str) -> bytes:
    """Return the request that was uploaded, pasted as JSON, or scanned as codes."""
    upload = request.files.get("file")
    raw = upload.read(MAX_BYTES + 1) if upload is not None else b""
    if not raw and not text.strip():
        raise Invalid(_("Choose a request file, or paste the text of its QR codes."), field="file")
    if not raw and not text.lstrip().startswith("{"):
        return _scanned(text)
    if raw[:5].upper() == b"DFT1:":
        return _scanned(raw.decode("ascii", "replace"))
    return raw or text.strip().encode()


def _scanned(text: str) -> bytes:
    try:
        return qr.joined(text.splitlines() or [text])
    except QrError as error:
        raise Invalid(_trouble(error), field="text") from error


def _trouble(error: QrError) -> str:
    if error.trouble is QrTrouble.MISSING:
        names = ", ".join(str(place) for place in error.missing)
        return _(
            "Of %(total)s codes these are missing: %(names)s. Scan them as well; the order does not matter.",
            total=error.total,
            names=names,
        )
    sentences = {
        QrTrouble.NOTHING: _("There is no QR code of a request in this text."),
        QrTrouble.FOREIGN: _("Part of this text is no code of a request. Scan the codes again."),
        QrTrouble.MIXED: _("These codes belong to different requests. Scan those of one request."),
        QrTrouble.DAMAGED: _(
            "The codes do not make a request: some of them are damaged. Scan again."
        ),
    }
    return sentences[error.trouble]


def _asked(raw: bytes) -> Asked:
    try:
        return what_is_asked(current_session(), raw)
    except DocumentError as error:
        raise _refusal(error) from error


def _refusal(error: DocumentError) -> Invalid:
    if error.code is Code.E_SIGNATURE:
        return Invalid(
            _(
                "The signature of this request does not hold: it was changed on the way, or made by "
                "another server than it says. Ask for a new file."
            ),
            code=error.code.value,
            field="file",
        )
    return Invalid(
        _("This is no request that can be answered: %(why)s", why=error.message),
        code=error.code.value,
        field="file",
    )


def _again() -> bytes:
    """Return the request that the page before has shown."""
    try:
        return base64.b64decode(request.form.get("request", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(_("The request got lost on the way. Choose its file again.")) from error


@blueprint.post("/offline/answer")
@needs("offline.answer")
def answer() -> ResponseReturnValue:
    """Answer the request; the same request is answered alike however often it is asked."""
    session = current_session()
    try:
        raw = _again()
        asked = _asked(raw)
        answered = answer_file(session, desk(), raw)
    except DocumentError as error:
        refusal = _refusal(error)
        return _ask("", refusal.message), status_of(refusal)
    except (Invalid, NotFound) as refused:
        return _ask("", refused.message), status_of(refused)
    subject = asked.license.license_id if asked.license is not None else "–"
    denial = answered.denial
    note(
        session,
        operator().email,
        "request.answer",
        subject,
        {"kind": answered.kind, "denial": denial.code if denial else None},
    )
    return _answered(asked, answered, subject)


def _answered(asked: Asked, answered: Answered, subject: str) -> str:
    codes = [picture(one) for one in qr.slices(answered.file)]
    file = base64.b64encode(answered.file).decode()
    return render_template(
        "console/offline/answered.html",
        asked=asked,
        denial=answered.denial,
        codes=codes,
        file=base64.b64encode(console().sealing.seal(file, operator().staff_id)).decode(),
        subject=subject,
    )


@blueprint.post("/offline/file")
@needs("offline.answer", reads=True)
def file() -> ResponseReturnValue:
    """Hand the answer over as a file; the page carries it sealed, so nothing else can be had here."""
    try:
        sealed = base64.b64decode(request.form.get("file", ""), validate=True)
        text = console().sealing.opened(sealed, operator().staff_id)
    except (DaftarError, binascii.Error, ValueError) as error:
        raise Invalid(_("The answer got lost on the way. Answer the request again.")) from error
    response = Response(base64.b64decode(text), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = 'attachment; filename="answer.dftlic"'
    return response
