"""Keys and documents of the cast: a root of three, one licence key, one lease key, one instance."""

import base64
import hashlib
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW = 1_800_000_000
DAY = 86_400


@dataclass(frozen=True)
class Key:
    """A private key of a test, usable as a signer."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def pub(self) -> str:
        return base64.b64encode(self.public_key).decode()

    @property
    def keyid(self) -> str:
        return hashlib.sha256(b"daftar-key-v1\x00" + self.public_key).hexdigest()[:16]

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


@dataclass(frozen=True)
class Vendor:
    """Every key of the vendor."""

    roots: tuple[Key, ...] = field(default_factory=lambda: (Key(), Key(), Key()))
    license: Key = field(default_factory=Key)
    lease: Key = field(default_factory=Key)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def instance() -> Key:
    return Key()
