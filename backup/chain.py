"""The chain of manifests: which backups are gone without having been pruned."""

from backup import journal
from backup.keys import Trust
from backup.store import Store


def pruned_hashes(store: Store) -> set[str]:
    """Return the hashes of the manifests that were pruned."""
    return {str(entry["manifest_sha256"]) for entry in journal.read(store.pruned).entries}


def gaps(store: Store, trust: Trust) -> list[str]:
    """Return the backups that a later manifest names and that are neither here nor pruned."""
    loaded = store.loaded(trust)
    here = {each.sha256 for each in loaded} | pruned_hashes(store)
    links = [each.manifest.previous for each in loaded]
    return [link.id for link in links if link is not None and link.sha256 not in here]
