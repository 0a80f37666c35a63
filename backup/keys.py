"""The keys of backups: who signs, who can open, and what objects are called.

* The backup key (Ed25519) signs manifests and results. It belongs to this installation alone.
* The working key and the escrow key (age) open backups. Their private halves are returned once,
  when they are made, and never stored.
* The drill key (age) stays on the server, so that the nightly drill can open what it checks.
  Removing its file is allowed: later backups are then not sealed to it.
* The name key makes the names of objects, so that a thief cannot test for known files.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backup import archive
from backup.disk import naming_the_cause, replace, sync_folder, write_new
from server.core.errors import Conflict, Missing
from server.core.i18n import gettext as _

SIGNING_KEY = "backup.key"
PUBLIC_KEY = "backup.pub"
DRILL_KEY = "drill.key"
NAME_KEY = "name.key"
RECIPIENTS = "recipients.json"
FORMER_RECIPIENTS = "former-recipients.json"
FORMER = "former"


class Role(StrEnum):
    """For whom a backup is sealed."""

    WORKING = "working"
    ESCROW = "escrow"
    DRILL = "drill"


@dataclass(frozen=True)
class SealedTo:
    """One recipient of every part of a backup."""

    role: Role
    public: str


@dataclass(frozen=True)
class NewKeys:
    """What the buyer must take away: shown once, printed on the recovery sheet, never stored."""

    working_private: str
    working_public: str
    escrow_private: str
    escrow_public: str
    signer_public_pem: str
    signer_fingerprint: str


class Trust:
    """The public halves of backup keys that we believe: today's and former ones."""

    def __init__(self, public_keys: tuple[Ed25519PublicKey, ...]) -> None:
        self._keys = public_keys

    @classmethod
    def of_pem(cls, *pems: bytes) -> "Trust":
        """Believe the keys in these PEM texts, as they stand on the recovery sheet."""
        keys = tuple(serialization.load_pem_public_key(pem) for pem in pems)
        return cls(tuple(key for key in keys if isinstance(key, Ed25519PublicKey)))

    def believes(self, signature: bytes, content: bytes) -> bool:
        """Return whether one of the keys signed the content."""
        return any(_verifies(key, signature, content) for key in self._keys)


def _verifies(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return a short name of a backup key: SHA-256 of its 32 bytes, 16 hex digits."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


@dataclass(frozen=True)
class Keyring:
    """All keys that stand on the server."""

    folder: Path
    signer: Ed25519PrivateKey
    name_key: bytes
    recipients: tuple[SealedTo, ...]
    trust: Trust
    drill: tuple[archive.Identity, ...]

    def sign(self, content: bytes) -> bytes:
        """Sign the content with the backup key."""
        return self.signer.sign(content)

    @property
    def signer_fingerprint(self) -> str:
        """Return the short name of the key that signs."""
        return fingerprint(self.signer.public_key())

    def age_recipients(self) -> tuple[archive.Recipient, ...]:
        """Return the recipients as the archive wants them."""
        return tuple(archive.recipient(each.public) for each in self.recipients)

    def object_name(self, plain_sha256: str, generation: int = 0, space: str = "") -> str:
        """Return the keyed name of an attachment or a chunk.

        The recipients are part of it: new recipients start a new namespace, so that a backup never
        refers to an object that its recipients cannot open. A later generation replaces an object
        that was found damaged. `space` names the dictionary of what is compressed by one.
        """
        sealed_to = ",".join(sorted(each.public for each in self.recipients))
        text = f"daftar-object-1\n{sealed_to}\n{plain_sha256}\n{generation}"
        if space:
            text += f"\n{space}"
        return hmac.new(self.name_key, text.encode(), hashlib.sha256).hexdigest()


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def create(folder: Path, *, drill: bool = True) -> NewKeys:
    """Make all keys of an installation and return the private halves that are not stored.

    Refuses when there are keys already: making new ones would leave old backups unreadable.
    """
    if (folder / SIGNING_KEY).exists():
        raise Conflict(
            _("There are backup keys in %(folder)s already.", folder=folder), code="keys_exist"
        )
    with naming_the_cause(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / FORMER).mkdir(exist_ok=True, mode=0o700)
    working_private, working_public = archive.new_key()
    escrow_private, escrow_public = archive.new_key()
    recipients = [SealedTo(Role.WORKING, working_public), SealedTo(Role.ESCROW, escrow_public)]
    signer = Ed25519PrivateKey.generate()
    with naming_the_cause(folder):
        if drill:
            drill_private, drill_public = archive.new_key()
            recipients.append(SealedTo(Role.DRILL, drill_public))
            replace(folder / DRILL_KEY, _key_file(drill_private, drill_public))
        replace(folder / NAME_KEY, secrets.token_hex(32).encode() + b"\n")
        _write_recipients(folder, recipients)
        public = _public_pem(signer.public_key())
        replace(folder / PUBLIC_KEY, public)
        # Last, because its presence says that the keys are whole.
        write_new(folder / SIGNING_KEY, _private_pem(signer))
        sync_folder(folder)
    return NewKeys(
        working_private=working_private,
        working_public=working_public,
        escrow_private=escrow_private,
        escrow_public=escrow_public,
        signer_public_pem=public.decode(),
        signer_fingerprint=fingerprint(signer.public_key()),
    )


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _key_file(private: str, public: str) -> bytes:
    return f"# public key: {public}\n{private}\n".encode()


def _write_recipients(folder: Path, recipients: list[SealedTo]) -> None:
    rows = [{"role": each.role.value, "public": each.public} for each in recipients]
    replace(folder / RECIPIENTS, json.dumps(rows, indent=1).encode() + b"\n")


def load(folder: Path) -> Keyring:
    """Read the keys of this installation. Without its file the drill key is no recipient."""
    try:
        signer = serialization.load_pem_private_key((folder / SIGNING_KEY).read_bytes(), None)
        name_key = bytes.fromhex((folder / NAME_KEY).read_text().strip())
        recipients = tuple(_rows(folder))
        drill = _load_drill(folder / DRILL_KEY)
    except FileNotFoundError as error:
        raise Missing(
            _("There are no backup keys in %(folder)s. Run the installation.", folder=folder),
            code="no_backup_keys",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Missing(
            _("The backup keys in %(folder)s are damaged. Restore them.", folder=folder),
            code="backup_keys_damaged",
        ) from error
    if not isinstance(signer, Ed25519PrivateKey):
        raise Missing(_("The backup key is of the wrong kind."), code="backup_keys_damaged")
    if not drill:
        recipients = tuple(each for each in recipients if each.role is not Role.DRILL)
    return Keyring(folder, signer, name_key, recipients, _load_trust(folder, signer), drill)


def _load_drill(path: Path) -> tuple[archive.Identity, ...]:
    try:
        return archive.identities(path.read_text())
    except FileNotFoundError:
        return ()


def _load_trust(folder: Path, signer: Ed25519PrivateKey) -> Trust:
    former = [path.read_bytes() for path in sorted((folder / FORMER).glob("*.pub"))]
    return Trust.of_pem(_public_pem(signer.public_key()), *former)


def remove_drill_key(folder: Path) -> None:
    """Take the drill key off the server; backups from now on are not sealed to it."""
    with naming_the_cause(folder):
        (folder / DRILL_KEY).unlink(missing_ok=True)
        kept = _rows(folder)
        _write_recipients(folder, [each for each in kept if each.role is not Role.DRILL])


def renew_drill_key(folder: Path) -> None:
    """Make a new drill key for this server; backups from now on are sealed to it."""
    private, public = archive.new_key()
    with naming_the_cause(folder):
        offline = [each for each in _rows(folder) if each.role is not Role.DRILL]
        replace(folder / DRILL_KEY, _key_file(private, public))
        _write_recipients(folder, [*offline, SealedTo(Role.DRILL, public)])


@dataclass(frozen=True)
class NewRecipient:
    """A key that was made anew: its private half is shown once and never stored."""

    role: Role
    private: str
    public: str


def rotate(folder: Path, roles: Sequence[Role]) -> tuple[NewRecipient, ...]:
    """Make new offline keys for these roles and return the private halves that are not stored.

    Backups from now on are sealed to them and share no object with earlier ones, which only the
    former keys open: keep those until the last such backup is gone. Their public halves stay listed.
    """
    made = []
    for role in dict.fromkeys(roles):
        private, public = archive.new_key()
        made.append(NewRecipient(role, private, public))
    with naming_the_cause(folder):
        rows = _rows(folder)
        fresh = {each.role: SealedTo(each.role, each.public) for each in made}
        former = [each for each in rows if each.role in fresh]
        _write_former(folder, former)
        _write_recipients(folder, [fresh.get(each.role, each) for each in rows])
    return tuple(made)


def former_recipients(folder: Path) -> tuple[SealedTo, ...]:
    """Return the public halves that backups were sealed to before, oldest first."""
    try:
        rows = json.loads((folder / FORMER_RECIPIENTS).read_bytes())
        return tuple(SealedTo(Role(row["role"]), row["public"]) for row in rows)
    except FileNotFoundError:
        return ()


def _rows(folder: Path) -> list[SealedTo]:
    rows = json.loads((folder / RECIPIENTS).read_bytes())
    return [SealedTo(Role(row["role"]), row["public"]) for row in rows]


def _write_former(folder: Path, gone: Sequence[SealedTo]) -> None:
    rows = [*former_recipients(folder), *gone]
    content = [{"role": each.role.value, "public": each.public} for each in rows]
    replace(folder / FORMER_RECIPIENTS, json.dumps(content, indent=1).encode() + b"\n")


def read_identities(path: Path) -> tuple[archive.Identity, ...]:
    """Read a private key file that a person brings along."""
    try:
        return archive.identities(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise Missing(
            _("The key file %(path)s cannot be read.", path=path), code="no_key"
        ) from error
