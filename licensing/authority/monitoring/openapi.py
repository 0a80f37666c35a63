"""The protocol as an OpenAPI 3.1 document: envelopes, problems, limits.

What the signed payloads hold stands in the protocol's own page, docs/licence-protocol.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from licensing.authority.config import Limits
from licensing.document.answers import Bundle, Deactivation, Denial, Lease
from licensing.document.envelope import MAX_SIGNATURES
from licensing.document.keyset import Keyset, Root
from licensing.document.parser import MAX_BYTES
from licensing.document.requests import ActivateRequest, CheckInRequest, DeactivateRequest
from server.core.version import VERSION

Json = dict[str, Any]
_BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_JSON = "application/json"
_PROBLEM = "application/problem+json"
_UNSIGNED = (
    "Nothing that is not signed changes the state of a licence: after a problem ask again later, with "
    "the same bytes."
)


def describe(limits: Limits) -> Json:
    """Return the document for an authority with these limits."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Daftar licence authority",
            "version": VERSION,
            "description": (
                "Requests and answers are DSSE 1.0.2 envelopes with Ed25519 signatures. "
                f"{_UNSIGNED} {_told(limits)}"
            ),
        },
        "paths": _paths(),
        "components": {
            "schemas": {
                "Problem": _problem(),
                "Challenge": _challenge(),
                "Health": _health(),
                **{name: _envelope(kinds) for name, kinds in _ENVELOPES.items()},
            },
            "responses": _problems(),
        },
    }


def _told(limits: Limits) -> str:
    if not limits.enabled:
        return "No limits are in force here."
    return (
        f"Limits: {limits.per_ip_minute} requests a minute from one address, of them "
        f"{limits.challenge_per_minute} challenges and {limits.activation_per_minute} activations; "
        f"{limits.activation_per_code_day} activations a day with one code; {limits.checkin_burst} "
        f"check-ins of one activation at once, then one every {limits.checkin_interval_s} seconds; "
        f"{limits.deactivation_per_day} deactivations a day. Beyond them the answer is 429 with "
        "Retry-After."
    )


_ENVELOPES: Mapping[str, Sequence[str]] = {
    "ActivateRequest": [ActivateRequest.TYPE],
    "CheckInRequest": [CheckInRequest.TYPE],
    "DeactivateRequest": [DeactivateRequest.TYPE],
    "ActivationAnswer": [Bundle.TYPE, Denial.TYPE],
    "CheckInAnswer": [Lease.TYPE, Denial.TYPE],
    "DeactivationAnswer": [Deactivation.TYPE, Denial.TYPE],
    "Keyset": [Keyset.TYPE],
    "Root": [Root.TYPE],
}


def _envelope(kinds: Sequence[str]) -> Json:
    signature = {
        "type": "object",
        "required": ["keyid", "sig"],
        "properties": {
            "keyid": {"type": "string", "maxLength": 200},
            "sig": {"type": "string", "pattern": _BASE64, "maxLength": MAX_BYTES},
        },
    }
    return {
        "type": "object",
        "description": f"At most {MAX_BYTES} bytes, nested at most 16 deep, no member twice.",
        "required": ["payloadType", "payload", "signatures"],
        "properties": {
            "payloadType": {"type": "string", "enum": list(kinds)},
            "payload": {"type": "string", "pattern": _BASE64, "maxLength": MAX_BYTES},
            "signatures": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_SIGNATURES,
                "items": signature,
            },
        },
    }


def _problem() -> Json:
    return {
        "type": "object",
        "description": f"RFC 9457. {_UNSIGNED}",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable, for programs."},
            "errors": {"type": "array", "items": {"type": "object"}},
        },
    }


def _challenge() -> Json:
    return {
        "type": "object",
        "required": ["challenge", "server_time"],
        "properties": {
            "challenge": {
                "type": "string",
                "pattern": r"^[0-9a-f]{32}\.[0-9]{1,12}\.[0-9a-f]{64}$",
                "description": "Good for ten minutes.",
            },
            "server_time": {"type": "integer", "description": "Unix seconds, UTC."},
        },
    }


def _health() -> Json:
    words = {"type": "string", "enum": ["ok", "failing"]}
    return {
        "type": "object",
        "required": ["status", "version", "parts"],
        "properties": {
            "status": {"type": "string", "enum": ["ok"]},
            "version": {"type": "string"},
            "parts": {"type": "object", "additionalProperties": words},
        },
    }


_REASONS: Mapping[str, str] = {
    "400": "E_FORMAT, E_TYPE, E_SIGNATURE or E_WEAK_KEY: the body is not what it should be.",
    "404": "E_UNKNOWN_ACTIVATION, or nothing is at this address.",
    "405": "This address does not take this method.",
    "409": "E_BUSY: another request for this licence is being answered.",
    "413": "E_FORMAT: the body is too large.",
    "415": "E_FORMAT: the body is not application/json.",
    "429": "E_RATE: a limit is reached.",
    "503": "The database or the keys are away for the moment.",
}
_WAITS = ("409", "429")


def _problems() -> Json:
    retry = {
        "description": "Whole seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
    }
    shown: Json = {}
    for status, why in _REASONS.items():
        body = {"schema": {"$ref": "#/components/schemas/Problem"}}
        shown[f"Problem{status}"] = {"description": why, "content": {_PROBLEM: body}}
        if status in _WAITS:
            shown[f"Problem{status}"]["headers"] = {"Retry-After": retry}
    return shown


def _refusals(*statuses: str) -> Json:
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def _answer(schema: str, description: str) -> Json:
    body = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"200": {"description": description, "content": {_JSON: body}}}


def _read(name: str, summary: str, schema: str, *statuses: str, **more: Any) -> Json:
    answers = {**_answer(schema, summary), **_refusals(*statuses)}
    return {"get": {"operationId": name, "summary": summary, "responses": answers, **more}}


def _ask(name: str, summary: str, asked: str, answered: str, *more: str) -> Json:
    body = {"schema": {"$ref": f"#/components/schemas/{asked}"}}
    refusals = _refusals("400", *more, "409", "413", "415", "429", "503")
    told = "Signed by the authority. A denial is 200 too: it is an answer."
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "requestBody": {"required": True, "content": {_JSON: body}},
            "responses": {**_answer(answered, told), **refusals},
        }
    }


def _paths() -> Json:
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 2},
    }
    return {
        "/v1/challenge": _read(
            "getChallenge", "A challenge for an activation.", "Challenge", "429", "503"
        ),
        "/v1/keyset": _read("getKeyset", "The keyset, signed by the root.", "Keyset", "429", "503"),
        "/v1/root/{version}": _read(
            "getRoot",
            "A newer root, signed by its predecessor and by itself.",
            "Root",
            "404",
            "429",
            "503",
            parameters=[version],
        ),
        "/v1/activations": _ask(
            "activate", "Bind a licence to an instance.", "ActivateRequest", "ActivationAnswer"
        ),
        "/v1/check-ins": _ask(
            "checkIn", "The daily sign of life.", "CheckInRequest", "CheckInAnswer", "404"
        ),
        "/v1/deactivations": _ask(
            "deactivate",
            "Give an activation back.",
            "DeactivateRequest",
            "DeactivationAnswer",
            "404",
        ),
        "/healthz": _read("health", "Whether every part can do its work.", "Health", "503"),
    }
