"""Keys and documents of the test vectors, made from the page of the protocol; nothing here is `licensing`.

Keys come from known seeds, times and chance are fixed: always the same bytes, and nobody may trust them.
"""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.licensing.authority.stranger import Json, b64, keyid, media_type, pae, public, sha256

NOW = 1_800_000_000
DAY = 86_400
CODE = "0123456789ABCDEFGHJKMNPQRS"
NAMES = [f"root-{number}" for number in (1, 2, 3, 4)]
NAMES += ["license", "lease", "lease-next", "release", "instance", "stranger"]

KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(
        hashlib.sha256(f"test only: {name}".encode()).digest()
    )
    for name in NAMES
}


def envelope(name: str, payload: Json | bytes, *signers: str, kind: str | None = None) -> str:
    """Return an envelope as text; `kind` overrides the payload type."""
    body = payload if isinstance(payload, bytes) else compact(payload).encode()
    of_type = media_type(name) if kind is None else kind
    signatures = [
        {"keyid": keyid(public(KEYS[one])), "sig": b64(KEYS[one].sign(pae(of_type, body)))}
        for one in signers
    ]
    return compact({"payloadType": of_type, "payload": b64(body), "signatures": signatures})


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def body_hash(text: str) -> str:
    return sha256(base64.b64decode(json.loads(text)["payload"]))


# Documents


def root(version: int, *names: str) -> Json:
    keys = [{"keyid": keyid(public(KEYS[one])), "pub": b64(public(KEYS[one]))} for one in names]
    return {"version": version, "threshold": 2, "keys": keys}


def keyset(version: int, *, dead: str = "", until: int = NOW + 400 * DAY) -> Json:
    def entry(name: str, role: str, since: int = NOW - DAY, days: int = 730) -> Json:
        found: Json = {
            "keyid": keyid(public(KEYS[name])),
            "pub": b64(public(KEYS[name])),
            "roles": [role],
            "not_before": since,
            "not_after": since + days * DAY,
        }
        return {**found, "revoked_at": NOW + 5} if name == dead else found

    keys = [entry("license", "license"), entry("lease", "lease", days=90)]
    keys += [entry("lease-next", "lease", NOW + 59 * DAY, 90), entry("release", "release")]
    return {"version": version, "issued_at": NOW, "expires_at": until, "keys": keys}


def license_of(serial: int, before: str | None, **changed: object) -> Json:
    return {
        "license_id": "lic_7Q2M9K",
        "serial": serial,
        "prev_serial_sha256": None if before is None else sha256(before.encode()),
        "customer": {"id": "cus_1", "name": "Pars Trading شرکت پارس"},
        "site": {"id": "site_hq", "label": "Head office"},
        "network_scope": {"mode": "enforce", "cidrs": ["10.0.0.0/8", "fc00::/7"]},
        "product": "daftar",
        "edition": "standard",
        "kind": "subscription",
        "seats": {"named": 25, "concurrent": 25, "service_accounts": 5},
        "features": ["crm", "club", "api"],
        "issued_at": NOW,
        "starts_at": NOW,
        "expires_at": NOW + 365 * DAY - 1,
        "tz": "Asia/Tehran",
        "maintenance_until": NOW + 365 * DAY - 1,
        "grace_days": 0,
        "transferable": False,
        "activations_max": 1,
        "checkin": {
            "interval_s": 86_400,
            "lease_ttl_s": 1_209_600,
            "read_only_after_s": 604_800,
            "lock_after_s": 1_555_200,
        },
        **changed,
    }


def lease_of(number: int, request: str, before: str | None, **changed: object) -> Json:
    at = NOW + (number - 1) * DAY
    return {
        "lease_id": f"ls_{number:04}",
        "activation_id": "act_1",
        "license_id": "lic_7Q2M9K",
        "license_serial": 1,
        "generation": 1,
        "seq": number,
        "issued_at": at,
        "renew_after": at + 95_135,
        "expires_at": at + 14 * DAY,
        "license_expires_at": NOW + 365 * DAY - 1,
        "seats": {"named": 25, "concurrent": 25},
        "status": "ok",
        "next_nonce": sha256(b"nonce %d" % number)[:32],
        "prev_hash": None if before is None else sha256(before.encode()),
        "req_hash": body_hash(request),
        "server_time": at,
        "notices": [],
        "license": None,
        "keyset": None,
        **changed,
    }
