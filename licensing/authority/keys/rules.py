"""Windows and choices of keys: how long each lives, which one signs today, what ends soon. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry, Keyset

DAY = 86_400
KEYSET_DAYS = 400
WINDOW_DAYS = {Role.LEASE: 90, Role.LICENSE: 730, Role.RELEASE: 730}
OVERLAP_DAYS = 30
# A new lease key first travels in the keyset, so that leases signed by it find it already known.
KNOWN_AFTER_DAYS = OVERLAP_DAYS // 2
# A server that was away for so long is locked, and takes the newest keyset before anything else.
FORGOTTEN_AFTER_DAYS = 730
ROOT_KEYS = 3
ROOT_THRESHOLD = 2


@dataclass(frozen=True)
class Ending:
    """What ends soon and has no successor: the last key of a role, or the keyset itself (no role)."""

    role: Role | None
    ends_at: int | None


def new_entry(public_key: bytes, role: Role, now: int) -> KeyEntry:
    """Return the entry of a key made now."""
    return KeyEntry(public_key, (role.value,), now, now + WINDOW_DAYS[role] * DAY)


def next_keyset(held: Keyset | None, keys: Iterable[KeyEntry], now: int) -> Keyset:
    """Return the version after `held` with these keys, but for lease keys nobody can need any more."""
    version = 1 if held is None else held.version + 1
    kept = tuple(entry for entry in keys if not is_forgotten(entry, now))
    return Keyset(version, now, now + KEYSET_DAYS * DAY, kept)


def is_forgotten(entry: KeyEntry, now: int) -> bool:
    """Tell whether a lease key has been over for so long that no server still holds its work.

    Without this a keyset would outgrow its bounds within ten years. Licence keys stay: a licence
    that never ends may rest on one.
    """
    ended = entry.not_after if entry.revoked_at is None else min(entry.not_after, entry.revoked_at)
    only_leases = entry.roles == (Role.LEASE.value,)
    return only_leases and ended + FORGOTTEN_AFTER_DAYS * DAY < now


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


def ending(keyset: Keyset, held: Collection[KeyEntry], now: int) -> list[Ending]:
    """Return what ends within the overlap without a successor; `held` are the keys that can sign here."""
    soon = now + OVERLAP_DAYS * DAY
    found = []
    for role in (Role.LICENSE, Role.LEASE):
        keys = usable(held, role, now)
        if all(entry.not_after < soon for entry in keys):
            found.append(Ending(role, keys[-1].not_after if keys else None))
    if keyset.expires_at < soon:
        found.append(Ending(None, keyset.expires_at))
    return found
