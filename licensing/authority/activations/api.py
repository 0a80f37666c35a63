"""The authority over HTTP: envelopes in, envelopes out. Unsigned problems change nothing."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import Response, current_app, g, jsonify, request

from licensing.authority.activations.challenges import new_challenge
from licensing.authority.activations.check_in import check_in
from licensing.authority.activations.deactivate import deactivate
from licensing.authority.activations.desk import Desk, Visit
from licensing.authority.activations.service import activate
from licensing.authority.activations.standing import known_activation
from licensing.authority.keys.store import root_path
from licensing.authority.limits.rules import Rule, applies_to, network_of, per_minute
from licensing.authority.limits.service import Turnstile
from licensing.document.errors import Code, DocumentError
from licensing.document.parser import MAX_BYTES
from licensing.document.requests import (
    claimed_activation_id,
    open_activation,
    open_check_in,
    open_deactivation,
)
from server.core import clock
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.http.access import public
from server.http.errors import problem
from server.http.unit_of_work import current_session

blueprint = APIBlueprint("protocol", __name__, enable_openapi=False)

DESK = "daftar.authority.desk"
TURNSTILE = "daftar.authority.turnstile"
JSON = "application/json"


def desk() -> Desk:
    """Return what this application answers with."""
    found: Desk = current_app.extensions[DESK]
    return found


@blueprint.get("/v1/challenge")
@public()
def get_challenge() -> Response:
    """Give a challenge for an activation, good for ten minutes."""
    limits = desk().settings.limits
    address = _caller()
    _admit(per_minute("challenge", address, limits.challenge_per_minute))
    now = clock.timestamp()
    challenge = new_challenge(desk().challenge_secret, now)
    return jsonify({"challenge": challenge, "server_time": now})


@blueprint.get("/v1/keyset")
@public()
def get_keyset() -> Response:
    """Give the keyset, signed by the root."""
    _admit()
    return Response(desk().keys.ring().envelope, content_type=JSON)


@blueprint.get("/v1/root/<int:version>")
@public()
def get_root(version: int) -> Response:
    """Give a newer root, signed by its predecessor and by itself."""
    _admit()
    try:
        return Response(root_path(desk().settings, version).read_bytes(), content_type=JSON)
    except OSError as error:  # no such file, or a number too long to name one
        raise NotFound(_("There is no root %(n)s.", n=version)) from error


@blueprint.post("/v1/activations")
@public()
def post_activation() -> Response:
    """Answer an activation request."""
    address = _caller()
    _admit(per_minute("activation", address, desk().settings.limits.activation_per_minute))
    return _answered("activation", _activate)


def _activate(raw: bytes) -> bytes:
    opened = open_activation(raw)
    return activate(current_session(), desk(), opened, _visit())


@blueprint.post("/v1/check-ins")
@public()
def post_check_in() -> Response:
    """Answer a check-in."""
    _admit()
    return _answered("check-in", _check_in)


def _check_in(raw: bytes) -> bytes:
    claimed = claimed_activation_id(raw)
    known = known_activation(current_session(), claimed)
    opened = open_check_in(raw, known.instance_pub)
    return check_in(current_session(), desk(), known, opened, _visit())


@blueprint.post("/v1/deactivations")
@public()
def post_deactivation() -> Response:
    """Answer a deactivation request with the proof."""
    _admit()
    return _answered("deactivation", _deactivate)


def _deactivate(raw: bytes) -> bytes:
    claimed = claimed_activation_id(raw)
    known = known_activation(current_session(), claimed)
    opened = open_deactivation(raw, known.instance_pub)
    return deactivate(current_session(), desk(), known, opened, _visit())


def _answered(asked: str, answer: Callable[[bytes], bytes]) -> Response:
    """Return the signed answer to the body of this request, or the unsigned problem with it."""
    if (request.content_length or 0) > MAX_BYTES:
        sentence = f"A request has at most {MAX_BYTES} bytes."
        return problem(413, Code.E_FORMAT.value, sentence)
    if request.content_type and not request.is_json:
        sentence = f"A request is {JSON}, not {request.mimetype[:80]}."
        return problem(415, Code.E_FORMAT.value, sentence)
    try:
        raw = answer(request.get_data())
    except DocumentError as error:
        return problem(400, error.code.value, error.message)
    g.signed_answer = asked, raw  # counted once it is on its way
    return Response(raw, content_type=JSON)


def _caller() -> str:
    return network_of(request.remote_addr or "")


def _is_limited() -> bool:
    return applies_to(desk().settings.limits, request.remote_addr or "")


def _visit() -> Visit:
    return Visit(is_online=True, is_limited=_is_limited())


def _admit(*more: Rule) -> None:
    """Count this request for its address, or refuse it (`E_RATE`)."""
    if _is_limited():
        everything = per_minute("address", _caller(), desk().settings.limits.per_ip_minute)
        turnstile: Turnstile = current_app.extensions[TURNSTILE]
        turnstile.admit((everything, *more))
