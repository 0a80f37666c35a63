"""A tiny vendor for tests: written by hand from the page of the protocol, with real keys over real HTTP.

It shares no code with `licensing`, so that both can be wrong only in different ways.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NOW = 1_800_000_000
DAY = 86_400
CODE = "0123456789ABCDEFGHJKMNPQRS"
SHOWN_CODE = "0123-4567-89ab-cdef-ghjk-mnpq-rs9"

Payload = dict[str, object]
Tamper = Callable[[str, Payload], Payload]


def fresh_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def keyid(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(b"daftar-key-v1\0" + public(key)).hexdigest()[:16]


def envelope(name: str, payload: Payload, *keys: Ed25519PrivateKey) -> bytes:
    kind = f"application/vnd.daftar.{name}.v1+json"
    body = json.dumps(payload).encode()
    signed = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body
    signatures = [{"keyid": keyid(key), "sig": b64(key.sign(signed))} for key in keys]
    return json.dumps(
        {"payloadType": kind, "payload": b64(body), "signatures": signatures}
    ).encode()


@dataclass
class Response:
    """What the HTTP server says instead of an answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Vendor:
    """The authority's memory: one licence, at most one activation."""

    now: int = NOW
    roots: list[Ed25519PrivateKey] = field(default_factory=lambda: [fresh_key() for _ in range(3)])
    license_key: Ed25519PrivateKey = field(default_factory=fresh_key)
    lease_key: Ed25519PrivateKey = field(default_factory=fresh_key)
    sold: Payload = field(default_factory=dict)
    activation: Payload | None = None
    ended: Payload | None = None
    activations_made: int = 0
    seq: int = 0
    nonce: str = ""
    last_lease: bytes = b""
    stored: dict[str, bytes] = field(default_factory=dict)
    served_keyset: bytes = b""
    served_roots: dict[int, bytes] = field(default_factory=dict)
    embed: Payload = field(default_factory=dict)
    denial: str | None = None
    tamper: Tamper = lambda _name, payload: payload
    instead: Callable[[str], Response | None] = lambda _path: None
    requests: list[Payload] = field(default_factory=list)
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.sold = {**license_payload(), **self.sold}
        self.served_keyset = self.keyset()

    def root_file(self) -> bytes:
        return json.dumps(self.root(1, self.roots)).encode()

    def root(self, version: int, keys: list[Ed25519PrivateKey]) -> Payload:
        entries = [{"keyid": keyid(key), "pub": b64(public(key))} for key in keys]
        return {"version": version, "threshold": 2, "keys": entries}

    def keyset(
        self, version: int = 1, revoked: tuple[Ed25519PrivateKey, ...] = (), **more: object
    ) -> bytes:
        entries = [self._entry(self.license_key, "license"), self._entry(self.lease_key, "lease")]
        entries += [{**self._entry(key, "lease"), "revoked_at": self.now} for key in revoked]
        payload: Payload = {
            "version": version,
            "issued_at": self.now,
            "expires_at": self.now + 400 * DAY,
            "keys": entries,
        }
        return envelope("keyset", {**payload, **more}, *self.roots[:2])

    def _entry(self, key: Ed25519PrivateKey, role: str) -> Payload:
        window = {"not_before": NOW - DAY, "not_after": NOW + 4000 * DAY}
        return {"keyid": keyid(key), "pub": b64(public(key)), "roles": [role], **window}

    def license(self) -> bytes:
        return envelope("license", self.tamper("license", dict(self.sold)), self.license_key)

    def answer(self, path: str, raw: bytes) -> bytes:
        outer = json.loads(raw)
        body = base64.b64decode(outer["payload"])
        request = json.loads(body)
        self._verify(outer, body, request)
        self.requests.append(request)
        req_hash = hashlib.sha256(body).hexdigest()
        with self.one_at_a_time:
            if req_hash not in self.stored:
                self.stored[req_hash] = self._new_answer(path, request, req_hash)
            return self.stored[req_hash]

    def _verify(self, outer: Payload, body: bytes, request: Payload) -> None:
        kind = str(outer["payloadType"])
        bound = self.activation or self.ended or {}
        pub = request.get("instance_pub") or bound["instance_pub"]
        signatures = outer["signatures"]
        assert isinstance(signatures, list)
        signed = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body
        Ed25519PublicKey.from_public_bytes(base64.b64decode(str(pub))).verify(
            base64.b64decode(signatures[0]["sig"]), signed
        )

    def _new_answer(self, path: str, request: Payload, req_hash: str) -> bytes:
        if self.denial is not None:
            return self._sign(
                "denial",
                {
                    "code": self.denial,
                    "message": "No.",
                    "req_hash": req_hash,
                    "server_time": self.now,
                },
            )
        if path.endswith("activations") and not path.endswith("deactivations"):
            return self._bundle(request, req_hash)
        if path.endswith("check-ins"):
            return self._check_in(request, req_hash)
        return self._deactivation(request, req_hash)

    def _sign(self, name: str, payload: Payload) -> bytes:
        return envelope(name, self.tamper(name, payload), self.lease_key)

    def _bundle(self, request: Payload, req_hash: str) -> bytes:
        if self.activation is None:
            self.activations_made += 1
            self.activation = {
                "activation_id": f"act_{self.activations_made}",
                "license_id": self.sold["license_id"],
                "instance_pub": request["instance_pub"],
                "generation": self.activations_made,
                "fingerprint": request["fp"],
                "activated_at": self.now,
            }
            self.seq = 0
        first = self.seq == 0
        self.seq += 1
        return self._sign(
            "bundle",
            {
                "license": self.license().decode(),
                "activation": self._sign("activation", dict(self.activation)).decode(),
                "lease": self._lease(req_hash, None if first else "head", []).decode(),
                "keyset": self.served_keyset.decode(),
                "req_hash": req_hash,
                "server_time": self.now,
            },
        )

    def _check_in(self, request: Payload, req_hash: str) -> bytes:
        presented = request["seq"]
        assert isinstance(presented, int)
        notices: list[Payload] = []
        if request["nonce"] == self.nonce and presented == self.seq + 1:
            self.seq += 1
        else:
            self.seq = max(self.seq, presented) + 1
            notices = [{"code": "STATE_RESYNC", "at": self.now, "text": "Numbers agreed anew."}]
        return self._lease(req_hash, "head", notices)

    def _lease(self, req_hash: str, follows: str | None, notices: list[Payload]) -> bytes:
        assert self.activation is not None
        self.nonce = secrets.token_hex(16)
        payload: Payload = {
            "lease_id": "ls_" + secrets.token_hex(4),
            "activation_id": self.activation["activation_id"],
            "license_id": self.sold["license_id"],
            "license_serial": self.sold["serial"],
            "generation": self.activation["generation"],
            "seq": self.seq,
            "issued_at": self.now,
            "renew_after": self.now + DAY,
            "expires_at": self.now + 14 * DAY,
            "license_expires_at": self.sold["expires_at"],
            "seats": {"named": 25, "concurrent": 25},
            "status": "ok",
            "next_nonce": self.nonce,
            "prev_hash": hashlib.sha256(self.last_lease).hexdigest() if follows else None,
            "req_hash": req_hash,
            "server_time": self.now,
            "notices": notices,
            "license": None,
            "keyset": None,
            **self.embed,
        }
        self.last_lease = self._sign("lease", payload)
        return self.last_lease

    def _deactivation(self, request: Payload, req_hash: str) -> bytes:
        assert self.activation is not None
        gone, self.activation = self.activation, None
        self.ended = gone
        return self._sign(
            "deactivation",
            {
                "activation_id": gone["activation_id"],
                "license_id": gone["license_id"],
                "generation": gone["generation"],
                "final_seq": self.seq,
                "deactivated_at": self.now,
                "reason": request["reason"],
                "req_hash": req_hash,
                "refund_eligible_at": self.now,
                "server_time": self.now,
            },
        )


def license_payload() -> Payload:
    return {
        "license_id": "lic_1",
        "serial": 1,
        "prev_serial_sha256": None,
        "customer": {"id": "cus_1", "name": "Pars Trading"},
        "site": {"id": "site_hq", "label": "Head office"},
        "network_scope": {"mode": "enforce", "cidrs": ["10.0.0.0/8"]},
        "product": "daftar",
        "edition": "standard",
        "kind": "subscription",
        "seats": {"named": 25, "concurrent": 25, "service_accounts": 5},
        "features": ["crm"],
        "issued_at": NOW,
        "starts_at": NOW,
        "expires_at": NOW + 365 * DAY - 1,
        "tz": "Asia/Tehran",
        "maintenance_until": NOW + 365 * DAY,
        "grace_days": 0,
        "transferable": False,
        "activations_max": 1,
        "checkin": {
            "interval_s": DAY,
            "lease_ttl_s": 14 * DAY,
            "read_only_after_s": 7 * DAY,
            "lock_after_s": 18 * DAY,
        },
    }


class VendorServer:
    """The vendor behind HTTP on a free port of this machine."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        vendor = self.vendor

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(lambda path: _got(vendor, path))

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                if not raw:  # who asked was killed in the middle of the word
                    self.close_connection = True
                    return
                self._reply(lambda path: Response(200, vendor.answer(path, raw)))

            def _reply(self, act: Callable[[str], Response]) -> None:
                path = urlsplit(self.path).path
                response = vendor.instead(path) or act(path)
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        return Handler


def _got(vendor: Vendor, path: str) -> Response:
    if path == "/v1/keyset":
        return Response(200, vendor.served_keyset)
    if path == "/v1/challenge":
        challenge = {"challenge": f"{secrets.token_hex(8)}.{vendor.now + 600}.mac"}
        return Response(200, json.dumps({**challenge, "server_time": vendor.now}).encode())
    version = int(path.rsplit("/", 1)[-1])
    if version in vendor.served_roots:
        return Response(200, vendor.served_roots[version])
    return Response(404, b'{"code":"E_UNKNOWN"}', {"Content-Type": "application/problem+json"})


@dataclass
class Hands:
    """Both clocks of a test machine, moved by hand."""

    wall: float = NOW
    run: float = 1000.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.run += seconds


def machine(root: Path, machine_id: str = "11f0a7b2c9d84e5f8a6b3c2d1e0f9a8b") -> Path:
    """Lay out the files of a small server under `root`."""
    for name, text in {
        "etc/machine-id": machine_id,
        "etc/hostname": "crm",
        "sys/class/dmi/id/product_uuid": "4C4C4544-0051-3010-8052-B4C04F4E3432",
        "sys/class/dmi/id/board_serial": "CN1374023A00C4",
        "sys/class/net/eth0/address": "00:1a:4b:16:01:59",
        "sys/class/net/lo/address": "00:00:00:00:00:00",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")
    return root
