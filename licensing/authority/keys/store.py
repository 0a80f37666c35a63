"""The vendor's keys in one process: the published keyset and the private keys that sign under it.

The published file is the truth: every process notices a new one at its next signature.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from licensing.authority.config import Settings
from licensing.authority.keys.private import (
    PASSPHRASE_VARIABLE,
    PrivateKey,
    find_passphrase,
    load_key,
)
from licensing.authority.keys.rules import chosen
from licensing.document.documents import Role, RoleDocument
from licensing.document.envelope import Envelope
from licensing.document.errors import DocumentError
from licensing.document.keys import key_id
from licensing.document.keyset import KeyEntry, Keyset, load_root_file
from licensing.document.trust import Opened, Trust, seal_document
from server.core.errors import Broken, Missing
from server.core.i18n import gettext as _

log = logging.getLogger(__name__)

ROOT_FILE = "root.json"
KEYSET_FILE = "keyset.json"


class Sealer(Protocol):
    """Whoever signs: the keys as they are at each signature, or one version of them."""

    def seal(self, document: RoleDocument, now: int) -> Envelope:
        """Sign a document with the key of its role."""


@dataclass(frozen=True)
class Ring:
    """One version of the keyset with the private keys that this authority holds for it."""

    trust: Trust
    opened: Opened[Keyset]
    private: dict[bytes, PrivateKey]

    @property
    def keyset(self) -> Keyset:
        """Return the keyset."""
        return self.opened.document

    @property
    def envelope(self) -> str:
        """Return the keyset's envelope as it travels."""
        return self.opened.envelope.raw.decode()

    def held(self) -> list[KeyEntry]:
        """Return the entries whose private half is here."""
        return [entry for entry in self.keyset.keys if entry.public_key in self.private]

    def signing_entry(self, role: Role, now: int) -> KeyEntry:
        """Return the entry of the key that signs for this role now, or raise Missing."""
        entry = chosen(self.held(), role, now)
        if entry is None:
            raise Missing(
                _(
                    "No key of the role “%(role)s” is valid now. Make a new one with "
                    "“daftar-authority keys rotate”.",
                    role=role.value,
                )
            )
        return entry

    def signer(self, role: Role, now: int) -> PrivateKey:
        """Return the key that signs for this role now, or raise Missing."""
        return self.private[self.signing_entry(role, now).public_key]

    def seal(self, document: RoleDocument, now: int) -> Envelope:
        """Sign a document with the key of its role."""
        return seal_document(document, [self.signer(document.ROLE, now)])

    @cached_property
    def dead(self) -> frozenset[str]:
        """Return the names of the keys that were revoked."""
        return frozenset(key_id(key) for key in self.keyset.revoked())


def read_trust(settings: Settings) -> Trust:
    """Return the newest root and the published keyset, verified. Raise Missing or Broken."""
    try:
        pinned = (settings.trust_dir / ROOT_FILE).read_bytes()
        newer = [path.read_bytes() for path in newer_roots(settings)]
        keyset = (settings.trust_dir / KEYSET_FILE).read_bytes()
    except OSError as error:
        raise Missing(
            _(
                "The trust file %(path)s cannot be read: %(why)s.",
                path=error.filename,
                why=error.strerror,
            )
        ) from error
    try:
        return _under_its_root(pinned, newer, keyset)
    except DocumentError as error:
        raise Broken(
            _(
                "The trust files in %(path)s are damaged: %(why)s",
                path=settings.trust_dir,
                why=error.message,
            )
        ) from error


def newer_roots(settings: Settings) -> list[Path]:
    """Return the files of the roots after the pinned one, in their order."""
    found, number = [], 2
    while (path := root_path(settings, number)).is_file():
        found.append(path)
        number += 1
    return found


def root_path(settings: Settings, version: int) -> Path:
    """Return the file in which a root after the first is published."""
    return settings.trust_dir / "roots" / f"{version}.json"


def _under_its_root(pinned: bytes, newer: Sequence[bytes], keyset: bytes) -> Trust:
    steps = [Trust(load_root_file(pinned))]
    for raw in newer:
        steps.append(steps[-1].with_root(raw))
    # A renewal that was interrupted has published the root, and its keyset not yet.
    for trust in steps[:0:-1]:
        with suppress(DocumentError):
            return trust.with_held_keyset(keyset)
    return steps[0].with_held_keyset(keyset)


class Keys:
    """Signs for the vendor. Keys are decrypted once, and again only for a new keyset."""

    def __init__(self, settings: Settings, passphrase: bytes) -> None:
        self._settings = settings
        self._passphrase = passphrase
        self._published = settings.trust_dir / KEYSET_FILE
        self._seen = self._mark()
        self._ring = self._load({})

    def ring(self) -> Ring:
        """Return the keys under the newest published keyset."""
        mark = self._mark()
        if mark != self._seen:
            self._ring = self._load(self._ring.private)
            self._seen = mark
            log.info("Keyset %s is in use.", self._ring.keyset.version)
        return self._ring

    def without(self, public_key: bytes) -> "Keys":
        """Return the same keys but one, for signing anew what rests on it before it dies."""
        others = copy(self)
        ring = self.ring()
        private = {one: key for one, key in ring.private.items() if one != public_key}
        others._ring = replace(ring, private=private)
        return others

    def check(self, now: int) -> None:
        """Raise Missing unless licences and leases can be signed now."""
        for role in (Role.LICENSE, Role.LEASE):
            self.ring().signing_entry(role, now)

    def seal(self, document: RoleDocument, now: int) -> Envelope:
        """Sign a document with the key of its role."""
        return self.ring().seal(document, now)

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = self._published.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def _load(self, known: dict[bytes, PrivateKey]) -> Ring:
        trust = read_trust(self._settings)
        opened = trust.keyset
        if opened is None:
            raise Broken(_("There is no keyset."))
        private = {}
        for entry in opened.document.keys:
            path = key_path(self._settings, entry.public_key)
            if entry.public_key in known:
                private[entry.public_key] = known[entry.public_key]
            elif entry.revoked_at is None and path.is_file():
                private[entry.public_key] = load_key(path, self._passphrase)
        return Ring(trust, opened, private)


def key_path(settings: Settings, public_key: bytes) -> Path:
    """Return the file of a working key."""
    return settings.keys_dir / f"{key_id(public_key)}.pem"


def open_keys(settings: Settings) -> Keys:
    """Return the keys with the passphrase from the environment or the configured file."""
    return Keys(settings, needed_passphrase(settings))


def needed_passphrase(settings: Settings) -> bytes:
    """Return the passphrase, or raise Missing when nobody told it."""
    named = settings.keys.passphrase_file
    passphrase = find_passphrase(settings.home / named if named else None)
    if passphrase is None:
        raise Missing(
            _(
                "The passphrase of the keys is not known. Set the variable %(name)s, or name a file "
                "as passphrase_file under [keys] in authority.toml.",
                name=PASSPHRASE_VARIABLE,
            )
        )
    return passphrase
