"""Private keys at rest: PKCS#8 PEM, always encrypted. Which key may sign what is not decided here."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from licensing.authority.disk import write_file
from licensing.document.keys import key_id
from server.core.errors import Invalid, Missing
from server.core.i18n import gettext as _

PASSPHRASE_VARIABLE = "DAFTAR_AUTHORITY_PASSPHRASE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True)
class PrivateKey:
    """An Ed25519 key in memory, usable as a signer."""

    private: Ed25519PrivateKey
    public_key: bytes

    @classmethod
    def generate(cls) -> "PrivateKey":
        """Return a new random key."""
        private = Ed25519PrivateKey.generate()
        return cls(private, private.public_key().public_bytes_raw())

    @property
    def keyid(self) -> str:
        """Return the name of the key."""
        return key_id(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of `message`."""
        return self.private.sign(message)


def save_key(path: Path, key: PrivateKey, passphrase: bytes) -> None:
    """Write the key encrypted, readable by its owner alone."""
    pem = key.private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )
    write_file(path, pem, 0o600)


def load_key(path: Path, passphrase: bytes) -> PrivateKey:
    """Read an encrypted key. Raise Missing without the file, Invalid when the passphrase is wrong."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise Missing(
            _("The key file %(path)s cannot be read: %(why)s.", path=path, why=error.strerror)
        ) from error
    try:
        private = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError) as error:
        raise Invalid(
            _(
                "The key file %(path)s does not open: the passphrase is wrong, "
                "or the file is damaged or not encrypted.",
                path=path,
            ),
            field="passphrase",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Invalid(_("The key file %(path)s holds no Ed25519 key.", path=path))
    return PrivateKey(private, private.public_key().public_bytes_raw())


def find_passphrase(file: Path | None) -> bytes | None:
    """Return the passphrase from the environment or from a file; None when neither is named."""
    named = os.environ.get(PASSPHRASE_VARIABLE)
    if named:
        return named.encode()
    if file is None:
        return None
    try:
        passphrase = file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise Missing(
            _(
                "The passphrase file %(path)s cannot be read: %(why)s.",
                path=file,
                why=error.strerror,
            )
        ) from error
    if not passphrase:
        raise Missing(_("The passphrase file %(path)s is empty.", path=file))
    return passphrase
