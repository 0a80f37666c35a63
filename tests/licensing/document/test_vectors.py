"""Golden vectors: every wire value computed here by hand from the standard library alone."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from licensing.document import activation_code
from licensing.document.envelope import load_envelope, pre_authentication, seal
from licensing.document.keys import encode_public_key, key_id

SEED = bytes(range(32))


class SeedSigner:
    """The key of RFC-like seed 00..1f."""

    private = Ed25519PrivateKey.from_private_bytes(SEED)

    @property
    def public_key(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def test_the_signed_bytes_are_the_example_of_the_dsse_specification() -> None:
    assert (
        pre_authentication("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_in_the_signed_bytes_count_bytes_and_not_characters() -> None:
    assert pre_authentication("é", "دفتر".encode()) == b"DSSEv1 2 \xc3\xa9 8 " + "دفتر".encode()


def test_a_key_is_named_by_the_first_16_digits_of_a_labelled_hash() -> None:
    public = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
    assert SeedSigner().public_key == public
    assert key_id(public) == hashlib.sha256(b"daftar-key-v1\0" + public).hexdigest()[:16]
    assert key_id(public) == "3a404c3aca3dcb01"
    assert encode_public_key(public) == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="


def test_an_envelope_is_the_one_built_by_hand() -> None:
    body = b'{"a":1}'
    kind = "application/vnd.daftar.denial.v1+json"
    signed = b"DSSEv1 " + str(len(kind)).encode() + b" " + kind.encode() + b" 7 " + body
    expected = json.dumps(
        {
            "payloadType": kind,
            "payload": base64.b64encode(body).decode(),
            "signatures": [
                {
                    "keyid": "3a404c3aca3dcb01",
                    "sig": base64.b64encode(SeedSigner().private.sign(signed)).decode(),
                }
            ],
        },
        separators=(",", ":"),
    ).encode()
    envelope = seal(kind, body, [SeedSigner()])
    assert envelope.raw == expected
    assert envelope.body_hash == hashlib.sha256(body).hexdigest()
    assert envelope.raw_hash == hashlib.sha256(expected).hexdigest()
    assert load_envelope(expected) == envelope


def test_the_previous_hash_covers_the_bytes_as_they_came() -> None:
    envelope = seal("t", b"{}", [SeedSigner()])
    spaced = json.dumps(json.loads(envelope.raw), indent=2).encode()
    assert load_envelope(spaced).raw_hash == hashlib.sha256(spaced).hexdigest()


def test_an_activation_code_has_its_id_its_check_symbol_and_its_proof() -> None:
    code = "0123456789ABCDEFGHJKMNPQRS"
    number = 0
    for symbol in code:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(symbol)
    check = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"[number % 37]
    assert activation_code.format_code(code) == f"0123-4567-89AB-CDEF-GHJK-MNPQ-RS{check}"
    assert (
        activation_code.code_id(code)
        == hashlib.sha256(b"daftar-code-id-v1\0" + code.encode()).hexdigest()[:8]
    )
    key = hashlib.sha256(b"daftar-code-v1\0" + code.encode()).digest()
    pub = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    proof = hmac.new(key, b"n.1.m" + pub.encode(), "sha256").hexdigest()
    assert activation_code.code_key(code) == key
    assert activation_code.code_proof(key, "n.1.m", pub) == proof
    assert activation_code.is_code_proof(key, "n.1.m", pub, proof)
    assert not activation_code.is_code_proof(key, "n.2.m", pub, proof)
    assert not activation_code.is_code_proof(key, "n.1.m", pub, "é" + proof[1:])
