"""Vectors of what is smaller than a document: keys, envelopes, payloads, codes, hashes, QR codes."""

import base64
import hashlib
import hmac
import json
import zlib

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.licensing.authority.stranger import (
    Json,
    b64,
    check_symbol,
    keyid,
    media_type,
    public,
    sha256,
)
from tests.licensing.vectors.page import CODE, KEYS, body_hash, compact, envelope

PRIME = 2**255 - 19


def keys_file() -> Json:
    small = [0, 1, PRIME - 1]
    small += [0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826]
    small += [0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7]
    weak = [(y + sign, "small order") for y in small for sign in (0, 1 << 255)]
    weak += [(PRIME, "y is not below 2^255-19"), (PRIME + 3, "y is not below 2^255-19")]
    bad = [{"pub": b64(number.to_bytes(32, "little")), "why": why} for number, why in weak]
    bad += [{"pub": b64(bytes(31)), "why": "31 bytes"}, {"pub": b64(bytes(33)), "why": "33 bytes"}]
    good = [
        {
            "name": name,
            "seed": key.private_bytes_raw().hex(),
            "pub": b64(public(key)),
            "keyid": keyid(public(key)),
        }
        for name, key in KEYS.items()
    ]
    return {"keys": good, "weak": bad}


def envelopes_file() -> Json:
    kind, body = media_type("denial"), b'{"a":1}'
    good = envelope("denial", body, "lease")
    outer = json.loads(good)
    raw = base64.b64decode(outer["signatures"][0]["sig"])
    order = 2**252 + 27742317777372353535851937790883648493
    grown = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")

    def changed(**members: object) -> str:
        return compact({**outer, **members})

    def signed(sig: str, key: str | None = None) -> str:
        named = outer["signatures"][0]["keyid"] if key is None else key
        return changed(signatures=[{"keyid": named, "sig": sig}])

    one, sig = outer["signatures"][0], outer["signatures"][0]["sig"]
    bad = {
        "another payload": (changed(payload=b64(b'{"a":2}')), "E_SIGNATURE"),
        "another payload type": (changed(payloadType=media_type("lease")), "E_SIGNATURE"),
        "S grown by the order of the group": (signed(b64(grown)), "E_SIGNATURE"),
        "signature cut by a byte": (signed(b64(raw[:-1])), "E_SIGNATURE"),
        "signature of a stranger": (envelope("denial", body, "stranger"), "E_SIGNATURE"),
        "keyid of the key, signature of a stranger": (
            signed(json.loads(envelope("denial", body, "stranger"))["signatures"][0]["sig"]),
            "E_SIGNATURE",
        ),
        "signature under another keyid": (signed(sig, "0" * 16), "E_SIGNATURE"),
        "no signature": (changed(signatures=[]), "E_FORMAT"),
        "nine signatures": (changed(signatures=[one] * 9), "E_FORMAT"),
        "base64url": (signed(sig.replace("/", "_").replace("+", "-")), "E_FORMAT"),
        "base64 without padding": (signed(sig.rstrip("=")), "E_FORMAT"),
        "base64 with a line end": (signed(sig + "\n"), "E_FORMAT"),
        "base64 with unused bits": (changed(payload=outer["payload"][:-3] + "R=="), "E_FORMAT"),
        "payloadType twice": (good.replace("{", '{"payloadType":"x",', 1), "E_FORMAT"),
        "byte order mark": ("\ufeff" + good, "E_FORMAT"),
        "an array": (f"[{good}]", "E_FORMAT"),
        "missing payload": (
            compact({k: v for k, v in outer.items() if k != "payload"}),
            "E_FORMAT",
        ),
    }
    return {
        "pae": [
            {"payloadType": t, "body": b64(raw), "pae": b64(pae_of(t, raw))}
            for t, raw in (
                ("http://example.com/HelloWorld", b"hello world"),
                ("é", "دفتر".encode()),
                (kind, body),
            )
        ],
        "good": [
            {
                "envelope": text,
                "keys": ["lease"],
                "threshold": threshold,
                "body_sha256": body_hash(text),
                "envelope_sha256": sha256(text.encode()),
            }
            for text, threshold in (
                (good, 1),
                (envelope("denial", body, "stranger", "lease"), 1),
                (changed(signatures=[one] * 8), 1),
                (changed(comment="unknown members are ignored"), 1),
            )
        ],
        "bad": [
            {"name": name, "envelope": text, "keys": ["lease"], "threshold": 1, "code": code}
            for name, (text, code) in bad.items()
        ]
        + [
            {
                "name": "one key twice is not two",
                "envelope": changed(signatures=[one, one]),
                "keys": ["lease", "license"],
                "threshold": 2,
                "code": "E_SIGNATURE",
            }
        ],
    }


def payloads_file() -> Json:
    def deep(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    bad = {
        "a member twice": '{"a":1,"a":1}',
        "a member twice, deep": '{"a":{"b":1,"b":2}}',
        "a member twice by an escape": '{"a":1,"\\u0061":2}',
        "a float": '{"a":1.0}',
        "an exponent": '{"a":1e3}',
        "NaN": '{"a":NaN}',
        "Infinity": '{"a":-Infinity}',
        "an integer beyond 2^53": '{"a":9007199254740992}',
        "a very long integer": '{"a":' + "9" * 5_000 + "}",
        "half a surrogate pair": '{"a":"\\ud800"}',
        "a root that is no object": "[1]",
        "a text": '"a"',
        "seventeen levels": deep(17),
        "five thousand levels": "[" * 5_000,
        "a comment": '{"a":1}//x',
        "a trailing comma": '{"a":1,}',
        "a byte order mark": '\ufeff{"a":1}',
        "two documents": '{"a":1}{"a":1}',
        "a control character": '{"a":"\n"}',
        "nothing": "",
    }
    good = [
        '{"a":1}',
        ' {"a" : 9007199254740991} ',
        deep(16),
        '{"a":"\\ud83d\\ude00"}',
        '{"a":"[[[["}',
    ]
    return {
        "good": good,
        "bad": [{"name": name, "text": text} for name, text in bad.items()],
        "bad_bytes": [
            b64(b'{"a":"\xff"}'),
            b64(b'{"a":"\xed\xa0\x80"}'),
            b64('{"a":1}'.encode("utf-16")),
        ],
        "too_large": {"text": '{"a":"', "repeat": "x", "times": 65_536, "end": '"}'},
    }


def codes_file() -> Json:
    shown = CODE + check_symbol(CODE)
    challenge, pub = "n.1800000600.m", b64(public(KEYS["instance"]))
    key = hashlib.sha256(b"daftar-code-v1\x00" + CODE.encode()).digest()
    grouped = "-".join(shown[at : at + 4] for at in range(0, len(shown), 4))
    return {
        "code": CODE,
        "shown": grouped,
        "check_symbol": check_symbol(CODE),
        "code_id": hashlib.sha256(b"daftar-code-id-v1\x00" + CODE.encode()).hexdigest()[:8],
        "code_key": key.hex(),
        "challenge": challenge,
        "instance_pub": pub,
        "code_proof": hmac.new(key, (challenge + pub).encode(), hashlib.sha256).hexdigest(),
        "also_read": [
            shown.lower(),
            grouped.replace("0", "O").replace("1", "l"),
            " ".join(shown),
            grouped.replace("-", "–"),
            shown.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
        ],
        "refused": [
            shown[:-1],
            CODE,
            shown[:-1] + "0",
            shown[1] + shown[0] + shown[2:],
            shown + "0",
            "",
        ],
    }


def hashes_file() -> Json:
    seed = KEYS["instance"].private_bytes_raw()
    mac_key = HKDF(SHA256(), length=32, salt=None, info=b"daftar-state-mac-v1").derive(seed)
    state = b'{"lease":null}'
    fp_key = hashlib.sha256(b"daftar-fp-v1\x00daftar").digest()
    values = {
        "dmi_uuid": " 4C4C4544-0051-3010-8052-B4C04F4E3432\n",
        "machine_id": "11f0a7b2c9d84e5f8a6b3c2d1e0f9a8b\n",
        "mac": "00:1A:4B:16:01:59\n",
    }

    def component(value: str) -> str:
        normal = value.strip().lower().encode()
        return hmac.new(fp_key, normal, hashlib.sha256).digest()[:16].hex()

    return {
        "state_mac": {
            "instance": "instance",
            "mac_key": mac_key.hex(),
            "state": b64(state),
            "mac": hmac.new(mac_key, state, hashlib.sha256).hexdigest(),
        },
        "fingerprint": [
            {"product": "daftar", "component": name, "read": value, "value": component(value)}
            for name, value in values.items()
        ],
        "same_machine": [
            {"activation": at, "now": now, "same": same}
            for at, now, same in (
                ({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "2", "c": "9"}, True),
                ({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "8", "c": "9"}, False),
                ({"a": "1", "b": "2"}, {"a": "1", "b": "9"}, True),
                ({"a": "1", "b": "2", "c": "3"}, {"a": "1"}, True),
                ({}, {"a": "1"}, True),
            )
        ],
    }


def qr_file(answer: str) -> Json:
    text = base64.urlsafe_b64encode(zlib.compress(answer.encode(), 9)).decode()
    cut = [text[at : at + 400] for at in range(0, len(text), 400)]
    parts = [f"DFT1:{place}/{len(cut)}:{one}" for place, one in enumerate(cut, start=1)]
    bomb = base64.urlsafe_b64encode(zlib.compress(b"x" * 70_000, 9)).decode()
    return {
        "file": answer,
        "parts": parts,
        "bad": {
            "one is missing": parts[1:],
            "one is of another file": [*parts[:-1], parts[-1][:-8] + "AAAAAAAA"],
            "more than 64 KiB inside": [f"DFT1:1/1:{bomb}"],
            "no such part": ["DFT1:3/2:AAAA"],
            "another scheme": ["https://example.com/"],
        },
    }


def pae_of(kind: str, body: bytes) -> bytes:
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(body), body)
