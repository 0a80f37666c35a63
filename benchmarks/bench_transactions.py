"""Small writing transactions through our own door, beside the bare driver on the same disk."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from benchmarks.result import Beside, Result, at_least
from server.core.db import Database

STANDARD = 2_000
PER_SECOND = 500
TABLE = "CREATE TABLE entries (id INTEGER PRIMARY KEY, words TEXT NOT NULL)"
INSERT = "INSERT INTO entries (words) VALUES ('Ten chairs for the Pars Trading office')"


def run(size: float) -> list[Result]:
    """Write one row per transaction, and tell how many a second took."""
    count = max(10, round(STANDARD * size))
    with TemporaryDirectory() as folder:
        ours = per_second(count, through_our_door(Path(folder) / "ours.sqlite3", count))
        bare = per_second(count, through_the_driver(Path(folder) / "bare.sqlite3", count))
    beside = Beside("sqlite3 of Python", round(bare), "transactions/s")
    return [
        at_least("write transactions", ours, "transactions/s", goal=PER_SECOND, beside=beside),
    ]


def per_second(count: int, work: Callable[[], None]) -> float:
    """Return how many of `count` the work did in a second."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def through_our_door(path: Path, count: int) -> Callable[[], None]:
    """Prepare a database of ours and return the work to measure."""
    database = Database(f"sqlite:///{path}")
    with database.write() as session:
        session.execute(text(TABLE))

    def work() -> None:
        for _ in range(count):
            with database.write() as session:
                session.execute(text(INSERT))
        database.dispose()

    return work


def through_the_driver(path: Path, count: int) -> Callable[[], None]:
    """Prepare a file with the same settings and return the same work without our door."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(TABLE)

    def work() -> None:
        for _ in range(count):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(INSERT)
            connection.execute("COMMIT")
        connection.close()

    return work
