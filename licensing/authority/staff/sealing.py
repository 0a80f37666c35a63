"""The secret under which second factors are kept: whoever has the database alone has none of them."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from licensing.authority.disk import write_file
from server.core.config import read_secret
from server.core.errors import Broken
from server.core.i18n import gettext as _

STAFF_SECRET = "staff.key"  # noqa: S105 - the name of a file
_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, repr=False)
class Sealing:
    """Encrypts second factors and hashes recovery codes under the home's secret."""

    key: bytes

    def seal(self, text: str, staff_id: int) -> bytes:
        """Encrypt a text so that it opens for this member of the staff and no other."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, text.encode(), _bound_to(staff_id))

    def opened(self, sealed: bytes, staff_id: int) -> str:
        """Return what was sealed, or raise Broken when the home's secret is another one."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self.key).decrypt(nonce, rest, _bound_to(staff_id)).decode()
        except (InvalidTag, ValueError) as error:
            raise Broken(
                _(
                    "The second factor cannot be read: the file secrets/%(name)s is not the one it was "
                    "kept under. Restore that file, or let an owner reset the second factor.",
                    name=STAFF_SECRET,
                )
            ) from error

    def hash(self, code: str) -> str:
        """Return what is kept of a recovery code; it cannot be guessed from the database alone."""
        return hmac.new(self.key, b"recovery\0" + code.encode(), hashlib.sha256).hexdigest()


def _bound_to(staff_id: int) -> bytes:
    return f"daftar-staff-totp-v1:{staff_id}".encode()


def open_sealing(secrets_dir: Path) -> Sealing:
    """Return the home's sealing; its secret is made when the home has none yet."""
    if not (secrets_dir / STAFF_SECRET).exists():
        _make_secret(secrets_dir / STAFF_SECRET)
    return Sealing(read_secret(secrets_dir, STAFF_SECRET))


def _make_secret(path: Path) -> None:
    """Make the secret once, whichever process comes first."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    write_file(draft, secrets.token_bytes(_KEY_BYTES), 0o600)
    try:
        os.link(draft, path)  # unlike a rename, this never replaces the secret of a faster process
    except FileExistsError:
        return
    finally:
        draft.unlink()
