"""Backups of this installation: making, proving, confirming, clearing out, handing over.

Long work never runs inside a transaction; the sets on disk are the truth, the database mirrors them.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backup import chain, possession, report, run, transfer, verify
from backup import confirm as confirming
from backup import prune as pruning
from backup.confirm import NOTE_LENGTH, Choice, Person
from backup.keys import Keyring
from backup.manifest import Manifest
from backup.plan import Kind, Level, Progress, silent
from backup.prune import Pruned
from backup.report import Item
from backup.restore import Identities
from backup.result import Result
from backup.retention import Refusal
from backup.store import Store
from server.audit.service import note
from server.backups import estate
from server.backups.models import ONLY_ROW, BackupPlace, BackupRun, BackupSet
from server.backups.rules import Action
from server.backups.runs import Entry, Runs, Wish, ask
from server.core import clock
from server.core.actor import Actor
from server.core.config import Settings
from server.core.db import Database
from server.core.errors import Broken, DaftarError, Missing
from server.core.i18n import gettext as _

__all__ = [
    "NOTE_LENGTH",
    "Action",
    "BackupOffice",
    "Choice",
    "Kind",
    "Manifest",
    "Wish",
    "must_be_sound",
    "why_kept",
]

log = logging.getLogger(__name__)

KIND = "backup"


def why_kept(refusal: Refusal) -> str:
    """Return in plain words why no old backup is removed at the moment."""
    words = {
        Refusal.NOTHING_VERIFIED: _("Nothing was removed: no backup is verified yet."),
        Refusal.VERIFIED_TOO_OLD: _(
            "Nothing was removed: the newest verified backup is older than two days."
        ),
        Refusal.NEWEST_FAILED: _("Nothing was removed: the newest backup failed its verification."),
        Refusal.SET_IN_FUTURE: _(
            "Nothing was removed: a backup lies in the future, so the server's clock is wrong."
        ),
    }
    return words[refusal]


class BackupOffice:
    """The backups as one process knows them. Without a database, as after a fire, nothing is logged."""

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        self.settings = settings
        self.database = database
        self.runs = None if database is None else Runs(database, settings.run_dir)
        self._shelf = report.Shelf()

    @property
    def store(self) -> Store:
        """Return the place of the backups, or raise Missing."""
        return estate.store_of(self.settings)

    @property
    def keys(self) -> Keyring:
        """Return the backup keys of this server, or raise Missing."""
        return estate.keyring(self.settings)

    # Looking

    def items(self, actor: Actor) -> list[Item]:
        """Return every backup on the disk, newest first."""
        actor.must("backups.see")
        return self._shelf.items(self.store, self.keys.trust)

    def manifest(self, actor: Actor, set_name: str) -> Manifest:
        """Return what is inside a backup; raise NotFound or Broken."""
        actor.must("backups.see")
        return self.store.load(set_name, self.keys.trust).manifest

    def look(self) -> None:
        """Bring the mirror in the database up to what lies on the disk."""
        if self.database is None:
            return
        with self.database.read() as session:
            known = session.get(BackupPlace, ONLY_ROW)
        since = clock.now() if known is None else known.first_seen_at
        seen = BackupPlace(
            id=ONLY_ROW, first_seen_at=since, problem="", drill_key=False, keys_due_at=None
        )
        found = None
        try:
            ring, store = self.keys, self.store
            seen.drill_key = bool(ring.drill)
            seen.keys_due_at = keys_due_at(store, ring, since)
            found = self._shelf.items(store, ring.trust)
        except DaftarError as error:
            seen.problem = error.message
        with self.database.read() as session:
            changed = known is None or _state_of(known) != _state_of(seen)
            changed = changed or (found is not None and _differs(session, found))
        if not changed:
            return
        with self.database.write() as session:
            session.merge(seen)
            if found is not None:
                _mirror(session, found)

    # Working

    def ask(self, session: Session, actor: Actor, wish: Wish) -> BackupRun:
        """Put a backup or a verification into the queue of the scheduler."""
        actor.must("backups.run")
        if wish.set_name:
            self.store.set_folder(wish.set_name)
        return ask(session, actor, wish)

    def run(
        self,
        actor: Actor,
        kind: Kind,
        *,
        progress: Progress = silent,
        queued: int | None = None,
    ) -> Manifest:
        """Make one backup now."""
        actor.must("backups.run")
        wish = Wish(Action.RUN, kind)
        with self._logged(actor, wish, progress, queued) as entry:
            plan = estate.plan_of(self.settings, self.keys, self._schema_version())
            made = run.back_up(plan, self.store, kind=kind, progress=entry.tell)
            entry.set_name = made.id
            entry.outcome = " ".join(made.warnings)
        self._note(actor, "backup", made.id, {"kind": kind.value, "bytes": made.bytes})
        self.look()
        return made

    def verify(
        self,
        actor: Actor,
        set_name: str | None = None,
        *,
        identities: Identities = (),
        level: Level | None = None,
        progress: Progress = silent,
        queued: int | None = None,
    ) -> tuple[str, Result]:
        """Prove a backup now, by default the newest, as deep as the keys at hand allow."""
        actor.must("backups.run")
        ring, store = self.keys, self.store
        name = set_name or self._newest(store, ring)
        store.set_folder(name)
        with self._logged(actor, Wish(Action.VERIFY, None, name), progress, queued) as entry:
            how = estate.how_to_verify(self.settings, ring, identities=identities, level=level)
            found = verify.verify_and_keep(store, name, how, ring, progress=entry.tell)
            entry.ok, entry.outcome = found.ok, "\n".join(found.problems)
            _must_be_whole(store, ring)
        self._note(actor, "verify", name, {"level": found.level.value, "ok": found.ok})
        self.look()
        return name, found

    def prune(
        self, actor: Actor, *, progress: Progress = silent, queued: int | None = None
    ) -> Pruned:
        """Remove what retention lets go, and nothing while the newest backups are not proved."""
        actor.must("backups.run")
        with self._logged(actor, Wish(Action.PRUNE), progress, queued) as entry:
            zone = ZoneInfo(self.settings.organization.timezone)
            done = pruning.prune(self.store, self.keys, zone=zone)
            entry.outcome = why_kept(done.refusal) if done.refusal else " ".join(done.removed)
        for name in done.removed:
            self._note(actor, "prune", name, {})
        self.look()
        return done

    # People

    def confirm(
        self, session: Session, actor: Actor, set_name: str, choice: Choice, note_text: str = ""
    ) -> None:
        """Write down that this person checked a backup, on disk and in the audit trail (R-BAK-2)."""
        actor.must("backups.confirm")
        if actor.user_id is None:
            raise Missing(_("A backup is confirmed by a person with an account, not by a program."))
        person = Person(str(actor.user_id), actor.name)
        ring, store = self.keys, self.store
        confirming.confirm(store, set_name, person, choice, note=note_text, keys=ring)
        changes = {"set": set_name, "choice": choice.value, "note": note_text}
        note(session, actor, "confirm", kind=KIND, changes=changes)
        _mirror(session, self._shelf.items(store, ring.trust))

    # Handing over

    def send(self, session: Session, actor: Actor, set_name: str) -> transfer.Outgoing:
        """Return a sealed backup to be downloaded, and note who took it (R-BAK-4)."""
        actor.must("backups.run")
        outgoing = transfer.send(self.store, set_name, trust=self.keys.trust)
        note(session, actor, "export", kind=KIND, changes={"set": set_name})
        return outgoing

    def export(
        self, actor: Actor, set_name: str, file: Path, *, progress: Progress = silent
    ) -> Path:
        """Write a sealed backup into one file."""
        actor.must("backups.run")
        written = transfer.export_set(
            self.store, set_name, file, trust=self.keys.trust, progress=progress
        )
        self._note(actor, "export", set_name, {})
        return written

    def note_restore(self, actor: Actor, set_name: str) -> None:
        """Note that the live data was exchanged for a backup, and mirror the disk anew."""
        actor.must("backups.run")
        self._note(actor, "restore", set_name, {})
        self.look()

    # Behind the door

    @contextmanager
    def _logged(
        self, actor: Actor, wish: Wish, progress: Progress, queued: int | None
    ) -> Iterator[Entry]:
        if self.runs is None:
            yield Entry(progress, wish.set_name)
            return
        with self.runs.under_way(actor, wish, progress=progress, queued=queued) as entry:
            yield entry

    def _note(self, actor: Actor, action: str, set_name: str, changes: dict[str, object]) -> None:
        if self.database is not None:
            with self.database.write(actor) as session:
                note(session, actor, action, kind=KIND, changes={"set": set_name, **changes})

    def _newest(self, store: Store, ring: Keyring) -> str:
        name = verify.latest(store, ring.trust)
        if name is None:
            raise Missing(_("There is no backup yet. Make one first."), code="no_backup")
        return name

    def _schema_version(self) -> str:
        if self.database is None:
            return ""
        with self.database.read() as session:
            return str(session.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _must_be_whole(store: Store, ring: Keyring) -> None:
    """Raise Broken when the journal of checks was changed, or backups vanished without being pruned."""
    sound = confirming.check(store, ring.trust)
    if not sound.ok:
        raise Broken(sound.problem or "", code="journal_broken")
    gone = chain.gaps(store, ring.trust)
    if gone:
        raise Broken(
            _(
                "These backups are gone, and nobody pruned them: %(names)s. Who could delete them?",
                names=", ".join(gone),
            ),
            code="backups_gone",
        )


def must_be_sound(found: Result) -> None:
    """Raise Broken when a verification found damage."""
    if not found.ok:
        raise Broken(" ".join(found.problems), code="damaged")


def keys_due_at(store: Store, ring: Keyring, since: datetime) -> datetime | None:
    """Return when the first offline key has to be proved; one that never was is due since then."""
    held = possession.holdings(store, ring)
    return min((each.due_at or since for each in held), default=None)


def _state_of(place: BackupPlace) -> tuple[object, ...]:
    return place.problem, place.drill_key, place.keys_due_at


def _values(item: Item) -> dict[str, Any]:
    said = item.confirmation
    return {
        "created_at": item.created_at,
        "kind": item.kind,
        "bytes": item.bytes,
        "state": item.state,
        "verified_at": item.verified_at,
        "restore_seconds": item.restore_seconds,
        "tables": item.tables,
        "rows": item.rows,
        "files": item.files,
        "choice": None if said is None else said.choice.value,
        "said_by": None if said is None else said.user_name,
        "said_at": None if said is None else datetime.fromisoformat(said.at),
        "note": None if said is None else said.note,
        "shown": item.as_json(),
    }


def _known(session: Session) -> dict[str, BackupSet]:
    return {row.name: row for row in session.scalars(select(BackupSet))}


def _differs(session: Session, found: list[Item]) -> bool:
    known = _known(session)
    if known.keys() != {item.id for item in found}:
        return True
    return any(
        getattr(known[item.id], name) != value
        for item in found
        for name, value in _values(item).items()
    )


def _mirror(session: Session, found: list[Item]) -> None:
    known = _known(session)
    for item in found:
        row = known.pop(item.id, None) or BackupSet(name=item.id)
        for name, value in _values(item).items():
            if getattr(row, name) != value:
                setattr(row, name, value)
        session.add(row)
    for gone in known.values():
        session.delete(gone)
    session.flush()
