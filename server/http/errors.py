"""One table of status codes, and one shape of refusal for each door: a problem document or a page."""

import json
import logging
from dataclasses import asdict
from http import HTTPStatus

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, current_app, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from server.core import errors
from server.core.i18n import gettext as _
from server.http.door import door_of
from server.http.input_errors import field_errors
from server.http.rest import VersionMissing
from server.http.unit_of_work import stale

log = logging.getLogger(__name__)

STATUS: dict[type[errors.DaftarError], int] = {
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Invalid: 422,
    errors.Conflict: 409,
    errors.Stale: 412,
    VersionMissing: 428,
    errors.NotLicensed: 402,
    errors.TooMany: 429,
    errors.Missing: 503,
    errors.Unreachable: 503,
    errors.Broken: 500,
    errors.Interrupted: 503,
}


def status_of(error: errors.DaftarError) -> int:
    """Return the status code of an error: that of its nearest class in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def wants_problem() -> bool:
    """Tell whether the caller is a program that expects application/problem+json (RFC 9457)."""
    return request.path.startswith(door_of(current_app).api_prefixes)


def problem(
    status: int, code: str, detail: str, members: dict[str, object] | None = None
) -> Response:
    """Return an RFC 9457 problem document with our stable `code`."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
        **(members or {}),
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def _page(status: int, code: str, detail: str) -> ResponseReturnValue:
    render = door_of(current_app).page_of_error
    if render is None:
        return detail, status, {"Content-Type": "text/plain; charset=utf-8"}
    return render(status, code, detail), status, _said_aloud(status, detail)


def _said_aloud(status: int, detail: str) -> dict[str, str]:
    """Let a part of a page that asked by itself show the sentence, since it shows no page of errors.

    What only looks, and is not covered by the licence any more, gives way to the page that says so.
    """
    if not request.headers.get("HX-Request"):
        return {}
    if status == HTTPStatus.PAYMENT_REQUIRED and request.method == "GET":
        return {"HX-Refresh": "true"}
    toast: dict[str, object] = {"text": detail, "level": "danger"}
    if status == HTTPStatus.PAYMENT_REQUIRED and "licence_page" in current_app.extensions:
        page = url_for(current_app.extensions["licence_page"])
        toast["link"] = {"url": page, "label": _("To the licence page")}
    return {"HX-Trigger": json.dumps({"toast": toast})}


def _answer(
    status: int, code: str, detail: str, members: dict[str, object] | None = None
) -> ResponseReturnValue:
    if wants_problem():
        return problem(status, code, detail, members)
    return _page(status, code, detail)


def on_daftar_error(error: errors.DaftarError) -> ResponseReturnValue:
    """Answer a refusal that was raised on purpose."""
    status = status_of(error)
    members: dict[str, object] = dict(getattr(error, "members", {}))
    if isinstance(error, errors.Invalid):
        members["errors"] = [
            {"field": item.field, "code": item.code, "message": item.message}
            for item in error.errors
        ]
    if isinstance(error, errors.NotSignedIn) and not wants_problem():
        return _to_sign_in()
    response = current_app.make_response(_answer(status, error.code, error.message, members))
    if isinstance(error, errors.TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _to_sign_in() -> ResponseReturnValue:
    if "sign_in" not in current_app.extensions:
        return _page(401, "not_signed_in", _("Please sign in first."))
    page = url_for(current_app.extensions["sign_in"])
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": page}
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for(current_app.extensions["sign_in"], next=target))


def on_http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer what Flask itself refuses: no such page, a wrong method, a stale form."""
    status = error.code or 500
    no_json = _("The request cannot be read: its body must be JSON.")
    no_form = _("This form is no longer valid. Open the page again and repeat the step.")
    sentences = {
        400: no_json if wants_problem() else no_form,
        404: _("There is no page at this address."),
        405: _("This address does not understand the method %(method)s.", method=request.method),
        413: _("What was sent is too large for this server."),
        415: _("This address expects another kind of content."),
    }
    if 300 <= status < 400:
        return error.get_response()
    words = HTTPStatus(status).phrase.lower().replace(" ", "_")
    detail = sentences.get(status, error.description or HTTPStatus(status).phrase)
    answer = current_app.make_response(_answer(status, words, detail))
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return answer


def on_api_input(error: HTTPError) -> ResponseReturnValue:
    """Answer a JSON body or query that does not fit its schema."""
    if isinstance(error.__cause__, ValidationError):
        found = [asdict(item) for item in field_errors(error.__cause__)]
    else:
        found = [
            {"field": field, "code": "invalid", "message": message}
            for field, message in _flat(error.detail)
        ]
    code = "invalid" if found else HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    detail = _("The request does not fit: see “errors”.") if found else str(error.message)
    return _answer(error.status_code, code, detail, {"errors": found})


def _flat(detail: object, path: str = "") -> list[tuple[str, str]]:
    if isinstance(detail, dict):
        skip = {"json", "query", "headers", "json_or_form", "form", "files", "path"}
        found = []
        for key, inner in detail.items():
            here = path if not path and key in skip else f"{path}.{key}".strip(".")
            found += _flat(inner, here)
        return found
    if isinstance(detail, list):
        return [entry for item in detail for entry in _flat(item, path)]
    return [(path, str(detail))] if detail else []


def on_stale(_error: StaleDataError) -> ResponseReturnValue:
    """Answer a change of a record that somebody else changed first."""
    return on_daftar_error(stale())


def on_integrity(error: IntegrityError) -> ResponseReturnValue:
    """Answer a change that the database itself refuses; the sentence names no internals."""
    # PostgreSQL's own sentence holds the row, and no row belongs into the log.
    told = getattr(error.orig, "diag", None)
    reason = str(error.orig) if told is None else f"{told.sqlstate} {told.constraint_name}"
    log.warning("The database refused a change.", extra={"reason": reason})
    return _answer(
        409,
        "conflict",
        _("This contradicts a record that already exists, or one that is still in use."),
    )


def on_unstorable(_error: Exception) -> ResponseReturnValue:
    """Answer a value that no column can hold: a number too large, a character no text may have."""
    return _answer(
        422, "invalid", _("A value is too large, or contains characters that no text may have.")
    )


def on_busy(error: OperationalError) -> ResponseReturnValue:
    """Answer when the database is locked or away."""
    log.error("The database does not answer.", exc_info=error)
    return _answer(503, "busy", _("The database is busy or away. Please try again in a moment."))


def on_crash(error: Exception) -> ResponseReturnValue:
    """Answer a fault of ours with a number that finds the log line."""
    log.error("An unexpected fault.", exc_info=error)
    sentence = _(
        "Something went wrong on our side. Nothing was changed. Tell your administrator the number %(id)s.",
        id=g.get("request_id", "-"),
    )
    return _answer(500, "fault", sentence)


def register_errors(app: APIFlask) -> None:
    """Give the application its one way to say no."""
    app.error_processor(on_api_input)  # type: ignore[arg-type] # it answers like every handler
    app.register_error_handler(errors.DaftarError, on_daftar_error)
    # After `error_processor`, which claims these errors for itself.
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(StaleDataError, on_stale)
    app.register_error_handler(IntegrityError, on_integrity)
    app.register_error_handler(DataError, on_unstorable)
    app.register_error_handler(OverflowError, on_unstorable)
    app.register_error_handler(OperationalError, on_busy)
    app.register_error_handler(Exception, on_crash)
