"""Restoring an authority: in the place of the live database, which is kept, or as a home elsewhere.

A restored database has forgotten what happened since. `_prepare` makes room for that, so that honest
customers go on: their nonces name themselves (activations/nonces.py), and the next serial of each
licence lies above those that were forgotten.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import update

from backup import disk, keys, lock, postgresql, restore, snapshot, switch
from backup.keys import Role
from backup.plan import Progress, silent
from backup.restore import Access, Report
from backup.store import Store
from backup.switch import Live, Names
from licensing.authority.audit.service import note
from licensing.authority.backups import estate
from licensing.authority.config import FILE, Settings, load_settings
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.migrations.run import CHAIN
from server.core import clock
from server.core.db import Database
from server.core.errors import Missing, NotFound
from server.core.i18n import gettext as _

KEPT = "before-restore"
LOCK = "serve.lock"
ADMIN_DATABASE = "postgres"
SQLITE_FILE = "authority.sqlite3"
# More documents than anybody signs for one licence between two backups.
FORGOTTEN_SERIALS = 64

_URL = re.compile(r"^url = .*$", re.MULTILINE)


@dataclass(frozen=True)
class Wanted:
    """What to bring back, from where, with whose keys, for whom."""

    store: Store
    set_name: str
    access: Access
    operator: str
    database_url: str | None = None
    progress: Progress = silent


@dataclass(frozen=True)
class Restored:
    """What was brought back, and where the data before is kept."""

    report: Report
    home: Path
    kept: Path | None
    put_back: tuple[str, ...] = ()


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Hold a place beside other serving programs; raise Conflict while a backup is brought back."""
    with _turn(settings, _("A backup is being restored at this moment."), shared=True):
        yield


@contextmanager
def stopped(settings: Settings) -> Iterator[None]:
    """Hold off every serving program of this home; raise Conflict, with the way out, while one runs."""
    refusal = _(
        "The authority is serving, and its database cannot be exchanged under it. "
        "Stop every “daftar-authority serve” first, then repeat the command."
    )
    with _turn(settings, refusal, shared=False):
        yield


@contextmanager
def _turn(settings: Settings, refusal: str, *, shared: bool) -> Iterator[None]:
    folder = settings.home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with lock.held(folder / LOCK, refusal=refusal, shared=shared):
        yield


def in_place(settings: Settings, wanted: Wanted) -> Restored:
    """Put a backup in the place of the live database, whole or not at all; what was there is kept."""
    with stopped(settings):
        _end_killed_switches(settings)
        stamp = clock.rfc3339(clock.now()).replace(":", "")
        keep = settings.home / KEPT / stamp
        if snapshot.is_sqlite(settings.database_url):
            report = _restored(wanted, keep / "restored", None)
            live = Live(snapshot.sqlite_path(settings.database_url), _no_files(settings))
            switch.switch_in(report, live, keep)
        else:
            report = _exchange_postgresql(settings, wanted, keep)
        put_back = tuple(_put_back_missing(keep / "restored" / "secrets", settings.home))
    return Restored(report, settings.home, keep, put_back)


def _no_files(settings: Settings) -> Path:
    # The authority has no attachments; a switch moves an empty folder.
    return settings.home / "run" / "files"


def _exchange_postgresql(settings: Settings, wanted: Wanted, keep: Path) -> Report:
    live = postgresql.database_name(settings.database_url)
    stamp = clock.now().strftime("%Y%m%d%H%M%S")
    names = Names(live, f"{live}_restored_{stamp}", f"{live}_before_{stamp}")
    admin = postgresql.with_database(settings.database_url, ADMIN_DATABASE)
    url = postgresql.create_database(settings.database_url, names.restored)
    try:
        report = _restored(wanted, keep / "restored", url)
    except BaseException:
        postgresql.drop_database(admin, names.restored)
        raise
    files = _no_files(settings)
    switch.switch_in_postgresql(report, files, keep, names=names, admin_url=admin)
    return report


def _restored(wanted: Wanted, into: Path, database_url: str | None) -> Report:
    """Restore into a new folder and make the database ready for the present."""
    into.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    report = restore.restore(
        wanted.store,
        wanted.set_name,
        into,
        access=wanted.access,
        database_url=database_url,
        progress=wanted.progress,
    )
    if report.database_url is not None:
        _bring_up_to_date(report)
        _prepare(report, wanted.operator)
    return report


def _bring_up_to_date(report: Report) -> None:
    url = report.database_url or ""
    if CHAIN.current(url) == CHAIN.head():
        return
    try:
        CHAIN.upgrade(url)
    except CommandError as error:
        raise Missing(
            _(
                "The backup was made by release %(version)s, which is newer than this one."
                " Install that release first.",
                version=report.manifest.product_version,
            ),
            code="unknown_revision",
        ) from error


def _prepare(report: Report, operator: str) -> None:
    """Leave room for what the database has forgotten, and note the restore in its trail."""
    url = report.database_url or ""
    database = Database(url)
    try:
        with database.write() as session:
            session.execute(
                update(LicenseRecord)
                .where(LicenseRecord.serial > 0)
                .values(serial_floor=LicenseRecord.serial + FORGOTTEN_SERIALS)
                .execution_options(synchronize_session=False)
            )
            made_at = clock.rfc3339(report.manifest.created_at)
            note(session, operator, "backup.restore", report.manifest.id, {"made_at": made_at})
    finally:
        database.dispose()
    if snapshot.is_sqlite(url):
        with closing(sqlite3.connect(report.database)) as connection:
            # All into the one file: what stands beside it would be left behind when it is moved.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode = DELETE")


def _put_back_missing(restored: Path, home: Path) -> Iterator[str]:
    """Copy the keys and settings that the home lacks; those it has are newer and stay."""
    for path in sorted(restored.rglob("*")):
        name = path.relative_to(restored)
        target = home / name
        if path.is_file() and not target.exists():
            with disk.naming_the_cause(target):
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                disk.replace(target, path.read_bytes())
            yield name.as_posix()


def _end_killed_switches(settings: Settings) -> None:
    """End what a killed restore began, so that the live database is whole one way or the other."""
    for record in sorted((settings.home / KEPT).glob(f"*/{switch.RECORD}")):
        switch.recover(record.parent, _admin_url(settings))


def undo(settings: Settings) -> Path:
    """Put back the database that the last restore in place had kept; return where it was."""
    with stopped(settings):
        _end_killed_switches(settings)
        done = [
            path.parent
            for path in sorted((settings.home / KEPT).glob(f"*/{switch.RECORD}"))
            if switch.read(path.parent).phase is switch.Phase.SWITCHED
        ]
        if not done:
            raise NotFound(
                _("No restore was made in place here, so there is nothing to undo."),
                code="no_switch",
            )
        switch.undo(done[-1], _admin_url(settings))
    return done[-1]


def _admin_url(settings: Settings) -> str | None:
    if snapshot.is_sqlite(settings.database_url):
        return None
    return postgresql.with_database(settings.database_url, ADMIN_DATABASE)


def elsewhere(wanted: Wanted, into: Path) -> Restored:
    """Restore a backup as a home of its own, which `daftar-authority --home` can serve."""
    made = wanted.store.load(wanted.set_name, wanted.access.trust).manifest
    if made.database.engine == "postgresql" and wanted.database_url is None:
        raise Missing(
            _("This backup is one of PostgreSQL. Name an empty database with --database."),
            code="no_database",
        )
    with restore.new_folder(into) as part:
        report = _restored(wanted, part / "restored", wanted.database_url)
        _furnish(part, report, wanted.database_url)
        if any(each.role is Role.DRILL for each in made.recipients):
            keys.renew_drill_key(estate.keys_folder(load_settings(part)))
    return Restored(report, into, None)


def _furnish(home: Path, report: Report, url: str | None) -> None:
    """Turn the folder of a restored backup into a home: settings, keys, database."""
    for path in sorted(report.secrets.iterdir()):
        path.rename(home / path.name)
    if url is None:
        (home / "db").mkdir(mode=0o700)
        report.database.rename(home / "db" / SQLITE_FILE)
    shutil.rmtree(report.folder)
    told = (home / FILE).read_text("utf8")
    head, section, rest = told.partition("[database]\n")
    disk.replace(home / FILE, f"{head}{section}{_URL.sub(_line(url), rest, count=1)}".encode())
    Store.create(load_settings(home).backups_dir)


def _line(url: str | None) -> str:
    quoted = (url or "").replace("\\", "\\\\").replace('"', '\\"')
    # Twice, because a replacement reads backslashes as well.
    return 'url = "{}"'.format(quoted.replace("\\", "\\\\"))
