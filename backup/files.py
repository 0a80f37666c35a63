"""Attachments: sealed once under a keyed name, listed in a sealed index.

The index is text, one line per file: object, SHA-256, size, modification time in nanoseconds, path,
with tabs between. In the path a backslash, tab or line feed is written as in C.
"""

import os
import re
import secrets
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TextIO

from backup import archive, disk
from backup.keys import Keyring
from backup.manifest import Object, is_object
from backup.store import PART, Store
from server.core.errors import Broken, Missing
from server.core.i18n import gettext as _

_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"))
_ESCAPED = re.compile(r"\\(.)")
_LETTERS = {"t": "\t", "n": "\n"}


@dataclass(frozen=True)
class Line:
    """One file of the index."""

    object: str
    sha256: str
    size: int
    modified_ns: int
    path: str

    def written(self) -> bytes:
        """Return the line as it stands in the index."""
        path = self.path
        for plain, escaped in _ESCAPES:
            path = path.replace(plain, escaped)
        text = f"{self.object}\t{self.sha256}\t{self.size}\t{self.modified_ns}\t{path}\n"
        return os.fsencode(text)


def read_line(raw: bytes) -> Line:
    """Read a line of the index; raise Broken when it would lead out of the folder."""
    try:
        name, sha256, size, modified, path = os.fsdecode(raw.rstrip(b"\n")).split("\t")
        line = Line(name, sha256, int(size), int(modified), _unescaped(path))
    except ValueError as error:
        raise Broken(_("The list of files is damaged."), code="damaged") from error
    steps = PurePosixPath(line.path)
    if not is_object(name) or not steps.parts or steps.is_absolute() or ".." in steps.parts:
        raise Broken(_("The list of files is damaged."), code="damaged")
    return line


def _unescaped(path: str) -> str:
    return _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), path)


def regular(folder: Path) -> Iterator[Path]:
    """Return the files under the folder in order; names that start with a dot are unfinished."""
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from regular(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


class Sealing:
    """Seals what is new among the attachments and remembers what the set refers to.

    `known` holds the objects of earlier signed manifests by name; `damaged` the names that a
    verification found wrong, which are sealed anew under a name of the next generation. The ledger
    stands on the server's own disk and lets the next run use what a killed one had sealed. An
    object that is neither known nor in the ledger is never used: somebody else may have put it
    there. No object is ever written over.
    """

    def __init__(
        self, store: Store, keys: Keyring, known: dict[str, Object], damaged: Set[str], ledger: Path
    ) -> None:
        self._store = store
        self._keys = keys
        self._known = {**_read_ledger(ledger), **known}
        self._damaged = damaged
        self._ledger = ledger
        self._recipients = keys.age_recipients()
        self.objects: dict[str, Object] = {}
        self.count = 0
        self.plain_bytes = 0
        self.sealed_new = 0

    def lines(self, folder: Path) -> Iterator[Line]:
        """Seal file after file and return their lines of the index."""
        with self._ledger.open("a") as ledger:
            for path in regular(folder):
                line = self._line(folder, path, ledger)
                self.count += 1
                self.plain_bytes += line.size
                yield line
        for shelf in self._store.objects.iterdir():
            if shelf.is_dir():
                disk.sync_folder(shelf)
        disk.sync_folder(self._store.objects)

    def forget(self) -> None:
        """Drop the ledger: a signed manifest holds the objects now."""
        self._ledger.unlink(missing_ok=True)

    def _line(self, folder: Path, path: Path, ledger: TextIO) -> Line:
        try:
            with disk.naming_the_cause(path):
                modified = path.stat().st_mtime_ns
                size, sha256 = archive.hash_file(path)
            name = self._object(path, sha256, ledger)
        except FileNotFoundError as error:
            raise _changed(path) from error
        return Line(name, sha256, size, modified, path.relative_to(folder).as_posix())

    def _object(self, path: Path, sha256: str, ledger: TextIO) -> str:
        """Return the name of the object with this content, sealing it when it is not there."""
        for generation in count():
            name = self._keys.object_name(sha256, generation)
            if name in self.objects:
                break
            if name in self._damaged:
                continue
            entry = self._known.get(name)
            if entry is not None and self._store.has_object(entry):
                self.objects[name] = entry
                break
            if entry is None and not self._store.object_path(name).exists():
                self.objects[name] = self._seal(path, name, sha256)
                ledger.write(f"{name}\t{self.objects[name].bytes}\t{self.objects[name].sha256}\n")
                ledger.flush()
                break
        return name

    def _seal(self, path: Path, name: str, sha256: str) -> Object:
        part = self._store.objects / f"{PART}{secrets.token_hex(8)}"
        with path.open("rb") as source:
            sealed = archive.seal(source, part, self._recipients)
        if sealed.plain_sha256 != sha256:
            part.unlink()
            raise _changed(path)
        final = self._store.object_path(name)
        final.parent.mkdir(exist_ok=True, mode=0o700)
        part.rename(final)
        self.sealed_new += 1
        return Object(name, sealed.bytes, sealed.sha256)


def _read_ledger(path: Path) -> dict[str, Object]:
    """Return what a killed run had sealed; a line it could not finish is left out."""
    found: dict[str, Object] = {}
    if path.is_file():
        for line in path.read_text().split("\n")[:-1]:
            name, size, sha256 = line.split("\t")
            found[name] = Object(name, int(size), sha256)
    return found


def _changed(path: Path) -> Missing:
    return Missing(
        _("The file %(path)s changed while it was read. Run the backup again.", path=path),
        code="file_changed",
    )
