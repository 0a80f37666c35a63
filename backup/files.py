"""Attachments: sealed once under a keyed name, listed in a sealed index.

The index is text, one line per file: object, SHA-256, size, modification time in nanoseconds, path,
with tabs between. In the path a backslash, tab or line feed is written as in C.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backup import archive, disk
from backup.catalogue import Use
from backup.manifest import Object, is_object
from backup.objects import Objects
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


class Index:
    """Finds or seals every attachment and counts them."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.count = 0
        self.plain_bytes = 0

    def lines(self, folder: Path) -> Iterator[Line]:
        """Seal file after file and return their lines of the index."""
        for path in regular(folder):
            line = self._line(folder, path)
            self.count += 1
            self.plain_bytes += line.size
            yield line

    def _line(self, folder: Path, path: Path) -> Line:
        try:
            with disk.naming_the_cause(path):
                modified = path.stat().st_mtime_ns
                size, sha256 = archive.hash_file(path)
            entry = self._objects.use(self._object(path, sha256), Use.FILE)
        except FileNotFoundError as error:
            raise _changed(path) from error
        return Line(entry.name, sha256, size, modified, path.relative_to(folder).as_posix())

    def _object(self, path: Path, sha256: str) -> Object:
        """Return the object with this content, sealing it when it is not there."""
        found = self._objects.find(sha256)
        if found.object is not None:
            return found.object
        sealed = self._objects.seal_file(path, found.name, sha256)
        if sealed is None:
            raise _changed(path)
        return sealed


def _changed(path: Path) -> Missing:
    return Missing(
        _("The file %(path)s changed while it was read. Run the backup again.", path=path),
        code="file_changed",
    )
