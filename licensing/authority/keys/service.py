"""Rotating and revoking the working keys under the root; every step is a new version of the keyset."""

from collections.abc import Sequence
from dataclasses import dataclass

from licensing.authority.config import Settings
from licensing.authority.keys import ceremony, rules
from licensing.authority.keys.private import PrivateKey
from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry, Keyset
from licensing.document.trust import Trust
from server.core.errors import Broken
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
