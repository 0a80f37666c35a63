"""Windows and choices of keys: how long each lives, and which one signs today. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry, Keyset

DAY = 86_400
KEYSET_DAYS = 400
WINDOW_DAYS = {Role.LEASE: 90, Role.LICENSE: 730, Role.RELEASE: 730}
OVERLAP_DAYS = 30
# A new lease key first travels in the keyset, so that leases signed by it find it already known.
KNOWN_AFTER_DAYS = OVERLAP_DAYS // 2
ROOT_KEYS = 3
ROOT_THRESHOLD = 2


def new_entry(public_key: bytes, role: Role, now: int) -> KeyEntry:
    """Return the entry of a key made now."""
    return KeyEntry(public_key, (role.value,), now, now + WINDOW_DAYS[role] * DAY)


def next_keyset(held: Keyset | None, keys: Iterable[KeyEntry], now: int) -> Keyset:
    """Return the version after `held` with these keys."""
    version = 1 if held is None else held.version + 1
    return Keyset(version, now, now + KEYSET_DAYS * DAY, tuple(keys))


def usable(keys: Iterable[KeyEntry], role: Role, now: int) -> list[KeyEntry]:
    """Return the keys that may sign for this role now, the oldest first."""
    return sorted(
        (entry for entry in keys if entry.may_sign(role) and entry.covers(now)),
        key=lambda entry: entry.not_before,
    )


def chosen(keys: Iterable[KeyEntry], role: Role, now: int) -> KeyEntry | None:
    """Return the key that signs now.

    A licence arrives together with its keyset, so the newest key signs it. For leases the older key
    goes on until the newer one had time to become known.
    """
    candidates = usable(keys, role, now)
    if not candidates:
        return None
    if role is Role.LEASE:
        lasting = [one for one in candidates if one.not_after - now >= KNOWN_AFTER_DAYS * DAY]
        return (lasting or candidates[-1:])[0]
    return candidates[-1]


def revoked(keys: Iterable[KeyEntry], public_key: bytes, now: int) -> list[KeyEntry]:
    """Return the keys with one of them dead from now on."""
    return [
        replace(entry, revoked_at=entry.revoked_at or now)
        if entry.public_key == public_key
        else entry
        for entry in keys
    ]
