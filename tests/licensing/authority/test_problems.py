"""Bad bodies: each gets its unsigned problem, none changes anything, none makes the server stumble."""

import base64
import json
import random

import pytest

from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import Reply, b64, keyid, pae, public, sealed

PATHS = ("/v1/activations", "/v1/check-ins", "/v1/deactivations")
SMALL_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    # the sign bit of x hides nothing
    b"\x01" + bytes(30) + b"\x80",
    # not canonical: y + p
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]


def problem(reply: Reply) -> tuple[int, str]:
    assert reply.headers["Content-Type"] == "application/problem+json"
    said = reply.json
    assert said["status"] == reply.status
    assert said["title"]
    assert said["detail"]
    return reply.status, said["code"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"payloadType": 1}',
        b'{"payloadType":"a","payload":"","signatures":[]}',
        b'{"payloadType":"a","payload":"e30=","payload":"e30=","signatures":[]}',
        b'{"payloadType":"a","payload":"e30","signatures":[{"keyid":"a","sig":"YQ=="}]}',
        b'{"payloadType":"a","payload":"e30=","signatures":[{"keyid":"a","sig":1.5}]}',
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"payloadType":"a","payload":"e30=","signatures":['
        + b",".join([b'{"keyid":"a","sig":"YQ=="}'] * 9)
        + b"]}",
    ],
    ids=str,
)
def test_what_is_no_envelope_is_a_format_problem(
    sqlite_vendor: Vendor, path: str, body: bytes
) -> None:
    assert problem(sqlite_vendor.send("POST", path, body)) == (400, "E_FORMAT")


@pytest.mark.parametrize("path", PATHS)
def test_too_much_is_refused_unread(vendor: Vendor, path: str) -> None:
    assert problem(vendor.send("POST", path, b" " * (64 * 1024 + 1))) == (413, "E_FORMAT")


@pytest.mark.parametrize("weak", SMALL_ORDER, ids=lambda key: key.hex()[:8])
def test_a_weak_key_is_refused_before_anything_else(sqlite_vendor: Vendor, weak: bytes) -> None:
    server = sqlite_vendor.stranger()
    body = json.dumps(
        {
            "challenge": "x",
            "code_id": "0" * 8,
            "code_proof": "0" * 64,
            "instance_pub": b64(weak),
            "fp": {},
            "product_version": "1",
            "sent_at": 1,
        }
    ).encode()
    kind = "application/vnd.daftar.activate-req.v1+json"
    # the signature that verifies under the identity point: R = identity, s = 0
    sig = b"\x01" + bytes(63)
    envelope = {
        "payloadType": kind,
        "payload": b64(body),
        "signatures": [{"keyid": keyid(weak), "sig": b64(sig)}],
    }

    reply = server.send("POST", PATHS[0], json.dumps(envelope).encode())

    assert problem(reply) == (400, "E_WEAK_KEY")


def test_a_signature_under_another_key_is_refused(sqlite_vendor: Vendor) -> None:
    issued = sqlite_vendor.sell()
    server, thief = sqlite_vendor.stranger(), sqlite_vendor.stranger()
    request = json.loads(server.activate_request(issued.code))
    message = pae(request["payloadType"], base64.b64decode(request["payload"]))
    for keyid_of in (server.key, thief.key):
        signature = {"keyid": keyid(public(keyid_of)), "sig": b64(thief.key.sign(message))}
        forged = json.dumps({**request, "signatures": [signature]}).encode()

        assert problem(server.send("POST", PATHS[0], forged)) == (400, "E_SIGNATURE")
    assert sqlite_vendor.activations(issued.license_id) == []


def test_a_changed_payload_is_refused(sqlite_vendor: Vendor) -> None:
    issued, server = sqlite_vendor.sell(), sqlite_vendor.stranger()
    request = json.loads(server.activate_request(issued.code))
    body = json.loads(base64.b64decode(request["payload"]))
    body["product_version"] = "9.9.9"
    changed = {**request, "payload": b64(json.dumps(body).encode())}

    reply = server.send("POST", PATHS[0], json.dumps(changed).encode())

    assert problem(reply) == (400, "E_SIGNATURE")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/activations", "lease"),
        ("/v1/activations", "bundle"),
        ("/v1/check-ins", "deactivate-req"),
        ("/v1/deactivations", "checkin-req"),
    ],
)
def test_another_type_is_refused(vendor: Vendor, path: str, name: str) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    payload = {
        **server.check_in_payload(),
        "reason": "move",
        "instance_pub": b64(public(server.key)),
    }

    reply = server.send("POST", path, sealed(name, payload, server.key))

    assert problem(reply) == (400, "E_TYPE")


@pytest.mark.parametrize(
    "member",
    ["challenge", "code_id", "code_proof", "instance_pub", "fp", "product_version", "sent_at"],
)
@pytest.mark.parametrize("value", [None, 1.5, -1, {}, [], "\x00", "x" * 100_0], ids=repr)
def test_a_wrong_member_of_an_activation_is_a_format_problem(
    sqlite_vendor: Vendor, member: str, value: object
) -> None:
    server = sqlite_vendor.stranger()
    if (member, value) == ("fp", {}):
        return  # a machine may be unreadable
    request = server.activate_request("7" * 26, **{member: value})

    status, code = problem(server.send("POST", PATHS[0], request))

    assert status == 400
    assert code in {"E_FORMAT", "E_WEAK_KEY"}


CHECK_IN_MEMBERS = (
    "activation_id seq nonce client_nonce prev_hash fp usage clock product_version mode sent_at"
)


@pytest.mark.parametrize("member", CHECK_IN_MEMBERS.split())
@pytest.mark.parametrize("value", [1.5, -1, [], "\x00", {"a": {"b": 1}}, True], ids=repr)
def test_a_wrong_member_of_a_check_in_is_a_format_problem(
    sqlite_vendor: Vendor, member: str, value: object
) -> None:
    issued, server = sqlite_vendor.sell(), sqlite_vendor.stranger()
    server.activate(issued.code)
    request = sealed("checkin-req", server.check_in_payload(**{member: value}), server.key)

    assert problem(server.send("POST", PATHS[1], request)) == (400, "E_FORMAT")
    assert sqlite_vendor.activations(issued.license_id)[0].head_seq == 1


def test_unknown_members_are_ignored(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()

    assert server.activate(issued.code, tomorrow={"a": [1, None]}).kind == "bundle"
    assert server.check_in(tomorrow="x").kind == "lease"


def test_a_broken_body_of_any_kind_never_makes_a_fault(vendor: Vendor) -> None:
    """Cut, flip and splice real requests; whatever comes out is answered and harms nobody."""
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    seeds = [
        server.activate_request(issued.code),
        sealed("checkin-req", server.check_in_payload(), server.key),
        sealed("deactivate-req", {**server.check_in_payload(), "reason": "end"}, server.key),
    ]
    dice = random.Random(1404)  # noqa: S311 - the same dice for everybody

    for _round in range(150):
        body = bytearray(dice.choice(seeds))
        for _change in range(dice.randint(1, 4)):
            at = dice.randrange(len(body))
            body[at : at + dice.choice((0, 1, 8))] = dice.randbytes(dice.choice((0, 1, 3)))
        if bytes(body) in seeds:
            continue
        reply = vendor.send("POST", dice.choice(PATHS), bytes(body))

        assert reply.status in {200, 400, 404}, reply.body
    held = vendor.activations(issued.license_id)[0]
    assert (held.head_seq, held.status.value) == (1, "active")


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_method_is_refused(sqlite_vendor: Vendor, path: str) -> None:
    reply = sqlite_vendor.send("GET", path, None)

    assert reply.status == 405
    assert "POST" in reply.headers["Allow"]


def test_no_header_or_form_gets_past_the_door(sqlite_vendor: Vendor) -> None:
    """There is no cookie, no session and no form here, so nothing is lent to a foreign site."""
    reply = sqlite_vendor.send("GET", "/v1/keyset", None)

    assert "Set-Cookie" not in reply.headers
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("version", ["7", "9" * 400])
def test_a_root_that_does_not_exist_is_not_found(vendor_here: Vendor, version: str) -> None:
    assert problem(vendor_here.send("GET", f"/v1/root/{version}", None))[0] == 404
