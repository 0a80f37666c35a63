"""Vectors of trust and of one installation's life, with what must be refused on the way."""

from tests.licensing.authority.stranger import Json, sha256
from tests.licensing.vectors.page import (
    DAY,
    NOW,
    body_hash,
    compact,
    envelope,
    keyset,
    lease_of,
    license_of,
    root,
)
from tests.licensing.vectors.words import codes_file, hashes_file


def trust_file() -> Json:
    first = root(1, "root-1", "root-2", "root-3")
    second = root(2, "root-2", "root-3", "root-4")
    one = envelope("keyset", keyset(1), "root-1", "root-2")
    sold = envelope("license", license_of(1, None), "license")
    renewed = envelope("license", license_of(2, sold, expires_at=NOW + 730 * DAY - 1), "license")
    request = envelope("checkin-req", {}, "instance")
    lease = lease_of(2, request, None)

    def case(name: str, text: str, kind: str, code: str | None, under: str = one) -> Json:
        return {"name": name, "keyset": under, "type": kind, "envelope": text, "code": code}

    dead = envelope("keyset", keyset(2, dead="license"), "root-1", "root-2")
    early = {**lease, "issued_at": NOW - 2 * DAY}
    return {
        "now": NOW + DAY,
        "root": first,
        "next_root": {
            "good": [envelope("root", second, "root-2", "root-3")],
            "bad": [
                envelope("root", second, "root-2", "root-4"),
                envelope("root", second, "root-1", "root-2"),
                envelope("root", {**second, "version": 3}, "root-2", "root-3"),
                envelope("root", {**second, "threshold": 4}, "root-2", "root-3"),
            ],
        },
        "keysets": [
            {"name": "the first", "held": None, "offered": one, "code": None},
            {"name": "a newer one", "held": one, "offered": dead, "code": None},
            {"name": "the same again", "held": one, "offered": one, "code": None},
            {"name": "an older one", "held": dead, "offered": one, "code": "E_KEYSET_ROLLBACK"},
            {
                "name": "one signature",
                "held": None,
                "offered": envelope("keyset", keyset(1), "root-1"),
                "code": "E_SIGNATURE",
            },
            {
                "name": "one signer twice",
                "held": None,
                "offered": envelope("keyset", keyset(1), "root-1", "root-1"),
                "code": "E_SIGNATURE",
            },
            {
                "name": "a key of the next root",
                "held": None,
                "offered": envelope("keyset", keyset(1), "root-1", "root-4"),
                "code": "E_SIGNATURE",
            },
            {
                "name": "expired",
                "held": one,
                "offered": envelope("keyset", keyset(3, until=NOW), "root-1", "root-2"),
                "code": "E_KEYSET_EXPIRED",
            },
            {
                "name": "a root as a keyset",
                "held": None,
                "offered": envelope("root", first, "root-1", "root-2"),
                "code": "E_TYPE",
            },
        ],
        "documents": [
            case("a licence", sold, "license", None),
            case("its next serial", renewed, "license", None),
            case("a lease", envelope("lease", lease, "lease"), "lease", None),
            case(
                "a licence signed by the lease key",
                envelope("license", license_of(1, None), "lease"),
                "license",
                "E_SIGNATURE",
            ),
            case(
                "a lease signed by the licence key",
                envelope("lease", lease, "license"),
                "lease",
                "E_SIGNATURE",
            ),
            case(
                "a lease signed by the release key",
                envelope("lease", lease, "release"),
                "lease",
                "E_SIGNATURE",
            ),
            case(
                "a lease signed by a root key",
                envelope("lease", lease, "root-1"),
                "lease",
                "E_SIGNATURE",
            ),
            case(
                "a lease before its key", envelope("lease", early, "lease"), "lease", "E_KEY_WINDOW"
            ),
            case(
                "a lease under a key that is not valid yet",
                envelope("lease", lease, "lease-next"),
                "lease",
                "E_KEY_WINDOW",
            ),
            case("a licence under a revoked key", sold, "license", "E_SIGNATURE", dead),
            case(
                "a lease where a licence is expected",
                envelope("lease", lease, "license"),
                "license",
                "E_TYPE",
            ),
            case(
                "a licence without its end",
                envelope("license", license_of(1, None, expires_at=None), "license"),
                "license",
                "E_FORMAT",
            ),
            case(
                "a lease without its nonce",
                envelope("lease", {k: v for k, v in lease.items() if k != "next_nonce"}, "lease"),
                "lease",
                "E_FORMAT",
            ),
            case(
                "a perpetual licence",
                envelope(
                    "license", license_of(1, None, expires_at=None, kind="perpetual"), "license"
                ),
                "license",
                None,
            ),
        ],
    }


def exchange_file() -> Json:
    """Return one installation's first two days and its leave, every byte of it."""
    code, keyset_text = codes_file(), envelope("keyset", keyset(1), "root-1", "root-2")
    fp = {one["component"]: one["value"] for one in hashes_file()["fingerprint"]}
    about = {"fp": fp, "product_version": "0.1.0"}
    asked = envelope(
        "activate-req",
        {
            "challenge": code["challenge"],
            "code_id": code["code_id"],
            "code_proof": code["code_proof"],
            "instance_pub": code["instance_pub"],
            **about,
            "sent_at": NOW,
        },
        "instance",
    )
    first = envelope("lease", lease_of(1, asked, None), "lease")
    bundle = envelope(
        "bundle",
        {
            "license": envelope("license", license_of(1, None), "license"),
            "activation": envelope(
                "activation",
                {
                    "activation_id": "act_1",
                    "license_id": "lic_7Q2M9K",
                    "instance_pub": code["instance_pub"],
                    "generation": 1,
                    "fingerprint": fp,
                    "activated_at": NOW,
                },
                "lease",
            ),
            "lease": first,
            "keyset": keyset_text,
            "req_hash": body_hash(asked),
            "server_time": NOW,
        },
        "lease",
    )
    checked = check_in(lease_of(1, asked, None), first, about, NOW + DAY)
    checkin = envelope("checkin-req", checked, "instance")
    second = envelope("lease", lease_of(2, checkin, first), "lease")
    leave = {
        **check_in(lease_of(2, checkin, first), second, about, NOW + 2 * DAY),
        "reason": "refund",
    }
    leaving = envelope("deactivate-req", leave, "instance")
    proof = {
        "activation_id": "act_1",
        "license_id": "lic_7Q2M9K",
        "generation": 1,
        "final_seq": 2,
        "deactivated_at": NOW + 2 * DAY,
        "reason": "refund",
        "req_hash": body_hash(leaving),
        "refund_eligible_at": NOW + 2 * DAY,
        "server_time": NOW + 2 * DAY,
    }
    denial = {"code": "E_CLONE_SUSPECTED", "message": "Held.", "server_time": NOW + DAY}
    return {
        "root": root(1, "root-1", "root-2", "root-3"),
        "instance": "instance",
        "keyset": keyset_text,
        "steps": [
            {"now": NOW, "kind": "activate", "request": asked, "answer": bundle},
            {"now": NOW + DAY, "kind": "check-in", "request": checkin, "answer": second},
            {
                "now": NOW + 2 * DAY,
                "kind": "deactivate",
                "request": leaving,
                "answer": envelope("deactivation", proof, "lease"),
            },
        ],
        "refused_at_step_2": [
            {"name": name, "answer": answer, "code": found}
            for name, answer, found in (
                ("the first lease again", first, "E_REPLAY"),
                ("the bundle", bundle, "E_TYPE"),
                (
                    "a denial of another request",
                    envelope("denial", {**denial, "req_hash": "ab" * 32}, "lease"),
                    "E_REPLAY",
                ),
                ("follows another lease", altered(checkin, first, prev_hash="ab" * 32), "E_REPLAY"),
                ("an older number", altered(checkin, first, seq=1), "E_ROLLBACK"),
                ("an older time", altered(checkin, first, server_time=NOW - 1), "E_ROLLBACK"),
                (
                    "another activation",
                    altered(checkin, first, activation_id="act_2"),
                    "E_WRONG_INSTANCE",
                ),
                ("another licence", altered(checkin, first, license_id="lic_2"), "E_WRONG_LICENSE"),
                (
                    "signed by the licence key",
                    envelope("lease", lease_of(2, checkin, first), "license"),
                    "E_SIGNATURE",
                ),
                ("the request itself", checkin, "E_TYPE"),
            )
        ],
    }


def altered(request: str, before: str, **changed: object) -> str:
    return envelope("lease", lease_of(2, request, before, **changed), "lease")


def check_in(lease: Json, text: str, about: Json, at: int) -> Json:
    return {
        "activation_id": "act_1",
        "seq": lease["seq"] + 1,
        "nonce": lease["next_nonce"],
        "client_nonce": sha256(b"client %d" % at)[:32],
        "prev_hash": sha256(text.encode()),
        "fp": about["fp"],
        "usage": {"named": 12, "peak_concurrent": 7, "service": 1},
        "clock": {"wall": at, "suspect": False},
        "product_version": about["product_version"],
        "mode": "ok",
        "sent_at": at,
    }


def answer_file(exchange: Json) -> str:
    return compact({"keyset": exchange["keyset"], "answer": exchange["steps"][0]["answer"]})
