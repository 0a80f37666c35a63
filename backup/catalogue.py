"""Which sealed objects are known, kept on disk, so that memory stays small however many there are."""

import sqlite3
from collections.abc import Iterable, Iterator
from enum import IntEnum

from backup.manifest import Object

_CACHE_KIB = 8_192


class Use(IntEnum):
    """For what a set refers to an object."""

    FILE = 1
    DATABASE = 2


class Catalogue:
    """Objects by name, some of them marked as used. It lives in a file of its own that nobody sees."""

    def __init__(self) -> None:
        # An empty name is a private file of SQLite's that goes with the connection.
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute(
            "CREATE TABLE objects (name BLOB PRIMARY KEY, bytes INTEGER NOT NULL,"
            " sha256 BLOB NOT NULL, used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID"
        )
        self._rows.execute("BEGIN")

    def learn(self, entries: Iterable[Object]) -> None:
        """Add objects; what was learnt first stays."""
        self._rows.executemany(
            "INSERT OR IGNORE INTO objects (name, bytes, sha256) VALUES (?, ?, ?)",
            ((_raw(each.name), each.bytes, _raw(each.sha256)) for each in entries),
        )

    def replace(self, entry: Object) -> None:
        """Add one object in place of what was learnt before."""
        values = (_raw(entry.name), entry.bytes, _raw(entry.sha256))
        self._rows.execute(
            "INSERT OR REPLACE INTO objects (name, bytes, sha256) VALUES (?, ?, ?)", values
        )

    def find(self, name: str) -> Object | None:
        """Return the object of this name, None when it is not known."""
        row = self._rows.execute(
            "SELECT bytes, sha256 FROM objects WHERE name = ?", (_raw(name),)
        ).fetchone()
        return None if row is None else Object(name, row[0], row[1].hex())

    def use(self, name: str, how: Use) -> bool:
        """Mark the object as one that the set refers to; return whether it was not yet."""
        done = self._rows.execute(
            "UPDATE objects SET used = ? WHERE name = ? AND used <> ?", (how, _raw(name), how)
        )
        return done.rowcount == 1

    def attachments(self) -> Iterator[Object]:
        """Return the objects used by attachments, in the order of their names."""
        rows = self._rows.execute(
            "SELECT name, bytes, sha256 FROM objects WHERE used = ? ORDER BY name", (Use.FILE,)
        )
        for name, size, sha256 in rows:
            yield Object(name.hex(), size, sha256.hex())

    def used(self) -> tuple[int, int]:
        """Return how many objects are used, and what they weigh."""
        row = self._rows.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM objects WHERE used <> 0"
        ).fetchone()
        return row[0], row[1]

    def unused(self) -> int:
        """Return how many objects were never marked."""
        found: int = self._rows.execute("SELECT count(*) FROM objects WHERE used = 0").fetchone()[0]
        return found

    def close(self) -> None:
        """Forget everything."""
        self._rows.close()


def _raw(name: str) -> bytes:
    return bytes.fromhex(name)
