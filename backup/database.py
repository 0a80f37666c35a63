"""The database in chunks: sealed piece by piece as objects, and joined again in their order.

Yesterday's chunks are found again by their content, so that a day stores what changed on it. All
chunks are compressed by one dictionary, without which small pieces would weigh half as much again.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from backup import archive, chunks, disk, lists, manifest
from backup.catalogue import Use
from backup.lists import Chunk
from backup.manifest import Dictionary, Manifest, Part
from backup.objects import Found, Objects
from backup.store import Store
from server.core.errors import Broken, Missing

WORKERS = 2
AHEAD = 32  # chunks in the air: enough for every worker, little memory
REFRESH = 4  # a database so many times larger has other words in it

Cut = Callable[[disk.Reader, int], Iterator[bytes]]


@dataclass(frozen=True)
class Words:
    """The dictionary of the chunks: its bytes, and the object that a restore needs."""

    content: bytes
    facts: Dictionary

    @property
    def space(self) -> str:
        """Return what the names of the chunks are bound to."""
        return self.facts.object.name


class _Presses(threading.local):
    """One press for each thread."""

    def __init__(self, dictionary: bytes) -> None:
        self.press = archive.Press(dictionary)


@dataclass(frozen=True)
class _Turn:
    """A chunk on its way: its hash and size, where it belongs, and its sealed form once that is made."""

    sha256: str
    bytes: int
    found: Found
    sealed: Future[archive.SealedBytes] | None


class Sealing:
    """Seals the chunks of one database and writes the list of them."""

    def __init__(self, objects: Objects, words: Words, tell: Callable[[int], None]) -> None:
        self._objects = objects
        self._words = words
        self._presses = _Presses(words.content)
        self._tell = tell
        self._air: deque[_Turn] = deque()
        self._flying: set[str] = set()

    def seal(self, source: disk.Reader, cut: Cut, size: int, path: Path) -> Part:
        """Seal all that can be read; `path` becomes the list of chunks."""
        plain = archive.Hashing(source=source, tell=self._tell)
        with disk.create(path) as file, ThreadPoolExecutor(WORKERS) as pool:
            listed = archive.Hashing(target=file)
            for chunk in cut(plain, size):
                self._take_off(chunk, pool)
                while len(self._air) > AHEAD:
                    self._land(listed)
            while self._air:
                self._land(listed)
            disk.sync_file(file)
        return Part(path.name, listed.bytes, listed.sha256, plain.bytes, plain.sha256)

    def _take_off(self, chunk: bytes, pool: ThreadPoolExecutor) -> None:
        sha256 = hashlib.sha256(chunk).hexdigest()
        found = self._objects.find(sha256, self._words.space)
        sealed = None
        if found.object is None and sha256 not in self._flying:
            sealed = pool.submit(self._seal, chunk)
            self._flying.add(sha256)
        self._air.append(_Turn(sha256, len(chunk), found, sealed))

    def _seal(self, chunk: bytes) -> archive.SealedBytes:
        return self._presses.press.seal(chunk, self._objects.recipients)

    def _land(self, listed: disk.Writer) -> None:
        turn = self._air.popleft()
        entry = turn.found.object
        if turn.sealed is not None:
            self._flying.discard(turn.sha256)
            entry = self._objects.put(turn.found.name, turn.sealed.result())
        elif entry is None:  # its twin was in the air and has landed
            entry = self._objects.find(turn.sha256, self._words.space).object
        if entry is None:
            raise AssertionError("a chunk that was there is gone while the place is held")
        self._objects.use(entry, Use.DATABASE)
        listed.write(Chunk(entry, turn.bytes).written())


def words_for(
    objects: Objects, kept: Path, earlier: Dictionary | None, total: int, sample: bytes
) -> Words:
    """Return the dictionary to use: that of the backup before while it fits, else a new one.

    `kept` is its plain copy on the server's own disk, beside the database it comes from.
    """
    if earlier is not None and total <= REFRESH * earlier.made_for and kept.is_file():
        content = kept.read_bytes()
        found = objects.find(hashlib.sha256(content).hexdigest())
        if found.object == earlier.object:
            objects.use(earlier.object, Use.DATABASE)
            return Words(content, earlier)
    found = objects.find(hashlib.sha256(sample).hexdigest())
    entry = found.object or objects.put(
        found.name, archive.Press().seal(sample, objects.recipients)
    )
    objects.use(entry, Use.DATABASE)
    disk.replace(kept, sample)
    return Words(sample, Dictionary(entry, total))


class Joining:
    """Opens the chunks of one backup in their order."""

    def __init__(
        self, store: Store, made: Manifest, identities: Sequence[archive.Identity]
    ) -> None:
        self._store = store
        self._made = made
        self._identities = identities
        self._presses: _Presses | None = None

    def join(self, target: disk.Writer, problem: Callable[[str, Broken], None]) -> bool:
        """Write the whole database; return whether it is what was sealed.

        Raises Missing when no key fits. What is damaged is told to `problem`, chunk by chunk.
        """
        plain = archive.Hashing(target=target)
        try:
            self._presses = _Presses(self._dictionary())
            whole = self._chunks(plain, problem)
        except Broken as error:
            problem(manifest.CHUNKS, error)
            return False
        part = self._made.part(manifest.CHUNKS)
        if whole and (plain.bytes, plain.sha256) != (part.plain_bytes, part.plain_sha256):
            problem(manifest.CHUNKS, _damaged(archive.differs(manifest.CHUNKS)))
            return False
        return whole

    def _chunks(self, plain: disk.Writer, problem: Callable[[str, Broken], None]) -> bool:
        folder = self._store.set_folder(self._made.id)
        air: deque[tuple[Chunk, Future[bytes]]] = deque()
        whole = True
        with ThreadPoolExecutor(WORKERS) as pool:
            for chunk in lists.chunks(folder, self._made):
                air.append((chunk, pool.submit(self._open, chunk)))
                if len(air) > AHEAD:
                    whole &= _landed(*air.popleft(), plain, problem)
            while air:
                whole &= _landed(*air.popleft(), plain, problem)
        return whole

    def _open(self, chunk: Chunk) -> bytes:
        if self._presses is None:
            raise AssertionError("the dictionary comes first")
        return self._opened(self._presses.press, chunk.object, chunk.plain_bytes)

    def _dictionary(self) -> bytes:
        facts = self._made.database.dictionary
        if facts is None:
            return b""
        return self._opened(archive.Press(), facts.object, chunks.DICTIONARY)

    def _opened(self, press: archive.Press, entry: manifest.Object, most: int) -> bytes:
        try:
            sealed = self._store.object_path(entry.name).read_bytes()
        except FileNotFoundError as error:
            raise _damaged(archive.missing(entry.name)) from error
        if (len(sealed), hashlib.sha256(sealed).hexdigest()) != (entry.bytes, entry.sha256):
            raise _damaged(archive.differs(entry.name))
        return press.open(sealed, most, entry.name, self._identities)


def _landed(
    chunk: Chunk,
    opened: Future[bytes],
    plain: disk.Writer,
    problem: Callable[[str, Broken], None],
) -> bool:
    try:
        plain.write(opened.result())
    except Missing:
        raise
    except Broken as error:
        problem(chunk.object.name, error)
        return False
    return True


def _damaged(sentence: str) -> Broken:
    return Broken(sentence, code="damaged")
