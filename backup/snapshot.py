"""One consistent moment of a database while people keep working. SQLite here; PostgreSQL beside."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from backup import digest, disk
from backup.counting import Counting
from backup.digest import TableDigest
from backup.plan import Progress, Stage
from server.core import clock
from server.core.errors import Broken, DaftarError, Missing
from server.core.i18n import gettext as _

PAGES = 2048  # 8 MB a step with SQLite's usual page: progress is seen, and no step is long

Open = Callable[[], AbstractContextManager[disk.Reader]]


@dataclass(frozen=True)
class Snapshot:
    """A database at one moment: what it holds and how to read it as one stream.

    `tables` may wait for the count. `copy` is the file at rest where there is one.
    """

    engine: str
    engine_version: str
    part: str
    file: str
    taken_at: datetime
    algorithm: str
    tables: Callable[[], tuple[TableDigest, ...]]
    bytes: int
    open: Open
    copy: Path | None = None


def is_sqlite(url: str) -> bool:
    """Return whether the URL names a SQLite file."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_path(url: str) -> Path:
    """Return the file that a SQLite URL names."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise Missing(_("A database in memory cannot be backed up."), code="no_database")
    return Path(name)


@contextmanager
def sqlite(url: str, workspace: Path, progress: Progress) -> Iterator[Snapshot]:
    """Copy the live database into the workspace and describe the copy."""
    live = sqlite_path(url)
    copy = workspace / "snapshot.sqlite3"
    disk.require_room(workspace, live.stat().st_size if live.is_file() else 0)
    taken_at = clock.now()
    _copy(live, copy, progress)
    counting = Counting(copy)

    def tables() -> tuple[TableDigest, ...]:
        return _counted(counting, live, copy, progress)

    try:
        early = None if counting.goes_on else tables()
        yield Snapshot(
            engine="sqlite",
            engine_version=sqlite3.sqlite_version,
            part="database.sqlite.zst.age",
            file=live.name,
            taken_at=taken_at,
            algorithm=digest.SQLITE,
            tables=lambda: early or tables(),
            bytes=copy.stat().st_size,
            open=lambda: copy.open("rb"),
            copy=copy,
        )
    finally:
        counting.stop()
        copy.unlink(missing_ok=True)


def _counted(
    counting: Counting, live: Path, copy: Path, progress: Progress
) -> tuple[TableDigest, ...]:
    try:
        return counting.tables(lambda done, total: progress(Stage.COUNT, done, total))
    except sqlite3.Error as error:
        raise sqlite_failure(error, live, copy) from error


def _copy(live: Path, copy: Path, progress: Progress) -> None:
    """Copy page by page inside one read transaction.

    Outside of one every change by a writer would start the copy again, for ever.
    """
    if not live.is_file():
        raise Missing(_("There is no database at %(path)s.", path=live), code="no_database")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{live.absolute().as_uri()}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.isolation_level = None
            target.isolation_level = None
            target.execute("PRAGMA synchronous = OFF")
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
            source.backup(
                target,
                pages=PAGES,
                progress=lambda _status, left, total: progress(Stage.SNAPSHOT, total - left, total),
            )
            source.execute("ROLLBACK")
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise sqlite_failure(error, live, copy) from error
    with disk.naming_the_cause(copy.parent), copy.open("rb+") as file:
        disk.sync_file(file)


def sqlite_failure(error: sqlite3.Error, live: Path, copy: Path) -> DaftarError:
    """Return our error for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return disk.disk_full(copy.parent)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return Broken(
            _(
                "The database %(path)s is damaged: %(reason)s. Restore the last good backup.",
                path=live,
                reason=error,
            ),
            code="database_damaged",
        )
    return Missing(
        _("The database %(path)s cannot be read: %(reason)s.", path=live, reason=error),
        code="database_unreadable",
    )
