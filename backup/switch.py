"""Putting a restored backup in the place of the live data, keeping the old, with a way back.

The caller has stopped the service. Every move is a rename, written down before it is made, so that
a switch that was killed can be finished backwards by `recover`.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import psycopg
from psycopg import sql

from backup import disk, postgresql
from backup.restore import Report
from server.core.errors import Conflict, DaftarError, Missing, NotFound
from server.core.i18n import gettext as _

RECORD = "switch.json"
SIDECARS = ("-wal", "-shm", "-journal")  # of the old database; beside the new one they destroy it


class Phase(StrEnum):
    """How far a switch is."""

    SWITCHING = "switching"
    SWITCHED = "switched"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True)
class Live:
    """The data in use: a SQLite file and the folder of attachments."""

    database: Path
    files: Path


@dataclass(frozen=True)
class Names:
    """Three databases of one PostgreSQL server: the live, the restored, and what the old one will be."""

    live: str
    restored: str
    kept: str


@dataclass(frozen=True)
class Switch:
    """One exchange of live data: the moves in their order, kept in the folder with the old data.

    On PostgreSQL the databases are exchanged after the last move.
    """

    keep: Path
    phase: Phase
    moves: tuple[tuple[Path, Path], ...]
    names: Names | None = None


def switch_in(report: Report, live: Live, keep: Path) -> Switch:
    """Exchange the live data for the restored ones; whole, or back as it was."""
    if report.manifest.database.engine != "sqlite":
        raise Conflict(
            _("Only a backup of SQLite can be switched in as files."), code="wrong_engine"
        )
    with disk.naming_the_cause(keep):
        live.database.parent.mkdir(parents=True, exist_ok=True)
        old = _prepared(keep, (live.database.parent, live.files.parent))
        moves = (
            *_away_database(live, old),
            *_away_files(live.files, old),
            (report.database, live.database),
            (report.files, live.files),
        )
        return _carry_out(Switch(keep, Phase.SWITCHING, moves), None)


def switch_in_postgresql(
    report: Report, live_files: Path, keep: Path, *, names: Names, admin_url: str
) -> Switch:
    """Exchange the live database and files for the restored ones; nobody may be connected."""
    with disk.naming_the_cause(keep):
        old = _prepared(keep, (live_files.parent,))
        moves = (*_away_files(live_files, old), (report.files, live_files))
        return _carry_out(Switch(keep, Phase.SWITCHING, moves, names), admin_url)


def _prepared(keep: Path, parents: tuple[Path, ...]) -> Path:
    """Return the folder for the old data, made and on the disk of the live ones."""
    if (keep / RECORD).exists():
        raise Conflict(_("%(folder)s holds an earlier switch.", folder=keep), code="switch_exists")
    old = keep / "old"
    for folder in (old, *parents):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _require_one_disk(keep, parents)
    return old


def _carry_out(switch: Switch, admin_url: str | None) -> Switch:
    _write(switch)
    try:
        for source, target in switch.moves:
            _move(source, target)
        if switch.names is not None and admin_url is not None:
            names = switch.names
            swap_databases(admin_url, names.live, names.restored, names.kept)
    except (OSError, DaftarError):
        recover(switch.keep, admin_url)
        raise
    return _write(replace(switch, phase=Phase.SWITCHED))


def _away_database(live: Live, old: Path) -> Iterator[tuple[Path, Path]]:
    for suffix in ("", *SIDECARS):
        path = live.database.with_name(live.database.name + suffix)
        if path.exists():
            yield path, old / path.name


def _away_files(files: Path, old: Path) -> Iterator[tuple[Path, Path]]:
    if files.exists():
        yield files, old / "files"


def _require_one_disk(keep: Path, parents: tuple[Path, ...]) -> None:
    """Refuse to go on over two file systems: a rename is one step inside one only."""
    for path in parents:
        if path.stat().st_dev != keep.stat().st_dev:
            raise Missing(
                _(
                    "%(keep)s and %(live)s lie on different disks."
                    " Restore into a folder beside the live data.",
                    keep=keep,
                    live=path,
                ),
                code="other_disk",
            )


def _move(source: Path, target: Path) -> None:
    source.rename(target)
    disk.sync_folder(target.parent)
    disk.sync_folder(source.parent)


def _write(switch: Switch) -> Switch:
    moves = [[os.fspath(source), os.fspath(target)] for source, target in switch.moves]
    names = None if switch.names is None else asdict(switch.names)
    text = json.dumps({"phase": switch.phase.value, "moves": moves, "names": names}, indent=1)
    disk.replace(switch.keep / RECORD, text.encode() + b"\n")
    return switch


def read(keep: Path) -> Switch:
    """Return the switch that is kept in the folder; raise NotFound when there is none."""
    try:
        found = json.loads((keep / RECORD).read_bytes())
    except FileNotFoundError as error:
        raise NotFound(
            _("There is no switch to undo in %(folder)s.", folder=keep), code="no_switch"
        ) from error
    moves = tuple((Path(source), Path(target)) for source, target in found["moves"])
    names = Names(**found["names"]) if found.get("names") else None
    return Switch(keep, Phase(found["phase"]), moves, names)


def undo(keep: Path, admin_url: str | None = None) -> Switch:
    """Put the old data back; what was live meanwhile goes back to where it was restored."""
    switch = read(keep)
    if switch.phase is Phase.UNDONE:
        return switch
    with disk.naming_the_cause(keep):
        _write(replace(switch, phase=Phase.UNDOING))
        if switch.names is not None and _exchanged(switch.names, admin_url):
            names = switch.names
            swap_databases(_required(admin_url), names.live, names.kept, names.restored)
        for source, target in reversed(switch.moves):
            if not target.exists() or source.exists():
                continue
            _move_sidecars(target, source)
            _move(target, source)
        return _write(replace(switch, phase=Phase.UNDONE))


def _exchanged(names: Names, admin_url: str | None) -> bool:
    """Return whether the databases have changed their names already, which is one transaction."""
    return postgresql.exists(_required(admin_url), names.kept)


def _required(admin_url: str | None) -> str:
    if admin_url is None:
        raise Missing(_("The PostgreSQL server of this switch was not named."), code="no_server")
    return admin_url


def _move_sidecars(live: Path, restored: Path) -> None:
    """Take along what the restored database wrote beside itself while it was live."""
    for suffix in SIDECARS:
        beside = live.with_name(live.name + suffix)
        if live.is_file() and beside.exists() and not live.name.endswith(SIDECARS):
            target = restored.with_name(restored.name + suffix)
            if not target.exists():
                _move(beside, target)


def recover(keep: Path, admin_url: str | None = None) -> None:
    """End a switch that was killed half-way; do nothing when there is none.

    Once the databases have changed their names everything before has happened too, and it is whole.
    """
    if not (keep / RECORD).is_file():
        return
    switch = read(keep)
    if switch.phase is Phase.SWITCHING and switch.names and _exchanged(switch.names, admin_url):
        _write(replace(switch, phase=Phase.SWITCHED))
    elif switch.phase in {Phase.SWITCHING, Phase.UNDOING}:
        undo(keep, admin_url)


def swap_databases(admin_url: str, live: str, restored: str, kept: str) -> None:
    """Exchange two PostgreSQL databases by name in one transaction; the live one becomes `kept`.

    Undo with `swap_databases(admin_url, live, kept, restored)`. Nobody may be connected to either.
    """
    try:
        with postgresql.connect(admin_url) as connection, connection.transaction():
            for old, new in ((live, kept), (restored, live)):
                connection.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                        sql.Identifier(old), sql.Identifier(new)
                    )
                )
    except psycopg.errors.ObjectInUse as error:
        raise Conflict(
            _("Somebody is still connected to the database %(name)s. End that first.", name=live),
            code="database_in_use",
        ) from error
    except psycopg.Error as error:
        raise Missing(
            _(
                "The databases %(live)s and %(restored)s could not change their names: %(reason)s.",
                live=live,
                restored=restored,
                reason=str(error).strip(),
            ),
            code="rename_refused",
        ) from error
