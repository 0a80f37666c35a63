"""Copies of published backups at other places: copying, reading back, clearing out.

A set is copied objects first and its manifest last, so that it shows only when it is whole; what is
there already is not sent again, which also makes a killed copy go on where it stood.
"""

import hashlib
from collections.abc import Iterator, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backup import archive, disk, lists, lock, manifest
from backup.catalogue import Catalogue
from backup.disk import Reader
from backup.keys import Trust
from backup.manifest import Manifest, Object
from backup.places import Place
from backup.plan import Progress, Stage, silent
from backup.store import CONFIRMATIONS, DRILL, Store
from server.core.errors import Broken, DaftarError, NotFound
from server.core.i18n import gettext as _

OBJECTS = "objects"
SETS = "sets"
_MOST_MANIFEST = 1 << 26


@dataclass(frozen=True)
class Copied:
    """What one copy sent."""

    sets: tuple[str, ...]
    files: int
    bytes: int


@dataclass(frozen=True)
class Found:
    """What reading a set back from a place found. `damaged` names the files that are wrong."""

    set: str
    problems: tuple[str, ...]
    damaged: tuple[str, ...]
    bytes: int

    @property
    def ok(self) -> bool:
        """Return whether every byte is there."""
        return not self.problems


class Passing:
    """A reader that knows what must pass through it and refuses at the end when it was not that."""

    def __init__(self, source: Reader, entry: Object) -> None:
        self._source = source
        self._entry = entry
        self._hash = hashlib.sha256()
        self._bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return what comes next; raise Broken at the last byte when the whole was not as sealed."""
        data = self._source.read(size)
        self._bytes += len(data)
        self._hash.update(data)
        ended = not data and size != 0
        if ended or self._bytes >= self._entry.bytes:
            found = (self._bytes, self._hash.hexdigest())
            if found != (self._entry.bytes, self._entry.sha256):
                raise Broken(archive.differs(self._entry.name), code="damaged")
        return data


def object_name(name: str) -> str:
    """Return where an object lies at a place, as in the folder of backups."""
    return f"{OBJECTS}/{name[:2]}/{name}"


def set_ids(place: Place) -> list[str]:
    """Return the backups that are whole at the place, oldest first."""
    return [
        name
        for name in place.folders(SETS)
        if manifest.is_id(name) and place.size(f"{SETS}/{name}/{manifest.NAME}") is not None
    ]


# Copying


def copy(
    store: Store,
    place: Place,
    trust: Trust,
    wanted: Sequence[str],
    *,
    damaged: Set[str] = frozenset(),
    progress: Progress = silent,
) -> Copied:
    """Copy what is missing of these backups, newest first.

    `damaged` names files that a look at the place found wrong; they are sent again where the place
    lets itself be changed. A backup that is pruned meanwhile is left out.
    """
    with closing(Catalogue()) as there:
        there.learn(
            Object(each.name.rpartition("/")[2], each.bytes, "00" * 32)
            for each in place.entries(OBJECTS)
            if manifest.is_object(each.name.rpartition("/")[2])
        )
        sending = _Sending(store, place, there, damaged, progress)
        done = []
        for set_id in sorted(wanted, reverse=True):
            try:
                sending.send(store.load(set_id, trust).manifest)
            except (NotFound, FileNotFoundError) as error:
                if (store.sets / set_id).is_dir():
                    raise Broken(archive.missing(set_id), code="damaged") from error
                continue
            done.append(set_id)
        sending.journal()
    return Copied(tuple(done), sending.files, sending.bytes)


class _Sending:
    """One copy on its way."""

    def __init__(
        self, store: Store, place: Place, there: Catalogue, damaged: Set[str], progress: Progress
    ) -> None:
        self._store = store
        self._place = place
        self._there = there
        self._damaged = frozenset() if place.append_only else damaged
        self._progress = progress
        self._passed = 0
        self._total = 0
        self.files = 0
        self.bytes = 0

    def send(self, made: Manifest) -> None:
        folder = self._store.set_folder(made.id)
        self._passed, self._total = 0, made.bytes
        for entry in lists.distinct(folder, made):
            found = self._there.find(entry.name)
            if found is None or found.bytes != entry.bytes or entry.name in self._damaged:
                path = self._store.object_path(entry.name)
                self._file(object_name(entry.name), path, entry)
                self._there.replace(entry)
            self._tell(entry.bytes)
        home = f"{SETS}/{made.id}"
        for part in made.parts:
            entry = Object(part.name, part.bytes, part.sha256)
            self._missing(f"{home}/{part.name}", folder / part.name, entry)
            self._tell(part.bytes)
        for name in (DRILL, manifest.SIGNATURE, manifest.NAME):
            if (folder / name).is_file():
                entry = Object(name, *archive.hash_file(folder / name))
                self._missing(f"{home}/{name}", folder / name, entry)

    def journal(self) -> None:
        """Keep the journal of confirmations there too; where nothing may be changed, each state of it."""
        path = self._store.confirmations
        if not path.is_file():
            return
        content = path.read_bytes()
        entry = Object(CONFIRMATIONS, len(content), hashlib.sha256(content).hexdigest())
        name = CONFIRMATIONS
        if self._place.append_only:
            name = f"{path.stem}-{entry.sha256[:16]}{path.suffix}"
        if self._place.size(name) != entry.bytes:
            self._file(name, path, entry)

    def _missing(self, name: str, path: Path, entry: Object) -> None:
        if self._place.size(name) != entry.bytes or name in self._damaged:
            self._file(name, path, entry)

    def _file(self, name: str, path: Path, entry: Object) -> None:
        with path.open("rb") as source:
            self._place.write(name, Passing(_Naming(source, path), entry), entry.bytes)
        self.files += 1
        self.bytes += entry.bytes

    def _tell(self, size: int) -> None:
        self._passed += size
        self._progress(Stage.FILES, self._passed, self._total)


class _Naming:
    """A file whose failures name the disk here, not the place there."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path

    def read(self, size: int = -1, /) -> bytes:
        with disk.naming_the_cause(self._path):
            return self._file.read(size)


# Reading back


def verify(
    place: Place, set_id: str, trust: Trust, scratch: Path, *, progress: Progress = silent
) -> Found:
    """Read every sealed byte of a backup back from the place and compare with its signed manifest.

    Damage is a finding, not an error; raises Missing when the place goes away meanwhile.
    """
    with lock.workspace(scratch, "place") as folder:
        looking = _Looking(place, folder, progress)
        try:
            made = load(place, set_id, trust, folder)
        except DaftarError as error:
            if not is_damage(error):
                raise
            looking.note(f"{SETS}/{set_id}/{manifest.NAME}", error.message)
        else:
            looking.all_of(made)
    return Found(set_id, tuple(looking.problems), tuple(looking.damaged), looking.bytes)


def load(place: Place, set_id: str, trust: Trust | None, folder: Path) -> Manifest:
    """Bring a manifest and its signature from the place into a folder, and read it."""
    manifest.must_be_id(set_id)
    for name in (manifest.NAME, manifest.SIGNATURE):
        with place.read(f"{SETS}/{set_id}/{name}") as source:
            content = _whole(source)
        with disk.naming_the_cause(folder):
            disk.write_new(folder / name, content)
    content = (folder / manifest.NAME).read_bytes()
    signature = (folder / manifest.SIGNATURE).read_bytes()
    if trust is not None and not trust.believes(signature, content):
        raise Broken(
            _(
                "The signature of the backup %(id)s at the place “%(name)s” is wrong.",
                id=set_id,
                name=place.name,
            ),
            code="bad_signature",
        )
    return manifest.read(content, set_id)


def _whole(source: Reader) -> bytes:
    pieces, left = [], _MOST_MANIFEST
    while left > 0 and (data := source.read(min(left, disk.BLOCK))):
        pieces.append(data)
        left -= len(data)
    return b"".join(pieces)


def is_damage(error: DaftarError) -> bool:
    """Return whether the error says that a copy is wrong, and not that the place is away."""
    return isinstance(error, Broken) or error.code == "not_there"


class _Looking:
    """One set being read back."""

    def __init__(self, place: Place, folder: Path, progress: Progress) -> None:
        self._place = place
        self._folder = folder
        self._progress = progress
        self.problems: list[str] = []
        self.damaged: list[str] = []
        self.bytes = 0

    def note(self, name: str, problem: str) -> None:
        self.problems.append(problem)
        self.damaged.append(name)

    def all_of(self, made: Manifest) -> None:
        for part in made.parts:
            name = f"{SETS}/{made.id}/{part.name}"
            target = self._folder / part.name if part.name in manifest.LISTS else None
            entry = Object(part.name, part.bytes, part.sha256)
            self._one(name, name, entry, made.bytes, target)
        try:
            for entry in lists.distinct(self._folder, made):
                self._one(object_name(entry.name), entry.name, entry, made.bytes, None)
        except Broken as error:
            if not self.problems:  # a list that was changed was found among the parts already
                self.note(manifest.OBJECTS, error.message)

    def _one(self, name: str, called: str, entry: Object, total: int, target: Path | None) -> None:
        try:
            take(self._place, name, entry, target)
        except DaftarError as error:
            if not is_damage(error):
                raise
            self.note(called, error.message)
        else:
            self.bytes += entry.bytes
        self._progress(Stage.STORE, self.bytes, total)


def take(place: Place, name: str, entry: Object, target: Path | None) -> None:
    """Read a file at the place, into a new one here or nowhere, and compare."""
    with place.read(name) as source:
        passing = Passing(source, entry)
        if target is None:
            while passing.read(disk.BLOCK):
                pass
            return
        with disk.naming_the_cause(target.parent), disk.create(target) as file:
            while block := passing.read(disk.BLOCK):
                file.write(block)
            disk.sync_file(file)


# Clearing out


def clear(place: Place, remove: Sequence[str], trust: Trust, scratch: Path) -> int:
    """Remove these backups from the place, and the objects that nothing there refers to any more.

    The manifest goes first, so that no half set shows. While one of the others cannot be read nobody
    knows what it refers to, and all objects stay. Returns how many bytes were freed.
    """
    freed = 0
    for set_id in remove:
        home = f"{SETS}/{set_id}"
        names = [f"{home}/{manifest.NAME}", *(each.name for each in place.entries(home))]
        for name in dict.fromkeys(names):
            freed += place.size(name) or 0
            place.remove(name)
    if not remove:
        return 0
    with _referenced(place, trust, scratch) as referenced:
        if referenced is None:
            return freed
        for each in list(place.entries(OBJECTS)):
            name = each.name.rpartition("/")[2]
            if manifest.is_object(name) and referenced.find(name) is None:
                place.remove(each.name)
                freed += each.bytes
    return freed


@contextmanager
def _referenced(place: Place, trust: Trust, scratch: Path) -> Iterator[Catalogue | None]:
    with closing(Catalogue()) as known:
        try:
            for set_id in set_ids(place):
                with lock.workspace(scratch, "place") as folder:
                    made = load(place, set_id, trust, folder)
                    for name in manifest.LISTS:
                        if made.has_part(name):
                            part = made.part(name)
                            entry = Object(name, part.bytes, part.sha256)
                            take(place, f"{SETS}/{set_id}/{name}", entry, folder / name)
                    known.learn(lists.objects(folder, made))
        except DaftarError as error:
            if not is_damage(error):
                raise
            yield None
            return
        yield known
