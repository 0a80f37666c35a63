"""Sealing content once under a keyed name, safe against a kill at any moment.

What earlier signed manifests name is known; what a verification found wrong is sealed anew under a
name of the next generation. The ledger stands on the server's own disk and lets the next run use
what a killed one had sealed. An object that is neither known nor in the ledger is never used:
somebody else may have put it there. No object is ever written over.
"""

import secrets
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from backup import archive, disk
from backup.catalogue import Catalogue, Use
from backup.keys import Keyring
from backup.manifest import Object
from backup.store import PART, Store

_BATCH_FILES = 128
_BATCH_BYTES = 1 << 25


@dataclass(frozen=True)
class Found:
    """Under which name content belongs, and its object when it is there already."""

    name: str
    object: Object | None


@dataclass(frozen=True)
class _Written:
    """An object that is written and not yet in its place."""

    part: Path
    object: Object
    file: IO[bytes]


class Objects:
    """The objects of one run: found or sealed, and what the set refers to."""

    def __init__(self, store: Store, keys: Keyring, damaged: Set[str], ledger: Path) -> None:
        self._store = store
        self._keys = keys
        self._damaged = damaged
        self._ledger_path = ledger
        self._ledger = ledger.open("a")
        self._waiting: dict[str, _Written] = {}
        self._waiting_bytes = 0
        self.recipients = keys.age_recipients()
        self.catalogue = Catalogue()
        # A killed run may have noted more than it put in its place.
        self.catalogue.learn(each for each in _read_ledger(ledger) if store.has_object(each))
        self.sealed_new = 0
        self.added_bytes = 0

    def learn(self, entries: Iterable[Object]) -> None:
        """Know the objects of an earlier signed manifest, which win over the ledger's."""
        for entry in entries:
            self.catalogue.replace(entry)

    def find(self, plain_sha256: str, space: str = "") -> Found:
        """Return under which name content of this hash belongs; `space` parts what is sealed otherwise."""
        for generation in count():
            name = self._keys.object_name(plain_sha256, generation, space)
            if name in self._waiting:
                return Found(name, self._waiting[name].object)
            if name in self._damaged:
                continue
            entry = self.catalogue.find(name)
            if entry is not None and self._store.has_object(entry):
                return Found(name, entry)
            if entry is None and not self._store.object_path(name).exists():
                return Found(name, None)
        raise AssertionError("there is always a next generation")

    def use(self, entry: Object, how: Use) -> Object:
        """Refer to the object in this set."""
        self.catalogue.use(entry.name, how)
        return entry

    def seal_file(self, path: Path, name: str, plain_sha256: str) -> Object | None:
        """Seal a file under the name; return None when it holds something else by now."""
        part = self._new_part()
        with path.open("rb") as source:
            sealed = archive.seal(source, part, self.recipients, sync=False)
        if sealed.plain_sha256 != plain_sha256:
            part.unlink()
            return None
        entry = Object(name, sealed.bytes, sealed.sha256)
        self._wait(_Written(part, entry, part.open("rb+")))
        return entry

    def put(self, name: str, sealed: archive.SealedBytes) -> Object:
        """Write what is sealed already under the name."""
        part = self._new_part()
        file = disk.create(part)
        file.write(sealed.content)
        file.flush()
        entry = Object(name, len(sealed.content), sealed.sha256)
        self._wait(_Written(part, entry, file))
        return entry

    def finish(self) -> None:
        """Put everything in its place and make it survive a power cut."""
        self.settle()
        self._ledger.close()
        for shelf in self._store.objects.iterdir():
            if shelf.is_dir():
                disk.sync_folder(shelf)
        disk.sync_folder(self._store.objects)

    def forget(self) -> None:
        """Drop the ledger: a signed manifest holds the objects now."""
        self._ledger_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of everything; what a run that failed had not put in its place is removed."""
        for written in self._waiting.values():
            written.file.close()
            written.part.unlink(missing_ok=True)
        self._ledger.close()
        self.catalogue.close()

    def settle(self) -> None:
        """Sync what was written, give it its names, and note it in the ledger.

        Together, because a disk that is asked once for many files answers much sooner.
        """
        disk.sync_files([written.file for written in self._waiting.values()])
        for written in self._waiting.values():
            written.file.close()
            entry = written.object
            self._ledger.write(f"{entry.name}\t{entry.bytes}\t{entry.sha256}\n")
        self._ledger.flush()
        for name, written in self._waiting.items():
            final = self._store.object_path(name)
            final.parent.mkdir(exist_ok=True, mode=0o700)
            written.part.rename(final)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _new_part(self) -> Path:
        return self._store.objects / f"{PART}{secrets.token_hex(8)}"

    def _wait(self, written: _Written) -> None:
        entry = written.object
        self.catalogue.replace(entry)
        self._waiting[entry.name] = written
        self._waiting_bytes += entry.bytes
        self.sealed_new += 1
        self.added_bytes += entry.bytes
        if len(self._waiting) >= _BATCH_FILES or self._waiting_bytes >= _BATCH_BYTES:
            self.settle()


def _read_ledger(path: Path) -> Iterator[Object]:
    """Return what a killed run had sealed; a line it could not finish is left out."""
    if path.is_file():
        for line in path.read_text().split("\n")[:-1]:
            name, size, sha256 = line.split("\t")
            yield Object(name, int(size), sha256)
