"""Removing what retention lets go, and the attachments that nothing refers to any more."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from backup import disk, journal, lists, manifest, report
from backup.catalogue import Catalogue
from backup.keys import Keyring
from backup.plan import State
from backup.report import Item
from backup.retention import Decision, Facts, Policy, Refusal, decide
from backup.store import Store
from server.core import clock
from server.core.errors import Broken

GRACE = timedelta(days=7)
UNREFERENCED = "unreferenced.json"


@dataclass(frozen=True)
class Pruned:
    """What was removed, or why nothing was."""

    removed: tuple[str, ...]
    removed_objects: int
    freed: int
    refusal: Refusal | None


def plan(
    store: Store, keys: Keyring, *, policy: Policy | None = None, zone: tzinfo = UTC
) -> Decision:
    """Return what pruning would do now."""
    found = [_facts(item) for item in report.items(store, keys.trust)]
    return decide(found, clock.now(), policy, zone)


def prune(
    store: Store, keys: Keyring, *, policy: Policy | None = None, zone: tzinfo = UTC
) -> Pruned:
    """Remove what retention lets go. Raises Conflict while backups are made or read."""
    with store.writing(), store.removing():
        store.sweep()
        decision = plan(store, keys, policy=policy, zone=zone)
        if decision.refusal is not None:
            return Pruned((), 0, 0, decision.refusal)
        freed = 0
        for set_id in decision.remove:
            freed += _remove(store, set_id, keys)
        objects, object_bytes = _remove_objects(store, keys, clock.now())
    return Pruned(decision.remove, objects, freed + object_bytes, None)


def _facts(item: Item) -> Facts:
    return Facts(
        id=item.id,
        created_at=item.created_at,
        verified=item.state in {State.VERIFIED, State.CONFIRMED},
        failed=item.state is State.FAILED,
        kind=item.kind,
    )


def _remove(store: Store, set_id: str, keys: Keyring) -> int:
    """Write down that the backup goes, so that the gap in the chain is explained, and remove it."""
    folder = store.set_folder(set_id)
    content = (folder / manifest.NAME).read_bytes() if (folder / manifest.NAME).is_file() else b""
    freed = sum(path.stat().st_size for path in folder.iterdir())
    entry: dict[str, journal.Value] = {
        "set": set_id,
        "manifest_sha256": manifest.digest_of(content),
        "at": clock.rfc3339(clock.now()),
    }
    journal.append(store.pruned, entry, keys.sign)
    store.remove(set_id)
    return freed


def _remove_objects(store: Store, keys: Keyring, now: datetime) -> tuple[int, int]:
    """Remove the objects that nothing has referred to for the grace time.

    While one manifest or list cannot be read nobody knows what it refers to, and all stay.
    """
    loaded = store.loaded(keys.trust)
    if len(loaded) != len(store.set_ids()):
        return 0, 0
    with closing(Catalogue()) as referenced:
        try:
            for each in loaded:
                folder = store.set_folder(each.manifest.id)
                referenced.learn(lists.objects(folder, each.manifest))
        except Broken:
            return 0, 0
        return _sweep_objects(store, referenced, now)


def _sweep_objects(store: Store, referenced: Catalogue, now: datetime) -> tuple[int, int]:
    ledger = store.folder / UNREFERENCED
    since = _since(ledger)
    waiting: dict[str, int] = {}
    gone, freed = 0, 0
    stamp = int(now.timestamp())
    with disk.naming_the_cause(store.folder):
        for path in _objects(store):
            if referenced.find(path.name) is not None:
                continue
            first = min(since.get(path.name, stamp), stamp)
            if stamp - first < GRACE.total_seconds():
                waiting[path.name] = first
                continue
            freed += path.stat().st_size
            path.unlink()
            gone += 1
        disk.replace(ledger, json.dumps(waiting).encode() + b"\n")
    return gone, freed


def _since(ledger: Path) -> dict[str, int]:
    """Return since when objects are without reference; a damaged list starts the grace anew."""
    try:
        found = json.loads(ledger.read_bytes())
        return {str(name): int(first) for name, first in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _objects(store: Store) -> Iterator[Path]:
    for shelf in sorted(store.objects.iterdir()):
        if shelf.is_dir():
            yield from (path for path in sorted(shelf.iterdir()) if manifest.is_object(path.name))
