"""Restoring an installation: in the place of the live data, which is kept, or as a home elsewhere.

The licence's folder is no part of it: in place it stays as it is, elsewhere a licence is activated anew.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from alembic.util import CommandError

from backup import disk, keys, postgresql, restore, snapshot, switch
from backup.keys import Role
from backup.plan import Progress, silent
from backup.restore import Access, Report
from backup.store import Store
from backup.switch import Live, Names
from installer.running import stopped
from installer.steps.toml import render_settings
from server.backups import estate
from server.core import clock
from server.core.config import DatabaseSettings, License, Paths, Settings, load_settings
from server.core.errors import Broken, Missing, NotFound
from server.core.i18n import gettext as _
from server.migrations.run import current, head, upgrade

KEPT = "before-restore"
ADMIN_DATABASE = "postgres"
SQLITE_FILE = "daftar.sqlite3"


@dataclass(frozen=True)
class Wanted:
    """What to bring back, from where, with whose keys. `database_url` names an empty PostgreSQL database."""

    store: Store
    set_name: str
    access: Access
    database_url: str | None = None
    progress: Progress = silent


@dataclass(frozen=True)
class Restored:
    """What was brought back, where it is, and where the data before is kept."""

    report: Report
    home: Path
    kept: Path | None
    put_back: tuple[str, ...] = ()


def in_place(settings: Settings, wanted: Wanted) -> Restored:
    """Put a backup in the place of the live data, whole or not at all; what was there is kept."""
    with stopped(settings):
        end_killed_switches(settings)
        keep = settings.data / KEPT / clock.rfc3339(clock.now()).replace(":", "")
        if snapshot.is_sqlite(settings.database_url):
            report = _restored(wanted, keep / "restored", None)
            database = snapshot.sqlite_path(settings.database_url)
            switch.switch_in(report, Live(database, settings.files), keep)
        else:
            report = _exchange_postgresql(settings, wanted, keep)
        put_back = tuple(_put_back_missing(keep / "restored" / "secrets", settings.home))
    return Restored(report, settings.home, keep, put_back)


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
    switch.switch_in_postgresql(report, settings.files, keep, names=names, admin_url=admin)
    return report


def _restored(wanted: Wanted, into: Path, database_url: str | None) -> Report:
    """Restore into a new folder and bring the database to the shape of this release."""
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
    return report


def _bring_up_to_date(report: Report) -> None:
    url = report.database_url or ""
    found = current(url)
    if found != head():
        try:
            upgrade(url)
        except CommandError as error:
            raise Missing(
                _(
                    "The backup was made by release %(version)s, which is newer than this one."
                    " Install that release first.",
                    version=report.manifest.product_version,
                ),
                code="unknown_revision",
            ) from error
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


def end_killed_switches(settings: Settings) -> None:
    """End what a killed restore began, so that the live data is whole one way or the other."""
    for record in sorted((settings.data / KEPT).glob(f"*/{switch.RECORD}")):
        switch.recover(record.parent, _admin_url(settings))


def undo(settings: Settings, kept: Path | None = None) -> Path:
    """Put back the data that the last restore in place had kept; return where it was."""
    with stopped(settings):
        end_killed_switches(settings)
        done = [
            path.parent
            for path in sorted((settings.data / KEPT).glob(f"*/{switch.RECORD}"))
            if switch.read(path.parent).phase is switch.Phase.SWITCHED
        ]
        if kept is None and not done:
            raise NotFound(
                _("No restore was made in place here, so there is nothing to undo."),
                code="no_switch",
            )
        folder = kept or done[-1]
        switch.undo(folder, _admin_url(settings))
    return folder


def _admin_url(settings: Settings) -> str | None:
    if snapshot.is_sqlite(settings.database_url):
        return None
    return postgresql.with_database(settings.database_url, ADMIN_DATABASE)


def elsewhere(settings: Settings | None, wanted: Wanted, into: Path) -> Restored:
    """Restore a backup as a home of its own, which `daftar --home` can work on."""
    made = wanted.store.load(wanted.set_name, wanted.access.trust).manifest
    with restore.new_folder(into) as part:
        url, made_here = wanted.database_url, False
        if made.database.engine == "postgresql" and url is None:
            url, made_here = _new_database(settings), True
        try:
            report = _restored(wanted, part / "data", url)
            _furnish(part, report, url)
        except BaseException:
            if made_here and url is not None:
                admin = postgresql.with_database(url, ADMIN_DATABASE)
                postgresql.drop_database(admin, postgresql.database_name(url))
            raise
        if any(each.role is Role.DRILL for each in made.recipients):
            keys.renew_drill_key(load_settings(part).backup_keys)
    data = into / "data"
    moved = replace(
        report,
        folder=data,
        database=data / "db" / (SQLITE_FILE if url is None else report.database.name),
        files=data / "files",
        secrets=into / "secrets",
        database_url=load_settings(into).database_url,
    )
    return Restored(moved, into, None)


def _new_database(settings: Settings | None) -> str:
    if settings is None or snapshot.is_sqlite(settings.database_url):
        raise Missing(
            _("This backup is one of PostgreSQL. Name an empty database with --database."),
            code="no_database",
        )
    stamp = clock.now().strftime("%Y%m%d%H%M%S")
    name = f"{postgresql.database_name(settings.database_url)}_restored_{stamp}"
    return postgresql.create_database(settings.database_url, name)


def _furnish(home: Path, report: Report, url: str | None) -> None:
    """Turn the folder of a restored backup into a home: settings, keys, and the usual folders."""
    for path in sorted(report.secrets.iterdir()):
        path.rename(home / path.name)
    report.secrets.rmdir()
    try:
        old = load_settings(home)
    except Missing as error:
        raise Broken(
            _("The backup holds no settings, so no home can be made of it."), code="no_settings"
        ) from error
    if url is None:
        report.database.rename(report.database.with_name(SQLITE_FILE))
    settings = replace(
        old, paths=Paths(), database=DatabaseSettings(url or ""), license=_license_of(home, old)
    )
    disk.replace(home / estate.CONFIGURATION, render_settings(settings).encode())
    for folder in (settings.log_dir, settings.run_dir):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    Store.create(settings.backups)


def _license_of(home: Path, old: Settings) -> License:
    """Return the licence's settings with the root keys where the backup brought them."""
    brought = estate.ELSEWHERE / Path(old.license.trust_root).name
    if (home / brought).is_file():
        return replace(old.license, trust_root=brought.as_posix())
    return old.license
