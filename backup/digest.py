"""Row counts and content checksums per table, the same before a backup and after a restore.

`sqlite-columns-1`: SHA-256 over the rows in the order of the rowid (or the primary key of a table
without one), 2,000 at a time. Of each such group every column is hashed in turn: one byte per row for
the kind of its value (0 NULL, 1 text or blob, 2 integer, 3 real), then the lengths of the texts and
blobs as unsigned and the integers as signed 64-bit numbers, the reals as IEEE 754 doubles, all
little-endian, then the bytes of the texts and blobs. Virtual tables are left out, the tables that
hold their content are not.
"""

import hashlib
import sqlite3
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SQLITE = "sqlite-columns-1"
ROWS = 2000

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class TableDigest:
    """How many rows a table has and the checksum of their content."""

    name: str
    rows: int
    sha256: str


def quiet(done: int, total: int) -> None:
    """Report progress to nobody."""


def open_copy(path: Path) -> sqlite3.Connection:
    """Open a database file at rest for reading; texts come as their bytes, whatever they are."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.isolation_level = None
    connection.text_factory = bytes
    return connection


def sqlite_tables(path: Path, tell: Tell = quiet) -> tuple[TableDigest, ...]:
    """Count and digest every table of a SQLite file."""
    with closing(open_copy(path)) as connection:
        names = _sqlite_names(connection)
        found = []
        for done, (name, without_rowid) in enumerate(names):
            tell(done, len(names))
            found.append(_sqlite_digest(connection, name, without_rowid=without_rowid))
        tell(len(names), len(names))
    return tuple(found)


def _sqlite_names(connection: sqlite3.Connection) -> list[tuple[str, bool]]:
    rows = connection.execute(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main'"
        " AND type IN ('table', 'shadow') AND name <> 'sqlite_schema' ORDER BY name"
    )
    return [(name.decode(), bool(without_rowid)) for name, without_rowid in rows]


def _sqlite_digest(
    connection: sqlite3.Connection, name: str, *, without_rowid: bool
) -> TableDigest:
    table = _quoted(name)
    order = _sqlite_order(connection, name, without_rowid=without_rowid)
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608 - quoted
    digest = hashlib.sha256()
    count = 0
    while rows := cursor.fetchmany(ROWS):
        count += len(rows)
        for column in zip(*rows, strict=True):
            for piece in _column(column):
                digest.update(piece)
    return TableDigest(name, count, digest.hexdigest())


_KINDS: dict[type, int] = {type(None): 0, bytes: 1, int: 2, float: 3}


def _column(values: Sequence[object]) -> Iterator[bytes]:
    """Return one column of a group of rows as bytes, as the head of this file says."""
    kinds = bytes(_KINDS[type(value)] for value in values)
    yield kinds
    texts = [value for value in values if isinstance(value, bytes)]
    yield _little("Q", map(len, texts))
    yield _little("q", (value for value in values if isinstance(value, int)))
    yield _little("d", (value for value in values if isinstance(value, float)))
    yield b"".join(texts)


def _little(code: Literal["Q", "q", "d"], numbers: Iterable[float]) -> bytes:
    made = array(code, numbers)
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sqlite_order(connection: sqlite3.Connection, name: str, *, without_rowid: bool) -> str:
    rows = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (name,))
    columns = [(column.decode(), place) for column, place in rows]
    if without_rowid:
        keys = sorted((place, column) for column, place in columns if place)
        return ", ".join(_quoted(column) for _, column in keys)
    taken = {column.lower() for column, _ in columns}
    return next(alias for alias in ("rowid", "_rowid_", "oid", "1") if alias not in taken)
