"""The instance key: who this installation is. Outside the database, never in a backup."""

import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from licensing.client.disk import publish, read_if_there

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InstanceKey:
    """The private key of this installation; signs its requests and authenticates its state."""

    private: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """Return the raw public key."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`."""
        return self.private.sign(message)

    def state_mac_key(self) -> bytes:
        """Return the key that authenticates the local state."""
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"daftar-state-mac-v1")
        return derive.derive(self.private.private_bytes_raw())


def load_instance_key(path: Path) -> InstanceKey | None:
    """Return the key of the file, None when there is none or it is damaged."""
    raw = read_if_there(path)
    if raw is None:
        return None
    try:
        private = load_pem_private_key(raw, password=None)
    except (ValueError, TypeError):
        log.warning("The instance key %s is damaged.", path)
        return None
    return InstanceKey(private) if isinstance(private, Ed25519PrivateKey) else None


def new_instance_key() -> InstanceKey:
    """Return a new identity that is nowhere yet."""
    return InstanceKey(Ed25519PrivateKey.generate())


def keep_instance_key(path: Path, key: InstanceKey) -> None:
    """Publish an identity; a damaged file is kept beside it, a good one is gone.

    Raises OSError, and destroys nothing, when there is a file that we may not read.
    """
    if path.exists() and load_instance_key(path) is None:
        path.rename(path.with_suffix(".damaged"))
    publish(path, key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
