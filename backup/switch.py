"""Putting a restored backup in the place of the live data, keeping the old, with a way back.

The caller has stopped the service. Every move is a rename, written down before it is made, so that
a switch that was killed can be finished backwards by `recover`.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from psycopg import sql

from backup import disk, postgresql, restore
from backup.plan import Progress, silent
from backup.restore import Access, Report
from backup.store import Store
from server.core.errors import Conflict, Missing, NotFound
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
class Switch:
    """One exchange of live data: the moves in their order, kept in the folder with the old data."""

    keep: Path
    phase: Phase
    moves: tuple[tuple[Path, Path], ...]


def bring_back(
    store: Store,
    set_id: str,
    live: Live,
    keep: Path,
    *,
    access: Access,
    progress: Progress = silent,
) -> tuple[Report, Switch]:
    """Restore a SQLite backup into the folder `keep`, check it, and put it in the place of the live.

    The old data stays in `keep` until somebody removes it. The secrets are left in
    `keep/restored/secrets` for the installer to judge.
    """
    recover(keep)
    report = restore.restore(store, set_id, keep / "restored", access=access, progress=progress)
    return report, switch_in(report, live, keep)


def switch_in(report: Report, live: Live, keep: Path) -> Switch:
    """Exchange the live data for the restored ones; whole, or back as it was."""
    if report.manifest.database.engine != "sqlite":
        raise Conflict(
            _("Only a backup of SQLite can be switched in as files."), code="wrong_engine"
        )
    if (keep / RECORD).exists():
        raise Conflict(_("%(folder)s holds an earlier switch.", folder=keep), code="switch_exists")
    old = keep / "old"
    with disk.naming_the_cause(keep):
        old.mkdir(parents=True, exist_ok=True, mode=0o700)
        live.database.parent.mkdir(parents=True, exist_ok=True)
        live.files.parent.mkdir(parents=True, exist_ok=True)
        _require_one_disk(keep, live)
        moves = [*_away(live, old), (report.database, live.database), (report.files, live.files)]
        switch = Switch(keep, Phase.SWITCHING, tuple(moves))
        _write(switch)
        try:
            for source, target in switch.moves:
                _move(source, target)
        except OSError:
            recover(keep)
            raise
        return _write(Switch(keep, Phase.SWITCHED, switch.moves))


def _away(live: Live, old: Path) -> Iterator[tuple[Path, Path]]:
    for suffix in ("", *SIDECARS):
        path = live.database.with_name(live.database.name + suffix)
        if path.exists():
            yield path, old / path.name
    if live.files.exists():
        yield live.files, old / "files"


def _require_one_disk(keep: Path, live: Live) -> None:
    """Refuse to go on over two file systems: a rename is one step inside one only."""
    for path in (live.database.parent, live.files.parent):
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
    text = json.dumps({"phase": switch.phase.value, "moves": moves}, indent=1)
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
    return Switch(keep, Phase(found["phase"]), moves)


def undo(keep: Path) -> Switch:
    """Put the old data back; what was live meanwhile goes back to where it was restored."""
    switch = read(keep)
    if switch.phase is Phase.UNDONE:
        return switch
    with disk.naming_the_cause(keep):
        _write(Switch(keep, Phase.UNDOING, switch.moves))
        for source, target in reversed(switch.moves):
            if not target.exists() or source.exists():
                continue
            _move_sidecars(target, source)
            _move(target, source)
        return _write(Switch(keep, Phase.UNDONE, switch.moves))


def _move_sidecars(live: Path, restored: Path) -> None:
    """Take along what the restored database wrote beside itself while it was live."""
    for suffix in SIDECARS:
        beside = live.with_name(live.name + suffix)
        if live.is_file() and beside.exists() and not live.name.endswith(SIDECARS):
            target = restored.with_name(restored.name + suffix)
            if not target.exists():
                _move(beside, target)


def recover(keep: Path) -> None:
    """Undo a switch that was killed half-way; do nothing when there is none."""
    if not (keep / RECORD).is_file():
        return
    if read(keep).phase in {Phase.SWITCHING, Phase.UNDOING}:
        undo(keep)


def swap_databases(admin_url: str, live: str, restored: str, kept: str) -> None:
    """Exchange two PostgreSQL databases by name in one transaction; the live one becomes `kept`.

    Undo with `swap_databases(admin_url, live, kept, restored)`. Nobody may be connected to either.
    """
    with postgresql.connect(admin_url) as connection, connection.transaction():
        for old, new in ((live, kept), (restored, live)):
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(old), sql.Identifier(new)
                )
            )
