"""What programs ask about the authority itself: /healthz, /metrics, and what its protocol looks like."""

import hmac
from http import HTTPStatus

from apiflask import APIBlueprint
from flask import Response, current_app, g, jsonify, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from licensing.authority.activations.desk import Desk
from licensing.authority.config import METRICS_TOKEN
from licensing.authority.monitoring.figures import figures
from licensing.authority.monitoring.health import examine
from licensing.authority.monitoring.meter import ANSWERS, REQUESTS, SECONDS, counted
from licensing.authority.monitoring.openapi import describe
from licensing.document.answers import Denial
from licensing.document.documents import open_body
from licensing.document.envelope import load_envelope
from server.core import clock
from server.core.config import read_secret
from server.core.errors import Missing, NotAllowed
from server.core.i18n import gettext as _
from server.core.version import VERSION
from server.http.access import public
from server.http.errors import problem
from server.http.network import is_this_machine
from server.http.unit_of_work import database

blueprint = APIBlueprint("monitoring", __name__, enable_openapi=False)

_HEAD = b'{"payloadType":"application/vnd.daftar.'


def _desk() -> Desk:
    found: Desk = current_app.extensions["daftar.authority.desk"]
    return found


@blueprint.get("/healthz")
@public()
def healthz() -> Response:
    """Tell whether every part can do its work, and if not, which one cannot."""
    desk = _desk()
    health = examine(desk.settings.home, database(), desk.keys)
    parts = {name: "ok" if why is None else "failing" for name, why in health.parts.items()}
    if health.failing:
        sentence = " ".join(health.failing.values())
        return problem(503, "unhealthy", sentence, {"parts": parts})
    return jsonify({"status": "ok", "version": VERSION, "parts": parts})


@blueprint.get("/metrics")
@public()  # the view itself looks at where the request comes from
def metrics() -> Response:
    """Tell how the authority is and what it has done, to this machine or to who has the token."""
    if not is_this_machine(request.remote_addr) and not _has_token():
        raise NotAllowed(
            _(
                "The metrics are for this machine itself. From elsewhere they need the token in "
                "secrets/metrics.token: “Authorization: Bearer …”."
            )
        )
    encode, kind = choose_encoder(request.headers.get("Accept", ""))
    house = CollectorRegistry(auto_describe=False)
    house.register(figures(_desk(), database()))
    return Response(_joined(encode(house), encode(counted())), content_type=kind)


def _joined(*texts: bytes) -> bytes:
    """Return several exports as one: OpenMetrics ends each with a word of its own."""
    end = b"# EOF\n"
    ended = any(text.endswith(end) for text in texts)
    return b"".join(text.removesuffix(end) for text in texts) + (end if ended else b"")


def _has_token() -> bool:
    try:
        token = read_secret(_desk().settings.secrets_dir, METRICS_TOKEN).strip()
    except Missing:
        return False
    said = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return len(token) >= 16 and hmac.compare_digest(said.encode(), token)


@blueprint.get("/v1/openapi.json")
@public()
def openapi() -> Response:
    """Describe the protocol for programs (OpenAPI 3.1)."""
    return jsonify(describe(_desk().settings.limits))


@blueprint.after_app_request
def count(response: Response) -> Response:
    """Count the request if it was one of the protocol, and the signed answer to it."""
    rule = request.url_rule.rule if request.url_rule else ""
    if rule.startswith("/v1/"):
        REQUESTS.labels(rule, response.status_code).inc()
        SECONDS.labels(rule).observe(clock.monotonic() - g.get("began", clock.monotonic()))
    if response.status_code == HTTPStatus.OK and "signed_answer" in g:
        asked, raw = g.signed_answer
        ANSWERS.labels(asked, _said(raw)).inc()
    return response


def _said(raw: bytes) -> str:
    """Return the code of a denial, or the name of any other answer."""
    kind = raw[len(_HEAD) : raw.index(b".v1+json")].decode()
    return open_body(load_envelope(raw), Denial).code if kind == "denial" else kind
