"""Importing deals from a file into SQLite, beside the bare driver that inserts as many bare rows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.result import Beside, Result, at_least, at_most
from server.audit.service import watch
from server.core.actor import SYSTEM
from server.core.db import Database
from server.exchange import service
from server.exchange.service import FileStore, ImportKind, Run, Workshop
from server.migrations.run import upgrade

STANDARD = 8_800
PER_SECOND = 440  # 8,800 deals in 20 s
AGAIN_S = 20
HOLDER = "benchmark"
HEAD = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
STAGES = ("Won", "Lost", "Engaging", "Prospecting")
TABLE = f"CREATE TABLE deals (id INTEGER PRIMARY KEY, {HEAD.replace(',', ' TEXT, ')} TEXT)"


def run(size: float) -> list[Result]:
    """Import deals, then the same file again, and tell how many rows a second took."""
    rows = max(20, round(STANDARD * size))
    text = "\n".join([HEAD, *_lines(rows)])
    with TemporaryDirectory() as folder:
        bare = rows / _inserted(Path(folder) / "bare.sqlite3", text)
        with _workshop(Path(folder)) as workshop:
            first, again = (_imported(workshop, text) for _time in range(2))
    beside = Beside("executemany of Python's sqlite3", round(bare), "rows/s")
    return [
        at_least("import of deals", rows / first, "rows/s", goal=PER_SECOND, beside=beside),
        at_most("import of the same deals again", again, "s", goal=AGAIN_S),
    ]


def _lines(rows: int) -> Iterator[str]:
    for number in range(rows):
        month, day = number % 12 + 1, number % 28 + 1
        yield (
            f"B{number:06},Former {number % 30},Product {number % 7},Company {number % 85},"
            f"{STAGES[number % 4]},2026-{month:02}-{day:02},2027-{month:02}-{day:02},{number}"
        )


@contextmanager
def _workshop(folder: Path) -> Iterator[Workshop]:
    url = f"sqlite:///{folder / 'daftar.sqlite3'}"
    upgrade(url)
    database = Database(url)
    watch(database)
    yield Workshop(database, FileStore(folder / "files"), "USD")
    database.dispose()


def _imported(workshop: Workshop, text: str) -> float:
    """Import the file as the command line does; return the seconds, reading it included."""
    begun = time.perf_counter()
    seen = service.look_at_file(workshop.files, BytesIO(text.encode()))
    mapping = service.recognised(ImportKind.DEALS, seen[1].headers)
    with workshop.database.write(SYSTEM) as session:
        made = service.add_import(
            session, SYSTEM, ImportKind.DEALS, "deals.csv", seen, replace(mapping, currency="USD")
        )
        service.start_run(session, SYSTEM, made.id, HOLDER)
    Run(workshop, SYSTEM, made.id, HOLDER).work()
    return time.perf_counter() - begun


def _inserted(path: Path, text: str) -> float:
    """Insert the bare cells of the file in one transaction; return the seconds."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(TABLE)
    begun = time.perf_counter()
    rows = [line.split(",") for line in text.splitlines()[1:]]
    connection.execute("BEGIN IMMEDIATE")
    places = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO deals ({HEAD}) VALUES ({places})", rows)  # noqa: S608 - ours
    connection.execute("COMMIT")
    seconds = time.perf_counter() - begun
    connection.close()
    return seconds
