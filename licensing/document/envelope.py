"""The DSSE 1.0.2 envelope: signed are exact bytes, never an object that is written anew."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from licensing.document.errors import Code, DocumentError, malformed
from licensing.document.keys import Signer, is_signed_by, key_id
from licensing.document.parser import (
    MAX_BYTES,
    Members,
    dump_object,
    encode_base64,
    parse_object,
)

MAX_SIGNATURES = 8


@dataclass(frozen=True)
class Signature:
    """One signature and the name of the key it claims."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A payload with its signatures; `raw` are the bytes as they came, `body` the signed payload."""

    payload_type: str
    body: bytes
    signatures: tuple[Signature, ...]
    raw: bytes

    @property
    def body_hash(self) -> str:
        """Return the `req_hash` of a request: lower-case hex SHA-256 of the payload bytes."""
        return sha256(self.body)

    @property
    def raw_hash(self) -> str:
        """Return the `prev_hash` of a lease: lower-case hex SHA-256 of the envelope as it came."""
        return sha256(self.raw)


def sha256(data: bytes) -> str:
    """Return lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def pre_authentication(payload_type: str, body: bytes) -> bytes:
    """Return the bytes that are signed (DSSE PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def seal(payload_type: str, body: bytes, signers: Iterable[Signer]) -> Envelope:
    """Sign exact payload bytes with every signer and return the finished envelope."""
    message = pre_authentication(payload_type, body)
    signatures = tuple(
        Signature(key_id(signer.public_key), signer.sign(message)) for signer in signers
    )
    raw = dump_object(
        {
            "payloadType": payload_type,
            "payload": encode_base64(body),
            "signatures": [
                {"keyid": one.keyid, "sig": encode_base64(one.sig)} for one in signatures
            ],
        }
    )
    if len(raw) > MAX_BYTES:
        raise malformed(f"The envelope would have {len(raw)} bytes, more than {MAX_BYTES}.")
    return Envelope(payload_type, body, signatures, raw)


def load_envelope(raw: bytes) -> Envelope:
    """Read an envelope strictly. Nothing in it is believed yet."""
    members = Members(parse_object(raw))
    signatures = tuple(
        Signature(one.text("keyid"), one.base64("sig"))
        for one in members.objects("signatures", MAX_SIGNATURES)
    )
    if not signatures:
        raise malformed("The envelope carries no signature.")
    return Envelope(members.text("payloadType"), members.base64("payload"), signatures, raw)


def signing_keys(envelope: Envelope, public_keys: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return those of the keys, each once, under which one of the signatures holds."""
    message = pre_authentication(envelope.payload_type, envelope.body)
    found = {
        public_key: None
        for signature in envelope.signatures
        for public_key in public_keys
        if signature.keyid == key_id(public_key)
        and is_signed_by(public_key, signature.sig, message)
    }
    return tuple(found)


def verify(
    envelope: Envelope, public_keys: Sequence[bytes], threshold: int = 1
) -> tuple[bytes, ...]:
    """Return the distinct keys that signed; fewer than `threshold` is `E_SIGNATURE`."""
    found = signing_keys(envelope, public_keys)
    if len(found) < max(threshold, 1):
        raise DocumentError(
            Code.E_SIGNATURE,
            f"{len(found)} of {threshold} needed signatures hold under the keys trusted for this.",
        )
    return found
