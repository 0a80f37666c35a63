"""Nonces of leases: chance to everybody else, and to this authority a word that it knows for its own.

A nonce is one block of AES under the authority's secret: a mark of its activation, what its lease told
(the licence's serial, the keyset's version), and chance. So only the newest one is stored, an older one
is known for ours however old it is, and so is one that a restored database has forgotten.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

_MARK, _SERIAL, _KEYSET, _CHANCE = 6, 3, 2, 5  # bytes; one block in all


@dataclass(frozen=True)
class Told:
    """What the lease that brought a nonce has told its installation."""

    license_serial: int
    keyset_version: int


class Mint:
    """Gives nonces and knows them again. `secret` is shared by all processes of one authority."""

    def __init__(self, secret: bytes) -> None:
        # One block holds one nonce, and no two are alike: nothing that chaining would hide.
        self._cipher = Cipher(AES(_derived(secret, b"daftar-nonce-v1")[:16]), ECB())  # noqa: S305
        self._mark_key = _derived(secret, b"daftar-nonce-mark-v1")

    def give(self, activation_id: str, told: Told) -> str:
        """Return a new nonce of this activation, 32 lower-case hex digits."""
        block = b"".join(
            (
                self._mark(activation_id),
                _bytes(told.license_serial, _SERIAL),
                _bytes(told.keyset_version, _KEYSET),
                secrets.token_bytes(_CHANCE),
            )
        )
        return self._cipher.encryptor().update(block).hex()

    def recognise(self, activation_id: str, nonce: str) -> Told | None:
        """Return what came with the nonce, or None when we never gave it to this activation."""
        block: bytes = self._cipher.decryptor().update(bytes.fromhex(nonce))
        if not hmac.compare_digest(block[:_MARK], self._mark(activation_id)):
            return None
        serial, keyset = block[_MARK : _MARK + _SERIAL], block[_MARK + _SERIAL : -_CHANCE]
        return Told(int.from_bytes(serial, "big"), int.from_bytes(keyset, "big"))

    def _mark(self, activation_id: str) -> bytes:
        return _derived(self._mark_key, activation_id.encode())[:_MARK]


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hmac.new(secret, purpose, hashlib.sha256).digest()


def _bytes(number: int, count: int) -> bytes:
    return min(number, (1 << 8 * count) - 1).to_bytes(count, "big")
