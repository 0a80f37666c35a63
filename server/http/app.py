"""The Flask application of our house: one transaction a request, one way in, one way to say no.

It knows no feature. Whoever builds an application hands over a Door with what is particular to it.
"""

import logging
import secrets
from typing import Any

from apiflask import APIFlask
from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import UnsupportedMediaType

from server.core import clock, log
from server.core.i18n import set_locale
from server.http.access import check_access
from server.http.door import Door, door_of
from server.http.errors import register_errors
from server.http.headers import add_security_headers
from server.http.idempotency import answer_once
from server.http.language import choose_locale
from server.http.licence_gate import check_licence
from server.http.network import check_network
from server.http.unit_of_work import close_session, finish_session

csrf = CSRFProtect()
lines = logging.getLogger(__name__)

MAX_BODY = 64 * 1024 * 1024
MAX_JSON = 4 * 1024 * 1024
FILES = "static"


class DaftarFlask(APIFlask):
    """Flask with one unit of work around every view."""

    door: Door

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view, then commit what it changed unless it answers with a refusal."""
        try:
            response = answer_once(lambda: self.make_response(self._view()))
            finish_session(keep=response.status_code < 400)
        finally:
            close_session()
        return response

    def _view(self) -> ResponseReturnValue:
        return super().dispatch_request()


def _enter() -> None:
    """Find out who is there before anything of the body is read, and refuse who may not come in."""
    door = door_of(current_app)
    g.request_id = secrets.token_hex(8)
    g.began = clock.monotonic()
    log.unbind_all()
    log.bind(request_id=g.request_id)
    if request.is_json:
        request.max_content_length = MAX_JSON
    set_locale(choose_locale(None, door.default_locale))
    g.actor = door.authenticate(request) if request.endpoint != FILES else None
    if g.actor is not None:
        log.bind(user_id=g.actor.user_id)
    set_locale(choose_locale(g.actor, door.default_locale))
    if door.check_request is not None:
        door.check_request(request)
    check_access()
    if door.board is not None:
        check_network(door.board.verdict)
        check_licence(door.board.verdict)
    _check_kind_of_body()


def _check_kind_of_body() -> None:
    """Refuse a body of another kind where JSON is expected, since it would be read as JSON anyhow."""
    view = current_app.view_functions.get(request.endpoint or "")
    expected = getattr(view, "_spec", {}).get("content_type")
    if expected == "application/json" and request.content_length and not request.is_json:
        raise UnsupportedMediaType


def make_app(name: str, door: Door, *, title: str, version: str, **folders: Any) -> DaftarFlask:
    """Return an application with our plumbing and no route yet."""
    app = DaftarFlask(
        name,
        title=title,
        version=version,
        docs_path=None,
        spec_path=None,
        json_errors=False,
        **folders,
    )
    app.extensions["daftar.door"] = door
    app.config.update(
        SECRET_KEY=door.secret_key,
        SESSION_COOKIE_NAME="daftar_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=door.https,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        MAX_CONTENT_LENGTH=MAX_BODY,
        **door.config,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # the default provider has it
    app.before_request(_enter)
    csrf.init_app(
        app
    )  # after _enter: a stranger is led to the sign-in page, whatever the form says
    app.after_request(_leave)
    app.teardown_request(_let_go)
    register_errors(app)
    return app


def _let_go(_error: BaseException | None) -> None:
    """End a transaction that the page of a refusal may have begun after the view's own had ended."""
    close_session()


def _leave(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint != FILES:
        _note(response)
    return add_security_headers(response)


def _note(response: Response) -> None:
    """Write one line about the request; of its address only the pattern, since a link may be a key."""
    place = request.url_rule.rule if request.url_rule else "-"
    spent = round((clock.monotonic() - g.began) * 1000) if "began" in g else None
    facts = {"method": request.method, "route": place, "status_code": response.status_code}
    lines.info("Answered.", extra={**facts, "ms": spent})
