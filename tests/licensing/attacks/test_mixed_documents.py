"""Every document where another is expected, signed by every key: at the client and at the authority."""

import base64
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from licensing.client.client import LicenseClient
from licensing.client.outcome import Result
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.authority.stage import Vendor as Authority
from tests.licensing.authority.stranger import (
    Json,
    Stranger,
    b64,
    keyid,
    pae,
    public,
    sealed,
    sha256,
)
from tests.licensing.client.stage import USAGE, activated, next_day
from tests.licensing.client.vendor import (
    DAY,
    NOW,
    SHOWN_CODE,
    Hands,
    Vendor,
    envelope,
    fresh_key,
)
from tests.licensing.vectors.write import FOLDER

DOCUMENTS = (
    "root",
    "keyset",
    "license",
    "activation",
    "bundle",
    "lease",
    "denial",
    "deactivation",
    "activate-req",
    "checkin-req",
    "deactivate-req",
)
RIGHT = {"activate": "bundle", "check-in": "lease", "deactivate": "deactivation"}
PATHS = ("/v1/activations", "/v1/check-ins", "/v1/deactivations")


# At the client


def payloads(vendor: Vendor, req_hash: str) -> dict[str, Json]:
    """Return a payload for each document that would be right in its own place."""
    bound = vendor.activation or {}
    lease = json.loads(FOLDER.joinpath("exchange.json").read_text("utf8"))
    activation, second, leave = (step["answer"] for step in lease["steps"])
    bodies = {"bundle": activation, "lease": second, "deactivation": leave}
    found = {name: _body(text) for name, text in bodies.items()}
    found |= {step: _body(lease["steps"][n]["request"]) for n, step in enumerate(DOCUMENTS[-3:])}
    ours = {"activation_id": bound.get("activation_id"), "license_id": "lic_1", "generation": 1}
    found["lease"] |= {**ours, "issued_at": vendor.now, "prev_hash": None}
    found["deactivation"] |= ours
    found["denial"] = {"code": "E_REVOKED", "message": "No."}
    found["license"], found["activation"] = dict(vendor.sold), dict(bound)
    found["root"], found["keyset"] = vendor.root(2, vendor.roots), _body(vendor.keyset(2).decode())
    return {
        name: {**payload, "req_hash": req_hash, "server_time": vendor.now}
        for name, payload in found.items()
    }


def _body(text: str) -> Json:
    found: Json = json.loads(base64.b64decode(json.loads(text)["payload"]))
    return found


def signers(vendor: Vendor) -> dict[str, Any]:
    return {
        "lease": vendor.lease_key,
        "license": vendor.license_key,
        "root": vendor.roots[0],
        "stranger": fresh_key(),
    }


def attempts(kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield payload, name and signer of each wrong answer: all but the right one under the right key."""
    for name, signer in itertools.product(DOCUMENTS, ("lease", "license", "root", "stranger")):
        if not (name in (RIGHT[kind], "denial") and signer == "lease"):
            yield name, name, signer
    # The name of the right document, the members of another.
    for name in DOCUMENTS:
        if name != RIGHT[kind]:
            yield name, RIGHT[kind], "lease"


@pytest.mark.parametrize("kind", RIGHT)
def test_no_other_document_is_an_answer(
    client: LicenseClient, vendor: Vendor, hands: Hands, kind: str
) -> None:
    activated(client)
    next_day(vendor, hands)
    before = client.status()
    keys = signers(vendor)
    for members, name, signer in attempts(kind):

        def lie(_path: str, raw: bytes) -> bytes:
            req_hash = sha256(base64.b64decode(json.loads(raw)["payload"]))
            return envelope(name, payloads(vendor, req_hash)[members], keys[signer])  # noqa: B023

        vendor.answer = lie  # type: ignore[method-assign, assignment]  # the vendor's line is not the vendor's
        outcome = {
            "activate": lambda: client.activate(SHOWN_CODE),
            "check-in": lambda: client.check_in(USAGE),
            "deactivate": lambda: client.deactivate(DeactivationReason.END, USAGE),
        }[kind]()
        assert outcome.result is Result.REFUSED, (members, name, signer, outcome)
    assert replace(client.status(), pending=None) == before
    assert client.verdict(1).mode is Mode.OK


# At the authority


@pytest.fixture
def authority(sqlite_vendor: Authority) -> Authority:
    return sqlite_vendor


@pytest.fixture
def stranger(authority: Authority) -> Stranger:
    found = authority.stranger()
    found.activate(authority.sell().code)
    return found


def test_no_other_document_is_a_request(authority: Authority, stranger: Stranger) -> None:
    right = {"/v1/activations": "activate-req", "/v1/check-ins": "checkin-req"}
    right["/v1/deactivations"] = "deactivate-req"
    before = stranger.lease["seq"]
    payload = {
        **stranger.check_in_payload(),
        "reason": "end",
        "instance_pub": b64(public(stranger.key)),
    }
    for path, name in itertools.product(PATHS, DOCUMENTS):
        if name != right[path]:
            reply = authority.send("POST", path, sealed(name, payload, stranger.key))
            assert (reply.status, reply.json["code"]) == (400, "E_TYPE"), (path, name)

    assert stranger.check_in().payload["seq"] == before + 1


def test_the_vendors_own_words_are_no_requests(authority: Authority, stranger: Stranger) -> None:
    keyset = authority.send("GET", "/v1/keyset", None).body
    for path, words in itertools.product(PATHS, (keyset, stranger.lease_raw)):
        reply = authority.send("POST", path, words)
        assert reply.status in (400, 404)
        assert reply.json["code"] in ("E_TYPE", "E_FORMAT", "E_SIGNATURE", "E_WEAK_KEY")


@pytest.mark.parametrize(
    "case",
    json.loads(FOLDER.joinpath("payloads.json").read_text("utf8"))["bad"],
    ids=lambda case: case["name"],
)
def test_json_tricks_in_signed_requests_are_refused(
    authority: Authority, stranger: Stranger, case: Json
) -> None:
    for path, kind in zip(PATHS, DOCUMENTS[-3:], strict=True):
        body = case["text"].encode()
        name = f"application/vnd.daftar.{kind}.v1+json"
        sig = b64(stranger.key.sign(pae(name, body)))
        outer = {
            "payloadType": name,
            "payload": b64(body),
            "signatures": [{"keyid": keyid(public(stranger.key)), "sig": sig}],
        }
        for raw in (json.dumps(outer).encode(), body):
            reply = authority.send("POST", path, raw)
            assert (reply.status, reply.json["code"]) == (400, "E_FORMAT")

    assert stranger.check_in().kind == "lease"


# Signatures


def altered(raw: bytes, **members: object) -> bytes:
    return json.dumps({**json.loads(raw), **members}).encode()


def test_signatures_cannot_be_bent(authority: Authority, stranger: Stranger) -> None:
    request = sealed("checkin-req", stranger.check_in_payload(), stranger.key)
    one = json.loads(request)["signatures"][0]
    raw = base64.b64decode(one["sig"])
    order = 2**252 + 27742317777372353535851937790883648493
    grown = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    other = fresh_key()
    wrong = {
        "S grown by the order": [{**one, "sig": b64(grown)}],
        "R with another sign": [{**one, "sig": b64(bytes([raw[0] ^ 0x80]) + raw[1:])}],
        "65 bytes": [{**one, "sig": b64(raw + b"\0")}],
        "another keyid": [{**one, "keyid": "0" * 16}],
        "a stranger's": [{"keyid": keyid(public(other)), "sig": b64(other.sign(b"x"))}],
        "zero": [{**one, "sig": b64(bytes(64))}],
    }
    for name, signatures in wrong.items():
        reply = authority.send("POST", "/v1/check-ins", altered(request, signatures=signatures))
        assert (reply.status, reply.json["code"]) == (400, "E_SIGNATURE"), name

    assert (
        authority.send("POST", "/v1/check-ins", altered(request, signatures=[one] * 9)).status
        == 400
    )
    taken = authority.send(
        "POST", "/v1/check-ins", altered(request, signatures=[*wrong["zero"], one, one], extra=1)
    )
    assert taken.status == 200
    # Another envelope around the same payload is the same request.
    assert authority.send("POST", "/v1/check-ins", request).body == taken.body


# Replays


def test_an_old_request_that_is_played_again_gives_nobody_a_lease(
    authority: Authority, stranger: Stranger
) -> None:
    """It costs a resync; the answer is for the old request, and no client waits for that any more."""
    stranger.check_in()
    recorded = stranger.last_request
    for _day in range(3):
        stranger.check_in()

    replayed = authority.send("POST", "/v1/check-ins", recorded)

    with pytest.raises(AssertionError):  # the client compares req_hash
        stranger.take(stranger.last_request, replayed.body)
    assert stranger.check_in().kind == "lease"
    assert stranger.check_in().payload["status"] == "ok"


def test_the_answers_of_another_activation_are_nobodys(
    authority: Authority, stranger: Stranger
) -> None:
    other = authority.stranger()
    other.activate(authority.sell().code)
    mine = sealed("checkin-req", stranger.check_in_payload(), stranger.key)
    stranger.ask("/v1/check-ins", mine)
    theirs = other.check_in()

    with pytest.raises(AssertionError):
        stranger.take(mine, theirs.raw)
    # Signed by me, for their activation.
    forged = sealed("checkin-req", other.check_in_payload(), stranger.key)
    reply = authority.send("POST", "/v1/check-ins", forged)
    assert (reply.status, reply.json["code"]) == (400, "E_SIGNATURE")


def test_a_copy_without_a_network_ends_by_itself(
    client: LicenseClient, vendor: Vendor, hands: Hands, start: Any
) -> None:
    activated(client)
    copy = start()  # the same disk; from here on it hears nothing
    for day, mode in (
        (6, Mode.OK),
        (13, Mode.WARN_ADMIN),
        (20, Mode.WARN_USERS),
        (31, Mode.READ_ONLY),
    ):
        hands.wall, hands.run = NOW + day * DAY, 1_000.0 + day * DAY
        assert copy.verdict(1).mode is mode
    hands.wall, hands.run = NOW, 1_000.0 + 32 * DAY  # the clock was turned back
    assert copy.verdict(1).mode is Mode.LOCKED
