"""Rotating and revoking keys under the root, and renewing the root; each step is a new keyset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from licensing.authority.config import Settings
from licensing.authority.keys import ceremony, rules
from licensing.authority.keys.private import PrivateKey, load_key
from licensing.authority.keys.store import root_path
from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry, Keyset, Root
from licensing.document.trust import Trust
from server.core.errors import Broken, Conflict
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Ceremony:
    """Whoever holds enough root keys may change the keyset."""

    settings: Settings
    trust: Trust
    roots: Sequence[PrivateKey]
    passphrase: bytes

    @property
    def keyset(self) -> Keyset:
        """Return the keyset before the change."""
        if self.trust.keyset is None:
            raise Broken(_("There is no keyset."))
        return self.trust.keyset.document


def first_keyset(held: Ceremony, now: int) -> Keyset:
    """Publish version 1 with one key of each role."""
    entries = [ceremony.make_entry(held.settings, role, held.passphrase, now) for role in Role]
    keyset = rules.next_keyset(None, entries, now)
    ceremony.publish(held.settings, keyset, held.roots, held.trust.root)
    return keyset


def rotate(held: Ceremony, keyset: Keyset, roles: Sequence[Role], now: int) -> Keyset:
    """Publish a new version with one more key for each of the roles; the old ones live on."""
    made = [ceremony.make_entry(held.settings, role, held.passphrase, now) for role in roles]
    newer = rules.next_keyset(keyset, (*keyset.keys, *made), now)
    ceremony.publish(held.settings, newer, held.roots, held.trust.root)
    return newer


def replaced(held: Ceremony, entry: KeyEntry, now: int) -> Keyset:
    """Make sure that another key can do the work of this one, before it dies."""
    others = [one for one in held.keyset.keys if one.public_key != entry.public_key]
    lonely = [role for role in Role if entry.may_sign(role) and not rules.usable(others, role, now)]
    return rotate(held, held.keyset, lonely, now) if lonely else held.keyset


def revoke(held: Ceremony, keyset: Keyset, entry: KeyEntry, now: int) -> Keyset:
    """Publish a new version in which this key is dead, whatever date a document claims."""
    dead = rules.revoked(keyset.keys, entry.public_key, now)
    newer = rules.next_keyset(keyset, dead, now)
    ceremony.publish(held.settings, newer, held.roots, held.trust.root)
    return newer


def renew_root(held: Ceremony, folder: Path, now: int) -> Root:
    """Make new root keys that the present ones vouch for, and sign the keyset by them.

    Interrupted after the root was published, it goes on with the keys in the same folder.
    """
    version = held.trust.root.version + 1
    path = root_path(held.settings, version)
    if path.is_file():
        keys = [load_key(file, held.passphrase) for file in ceremony.root_key_paths(folder)]
        root = ceremony.root_of(keys, version)
        _check_published(held.trust.with_root(path.read_bytes()).root, root, folder)
    else:
        keys = ceremony.make_root_keys(folder, held.passphrase, resume=False)
        root = ceremony.root_of(keys, version)
        vouching = [*held.roots, *keys[: root.threshold]]
        ceremony.publish_root(held.settings, held.trust, root, vouching)
    newer = rules.next_keyset(held.keyset, held.keyset.keys, now)
    ceremony.publish(held.settings, newer, keys[: root.threshold], root)
    return root


def _check_published(published: Root, root: Root, folder: Path) -> None:
    if published != root:
        raise Conflict(
            _(
                "Root %(n)s was published with other keys than those in %(folder)s. Name their folder.",
                n=root.version,
                folder=folder,
            )
        )
