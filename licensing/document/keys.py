"""Public keys: their names, and the refusal of those under which anybody can sign. No private key lives here."""

import hashlib
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from licensing.document.errors import Code, DocumentError
from licensing.document.parser import decode_base64, encode_base64

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_PRIME = 2**255 - 19
# The y of all eight points of small order (the sign bit of x left away). A constant signature
# verifies under the identity point, and OpenSSL loads all of them.
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


class Signer(Protocol):
    """A private key somewhere else: a file, a token, another process."""

    @property
    def public_key(self) -> bytes:
        """Return the raw public key."""

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of `message`."""


def key_id(public_key: bytes) -> str:
    """Return the name of a key; it narrows a search and proves nothing."""
    return hashlib.sha256(b"daftar-key-v1\x00" + public_key).hexdigest()[:16]


def check_public_key(public_key: bytes) -> bytes:
    """Return the key, or refuse one that is too short, not canonical or of small order."""
    y = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    if len(public_key) != KEY_BYTES or y >= _PRIME or y in _SMALL_ORDER:
        raise DocumentError(Code.E_WEAK_KEY, "The public key is weak or malformed.")
    return public_key


def decode_public_key(text: str) -> bytes:
    """Return the raw key of its base64 text, checked."""
    return check_public_key(decode_base64(text))


def encode_public_key(public_key: bytes) -> str:
    """Return the key as it stands in documents."""
    return encode_base64(public_key)


def is_signed_by(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether the signature holds under this key."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
