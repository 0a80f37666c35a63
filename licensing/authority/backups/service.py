"""Backups of the authority itself: making, proving, clearing out. The sets on the disk are the truth."""

import logging
from zoneinfo import ZoneInfo

from backup import keys, prune, report, run, verify
from backup.keys import Keyring, NewKeys
from backup.manifest import Manifest
from backup.plan import Kind, Level, Progress, silent
from backup.prune import Pruned
from backup.report import Item
from backup.restore import Identities
from backup.result import Result
from backup.store import Store
from licensing.authority.audit.service import note
from licensing.authority.backups import estate
from licensing.authority.config import Settings
from server.core.db import Database
from server.core.errors import Broken, Missing
from server.core.i18n import gettext as _

log = logging.getLogger(__name__)

SCHEDULER = "scheduler"  # in the place of a name: nobody asked, it was time


def make_keys(settings: Settings) -> NewKeys:
    """Make the backup keys and the place of the backups; the private halves are told once."""
    made = keys.create(estate.keys_folder(settings))
    Store.create(settings.backups_dir)
    return made


def items(settings: Settings) -> list[Item]:
    """Return every backup on the disk, newest first."""
    return report.items(estate.store_of(settings), estate.keyring(settings).trust)


def make_backup(
    settings: Settings,
    database: Database,
    operator: str,
    kind: Kind,
    progress: Progress = silent,
) -> Manifest:
    """Make one backup now and note it."""
    ring = estate.keyring(settings)
    store = Store.create(settings.backups_dir)
    made = run.back_up(estate.plan_of(settings, ring), store, kind=kind, progress=progress)
    with database.write() as session:
        note(session, operator, "backup.run", made.id, {"kind": kind.value, "bytes": made.bytes})
    return made


def prove(
    settings: Settings,
    name: str | None = None,
    *,
    identities: Identities = (),
    level: Level | None = None,
    progress: Progress = silent,
) -> tuple[str, Result]:
    """Prove a backup, by default the newest, by a real restore into a scratch place."""
    ring, store = estate.keyring(settings), estate.store_of(settings)
    chosen = name or _newest(store, ring)
    store.set_folder(chosen)
    how = estate.how_to_verify(settings, ring, identities=identities, level=level)
    return chosen, verify.verify_and_keep(store, chosen, how, ring, progress=progress)


def _newest(store: Store, ring: Keyring) -> str:
    found = verify.latest(store, ring.trust)
    if found is None:
        raise Missing(_("There is no backup yet. Make one first."), code="no_backup")
    return found


def clear_out(settings: Settings) -> Pruned:
    """Remove what retention lets go; never the last verified backup."""
    zone = ZoneInfo(settings.selling.timezone)
    return prune.prune(estate.store_of(settings), estate.keyring(settings), zone=zone)


def back_up_daily(settings: Settings, database: Database) -> None:
    """Make the day's backup, prove it and clear out; raise Broken when it is not sound."""
    made = make_backup(settings, database, SCHEDULER, Kind.DAILY)
    _name, found = prove(settings, made.id)
    if not found.ok:
        raise Broken(
            _(
                "The backup %(id)s is damaged: %(why)s",
                id=made.id,
                why=" ".join(found.problems[:3]),
            ),
            code="backup_damaged",
        )
    done = clear_out(settings)
    log.info("The backup %s was made and proved; removed: %s.", made.id, list(done.removed))
