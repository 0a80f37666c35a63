"""The lists of objects that stand beside a manifest, which holds their hashes.

`objects.tsv`: the attachments' objects, one a line: name, size and SHA-256 of the sealed bytes.
`database.tsv`: the chunks of the database in their order; each line ends with the plain size too.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from backup import archive, manifest
from backup.catalogue import Catalogue, Use
from backup.manifest import Manifest, Object
from server.core.errors import Broken
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Chunk:
    """One chunk of the database: its object and the size of what is in it."""

    object: Object
    plain_bytes: int

    def written(self) -> bytes:
        """Return the line of the list."""
        return _line(self.object, self.plain_bytes)


def written(entry: Object) -> bytes:
    """Return the line of an object."""
    return _line(entry)


def _line(entry: Object, *more: int) -> bytes:
    fields = (entry.name, entry.bytes, entry.sha256, *more)
    return ("\t".join(map(str, fields)) + "\n").encode("ascii")


def objects(folder: Path, made: Manifest) -> Iterator[Object]:
    """Return every object of the set once or more often: attachments, dictionary, chunks.

    Raises Broken when a list is not the one that the manifest names.
    """
    yield from attachments(folder, made)
    if made.database.dictionary is not None:
        yield made.database.dictionary.object
    for chunk in chunks(folder, made):
        yield chunk.object


def distinct(folder: Path, made: Manifest) -> Iterator[Object]:
    """Return every object of the set once."""
    with closing(Catalogue()) as seen:
        for entry in objects(folder, made):
            seen.learn([entry])
            if seen.use(entry.name, Use.FILE):
                yield entry


def attachments(folder: Path, made: Manifest) -> Iterator[Object]:
    """Return the objects of the attachments."""
    for fields in _fields(folder, made, manifest.OBJECTS, 3):
        yield _object(made, manifest.OBJECTS, fields)


def chunks(folder: Path, made: Manifest) -> Iterator[Chunk]:
    """Return the chunks of the database in their order; none where it lies in one piece."""
    for fields in _fields(folder, made, manifest.CHUNKS, 4):
        entry = _object(made, manifest.CHUNKS, fields)
        if not fields[3].isascii() or not fields[3].isdigit():
            raise manifest.damaged(manifest.CHUNKS, made.id)
        yield Chunk(entry, int(fields[3]))


def _fields(folder: Path, made: Manifest, name: str, count: int) -> Iterator[list[str]]:
    if not made.has_part(name):
        return
    must_be_whole(folder, made, name)
    with (folder / name).open(encoding="ascii") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if len(fields) != count:
                raise manifest.damaged(name, made.id)
            yield fields


def _object(made: Manifest, name: str, fields: list[str]) -> Object:
    if not (
        manifest.is_object(fields[0]) and manifest.is_object(fields[2]) and fields[1].isdigit()
    ):
        raise manifest.damaged(name, made.id)
    return Object(fields[0], int(fields[1]), fields[2])


def must_be_whole(folder: Path, made: Manifest, name: str) -> None:
    """Raise Broken unless the list is the one that the manifest names."""
    part = made.part(name)
    try:
        found = archive.hash_file(folder / name)
    except FileNotFoundError as error:
        raise Broken(
            _("%(name)s of the backup %(id)s is missing.", name=name, id=made.id), code="damaged"
        ) from error
    if found != (part.bytes, part.sha256):
        raise manifest.damaged(name, made.id)
