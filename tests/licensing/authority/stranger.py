"""A client that somebody else wrote: only the page of the protocol, `cryptography` and `requests`.

It shares no code with `licensing`, verifies every answer by itself, and can misbehave on purpose.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What came back over the line."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found


Send = Callable[[str, str, bytes | None], Reply]


def over_http(url: str) -> Send:
    """Return a line to a real server; every message has a connection of its own."""

    def send(method: str, path: str, body: bytes | None) -> Reply:
        headers = {"Content-Type": "application/json"}
        answer = requests.request(method, url + path, data=body, headers=headers, timeout=60)
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    return send


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def keyid(pub: bytes) -> str:
    return hashlib.sha256(b"daftar-key-v1" + b"\x00" + pub).hexdigest()[:16]


def pae(kind: str, body: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)


def media_type(name: str) -> str:
    return f"application/vnd.daftar.{name}.v1+json"


def sealed(name: str, payload: Json, key: Ed25519PrivateKey) -> bytes:
    """Return the envelope of a payload, signed by one key."""
    body, kind = json.dumps(payload).encode(), media_type(name)
    signature = {"keyid": keyid(public(key)), "sig": b64(key.sign(pae(kind, body)))}
    return json.dumps(
        {"payloadType": kind, "payload": b64(body), "signatures": [signature]}
    ).encode()


def payload_bytes(envelope: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope)["payload"], validate=True)


def signers(envelope: bytes, pubs: list[bytes]) -> list[bytes]:
    """Return the keys whose signature holds; a wrong one raises."""
    outer = json.loads(envelope)
    message = pae(outer["payloadType"], payload_bytes(envelope))
    held = []
    for signature in outer["signatures"]:
        for pub in pubs:
            if keyid(pub) == signature["keyid"]:
                raw = base64.b64decode(signature["sig"], validate=True)
                Ed25519PublicKey.from_public_bytes(pub).verify(raw, message)
                held.append(pub)
    return sorted(set(held))


def plain_code(shown: str) -> str:
    """Return the 26 symbols of a code as it was printed."""
    return shown.replace("-", "")[:26]


def check_symbol(code: str) -> str:
    number = 0
    for symbol in code:
        number = number * 32 + CROCKFORD.index(symbol)
    return "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"[number % 37]


@dataclass
class Trust:
    """The pinned root and the keyset under it."""

    root: Json
    keyset: Json = field(default_factory=dict)

    def take_keyset(self, envelope: bytes) -> Json:
        roots = [base64.b64decode(key["pub"]) for key in self.root["keys"]]
        assert json.loads(envelope)["payloadType"] == media_type("keyset")
        assert len(signers(envelope, roots)) >= self.root["threshold"]
        self.keyset = json.loads(payload_bytes(envelope))
        return self.keyset

    def open(self, name: str, envelope: bytes, role: str, time_of: str) -> Json:
        """Return the payload of a document that a living key of this role signed in its window."""
        assert json.loads(envelope)["payloadType"] == media_type(name)
        document: Json = json.loads(payload_bytes(envelope))
        keys = {
            base64.b64decode(key["pub"]): key
            for key in self.keyset["keys"]
            if role in key["roles"] and not key.get("revoked_at")
        }
        held = signers(envelope, list(keys))
        assert held, f"nobody of the role {role} signed the {name}"
        windows = [keys[pub] for pub in held]
        assert any(key["not_before"] <= document[time_of] <= key["not_after"] for key in windows)
        return document


@dataclass
class Answer:
    """A signed answer, verified, with the bytes it came in."""

    kind: str
    payload: Json
    raw: bytes

    @property
    def code(self) -> str:
        return str(self.payload.get("code", ""))


class Problem(Exception):
    """An unsigned problem."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body!r}")
        self.reply = reply
        self.status = reply.status
        self.code = reply.json["code"]


_ANSWERS = {
    "bundle": "server_time",
    "lease": "issued_at",
    "denial": "server_time",
    "deactivation": "server_time",
}


@dataclass
class Stranger:
    """One installation: an instance key, a machine, and the last lease it took."""

    send: Send
    trust: Trust
    fp: dict[str, str] = field(
        default_factory=lambda: {name: secrets.token_hex(16) for name in ("a", "b", "c")}
    )
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    version: str = "0.1.0"
    activation: Json = field(default_factory=dict)
    license: Json = field(default_factory=dict)
    lease: Json = field(default_factory=dict)
    lease_raw: bytes = b""
    last_request: bytes = b""
    named: int = 1

    def twin(self) -> "Stranger":
        """Return a copy of the whole disk, as a snapshot or a clone is one."""
        return Stranger(**{**vars(self), "lease": dict(self.lease)})

    def restore(self, other: "Stranger") -> None:
        """Go back to a snapshot."""
        self.lease, self.lease_raw = dict(other.lease), other.lease_raw

    # Questions

    def challenge(self) -> str:
        reply = self.send("GET", "/v1/challenge", None)
        if reply.status != 200:
            raise Problem(reply)
        return str(reply.json["challenge"])

    def fetch_keyset(self) -> Json:
        return self.trust.take_keyset(self.send("GET", "/v1/keyset", None).body)

    def activate_request(self, shown: str, **changed: Any) -> bytes:
        code = plain_code(shown)
        asked = changed["challenge"] if "challenge" in changed else self.challenge()
        key = hashlib.sha256(b"daftar-code-v1\x00" + code.encode()).digest()
        pub = b64(public(self.key))
        payload = {
            "challenge": asked,
            "code_id": hashlib.sha256(b"daftar-code-id-v1\x00" + code.encode()).hexdigest()[:8],
            "code_proof": hmac.new(key, f"{asked}{pub}".encode(), hashlib.sha256).hexdigest(),
            "instance_pub": pub,
            "fp": self.fp,
            "product_version": self.version,
            "sent_at": 1_800_000_000,
            **changed,
        }
        return sealed("activate-req", payload, self.key)

    def check_in_payload(self, **changed: Any) -> Json:
        return {
            "activation_id": self.activation["activation_id"],
            "seq": self.lease["seq"] + 1,
            "nonce": self.lease["next_nonce"],
            "client_nonce": secrets.token_hex(16),
            "prev_hash": sha256(self.lease_raw),
            "fp": self.fp,
            "usage": {"named": self.named, "peak_concurrent": 1, "service": 0},
            "clock": {"wall": 1_800_000_000, "suspect": False},
            "product_version": self.version,
            "mode": "ok",
            "sent_at": 1_800_000_000,
            **changed,
        }

    # Exchanges

    def activate(self, shown: str, **changed: Any) -> Answer:
        return self.ask("/v1/activations", self.activate_request(shown, **changed))

    def check_in(self, **changed: Any) -> Answer:
        request = sealed("checkin-req", self.check_in_payload(**changed), self.key)
        return self.ask("/v1/check-ins", request)

    def deactivate(self, reason: str, **changed: Any) -> Answer:
        payload = {**self.check_in_payload(**changed), "reason": reason}
        return self.ask("/v1/deactivations", sealed("deactivate-req", payload, self.key))

    def again(self, path: str) -> Answer:
        """Send the last request once more, byte for byte."""
        return self.ask(path, self.last_request)

    def ask(self, path: str, request: bytes) -> Answer:
        self.last_request = request
        reply = self.send("POST", path, request)
        if reply.status != 200:
            raise Problem(reply)
        return self.take(request, reply.body)

    def take(self, request: bytes, raw: bytes) -> Answer:
        """Verify an answer as the page says, and remember what it brought."""
        if not self.trust.keyset:
            self.fetch_keyset()
        outer = json.loads(raw)
        name = outer["payloadType"].removeprefix("application/vnd.daftar.").removesuffix(".v1+json")
        self._take_new_keyset(raw)
        payload = self.trust.open(name, raw, "lease", _ANSWERS[name])
        assert payload["req_hash"] == sha256(payload_bytes(request))
        if name == "bundle":
            self._take_bundle(payload)
        if name == "lease":
            self._take_lease(payload, raw)
        return Answer(name, payload, raw)

    def _take_new_keyset(self, raw: bytes) -> None:
        offered = json.loads(payload_bytes(raw)).get("keyset")
        if offered is not None:
            held = self.trust.keyset.get("version", 0)
            if json.loads(payload_bytes(offered.encode()))["version"] > held:
                self.trust.take_keyset(offered.encode())

    def _take_bundle(self, bundle: Json) -> None:
        trust = self.trust
        self.license = trust.open("license", bundle["license"].encode(), "license", "issued_at")
        bound = trust.open("activation", bundle["activation"].encode(), "lease", "activated_at")
        lease = trust.open("lease", bundle["lease"].encode(), "lease", "issued_at")
        assert bound["instance_pub"] == b64(public(self.key))
        assert bound["license_id"] == self.license["license_id"] == lease["license_id"]
        assert bound["activation_id"] == lease["activation_id"]
        assert lease["req_hash"] == bundle["req_hash"]
        self.activation = bound
        self._remember(lease, bundle["lease"].encode())

    def _take_lease(self, lease: Json, raw: bytes) -> None:
        assert lease["activation_id"] == self.activation["activation_id"]
        assert lease["generation"] == self.activation["generation"]
        if lease["license"] is not None:
            offered = lease["license"].encode()
            self.license = self.trust.open("license", offered, "license", "issued_at")
        self._remember(lease, raw)

    def _remember(self, lease: Json, raw: bytes) -> None:
        self.lease, self.lease_raw = lease, raw


def codes(answer: Answer) -> list[str]:
    """Return the codes of a lease's notices."""
    return [notice["code"] for notice in answer.payload["notices"]]
