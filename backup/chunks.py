"""Cutting a database into chunks, so that tomorrow's backup stores only those that changed.

SQLite keeps its pages where they are, so its file is cut at fixed places. A dump of PostgreSQL moves
with every row that comes or goes, so it is cut where its own lines say.
"""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from backup.disk import BLOCK, Reader

SMALLEST = 1 << 17  # smaller ones grow less a day, but each is a file to seal, sync and open
MOST = 1 << 14  # chunks of one database, before they are made larger
SAMPLE = 1 << 12
DICTIONARY = 1 << 19  # measured: four times of it gains nothing, a quarter of it costs 15 %
AHEAD = 1 << 24
_LOOK = 16  # bytes after a line feed that decide whether a chunk ends there
_RARE = 15


def chunk_bytes(total: int) -> int:
    """Return the size of a chunk of a database of so many bytes, a power of two from 128 KiB."""
    size = SMALLEST
    while total > size * MOST:
        size *= 2
    return size


def pages(source: Reader, size: int) -> Iterator[bytes]:
    """Cut at every multiple of the size."""
    while chunk := _filled(source, size):
        yield chunk


def lines(source: Reader, size: int) -> Iterator[bytes]:
    """Cut after about so many bytes, at a line feed that the bytes behind it choose.

    A row that is added moves all that follows, but the same line feeds are chosen again, so that a
    few chunks later the cuts are where they were.
    """
    held = bytearray()
    ended = False
    while True:
        while not ended and len(held) < 2 * size + _LOOK:
            data = source.read(BLOCK)
            held += data
            ended = not data
        if not held:
            return
        end = _cut(held, size)
        yield bytes(held[:end])
        del held[:end]


def _cut(held: bytearray, size: int) -> int:
    at = held.find(b"\n", size * 3 // 4, 2 * size)
    while at >= 0:
        if zlib.crc32(held[at + 1 : at + 1 + _LOOK]) & _RARE == 0:
            return at + 1
        at = held.find(b"\n", at + 1, 2 * size)
    return min(len(held), 2 * size)


def _filled(source: Reader, size: int) -> bytes:
    """Return so many bytes, fewer at the end only."""
    pieces = []
    while size and (data := source.read(size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


def sample(path: Path) -> bytes:
    """Return slices from all over a file, for a dictionary to compress its chunks by."""
    total = path.stat().st_size
    with path.open("rb") as file:
        return b"".join(_slice(file, at) for at in _places(total))


def _slice(file: IO[bytes], at: int) -> bytes:
    file.seek(at)
    return file.read(SAMPLE)


def _places(total: int) -> range:
    step = max(SAMPLE, total // (DICTIONARY // SAMPLE) // SAMPLE * SAMPLE)
    return range(0, min(total, step * (DICTIONARY // SAMPLE)), step)


class Ahead:
    """A reader that has read the beginning already, for a dictionary when nothing can be sought."""

    def __init__(self, source: Reader) -> None:
        head = _filled(source, AHEAD)
        self.dictionary = b"".join(head[at : at + SAMPLE] for at in _places(len(head)))
        self._head = io.BytesIO(head)
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        """Return what was read ahead, then the rest."""
        return self._head.read(size) or self._source.read(size)
