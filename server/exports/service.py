"""Asking for full exports, taking them away, and the claim of whoever writes one.

The caller opens the transaction; nothing here commits, except that the desk works in steps of its own.
"""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.activation.queries import license_document
from server.activation.service import LicenseOffice
from server.audit.service import note
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.after_commit import after_commit
from server.core.config import Settings
from server.core.db import Database
from server.core.errors import Conflict, Missing
from server.core.i18n import gettext as _
from server.exports.archive import LicenceFacts, Source
from server.exports.models import Export
from server.exports.queries import get_export, under_way
from server.exports.rules import KEPT_FOR, SHEETS, TRIES, ExportStatus

log = logging.getLogger(__name__)

CLAIM = timedelta(seconds=60)
KIND = "export"


def folder_of(settings: Settings) -> Path:
    """Return where finished exports stand until they are fetched; backups leave them out."""
    return settings.data / "exports"


def path_of(settings: Settings, export_id: int) -> Path:
    """Return the file of this export."""
    return folder_of(settings) / f"{export_id}.zip"


def file_name(found: Export) -> str:
    """Return the name under which people keep the file."""
    return f"daftar-export-{found.created_at:%Y-%m-%d}-{found.id}.zip"


def facts_from(office: LicenseOffice | None) -> LicenceFacts:
    """Return what tells the facts of the licence; nothing where no licence office could be opened."""

    def tell(session: Session, actor: Actor) -> dict[str, object] | None:
        if office is None or not actor.may("license.see"):
            return None
        return license_document(session, actor, office)

    return tell


def source_of(settings: Settings, database: Database, office: LicenseOffice | None) -> Source:
    """Return where exports of this installation read from."""
    return Source(database, settings.files, settings.organization.name, facts_from(office))


def ask_export(session: Session, actor: Actor) -> Export:
    """Ask for a full export; who asks while one waits is given that one."""
    actor.must("exports.run")
    made = Export(
        status=ExportStatus.QUEUED, created_by_id=actor.user_id, created_by_name=actor.name
    )
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
    except IntegrityError as error:
        waiting = under_way(session, actor)
        if waiting is None:
            raise Conflict(
                _("Another export was asked for at the same moment. Look at the list again.")
            ) from error
        return waiting
    note(session, actor, "export", kind=KIND, record_id=made.id)
    return made


def take_out(session: Session, actor: Actor, settings: Settings, export_id: int) -> Path:
    """Return the finished file for its download, which the trail remembers.

    Raise Conflict or Missing, and NotAllowed for what the actor may not see.
    """
    found = get_export(session, actor, export_id)
    _check_contents(found, actor)
    if found.status is not ExportStatus.DONE:
        raise Conflict(_("This export is not ready, or was removed. Make a new one."))
    path = path_of(settings, found.id)
    if not path.is_file():
        raise Missing(_("The file %(path)s is not there any more. Make a new export.", path=path))
    note(session, actor, "download", kind=KIND, record_id=found.id)
    return path


def _check_contents(found: Export, actor: Actor) -> None:
    """Refuse an archive of somebody else to who may not see everything that may be in it."""
    if found.created_by_id is None or found.created_by_id != actor.user_id:
        for permission in sorted({sheet.permission for sheet in SHEETS if sheet.permission}):
            actor.must(permission)


def remove_export(session: Session, actor: Actor, settings: Settings, export_id: int) -> Export:
    """Stop an export that is under way, or remove its file; the entry in the list stays."""
    found = get_export(session, actor, export_id)
    if found.status is not ExportStatus.REMOVED:
        _end(found, ExportStatus.REMOVED)
        note(session, actor, "remove", kind=KIND, record_id=found.id)
        session.flush()
        path = path_of(settings, found.id)
        after_commit(session, lambda: path.unlink(missing_ok=True))
    return found


def note_written_by_hand(session: Session, actor: Actor, rows: int) -> None:
    """Note an export that was written straight into a file, as the command line does."""
    note(session, actor, "export", kind=KIND, changes={"rows": rows})


def _end(found: Export, status: ExportStatus) -> None:
    found.status = status
    found.finished_at = found.finished_at or clock.now()
    found.claimed_by, found.claimed_until = "", None


# What the desk does, each step in a transaction of its own


def is_waiting(session: Session) -> bool:
    """Tell whether an export waits, or was left behind by a process that died."""
    return session.scalar(select(Export.id).where(_free(clock.now())).limit(1)) is not None


def claim(session: Session, holder: str) -> Export | None:
    """Take the next export that waits or was left behind; one that failed too often is given up."""
    now = clock.now()
    query = select(Export).where(_free(now)).order_by(Export.id).limit(1)
    found = session.scalar(query.with_for_update(skip_locked=True))
    if found is None:
        return None
    if found.tries >= TRIES:
        _end(found, ExportStatus.FAILED)
        found.error = _("The process that wrote it ended %(n)s times. See the log.", n=TRIES)
        return None
    found.status, found.started_at = ExportStatus.RUNNING, now
    found.tries += 1
    found.done = 0
    found.claimed_by, found.claimed_until = holder, now + CLAIM
    session.flush()
    return found


def _free(now: datetime) -> ColumnElement[bool]:
    lapsed = and_(Export.status == ExportStatus.RUNNING, Export.claimed_until < now)
    return or_(Export.status == ExportStatus.QUEUED, lapsed)


def keep_claim(session: Session, export_id: int, holder: str, done: int, rows: int) -> bool:
    """Write down how far the work is and renew the claim; False when it is ours no more."""
    changed = session.execute(
        update(Export)
        .where(Export.id == export_id, Export.claimed_by == holder)
        .values(done=done, rows=rows, claimed_until=clock.now() + CLAIM)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined] # a cursor result


def held(session: Session, export_id: int, holder: str) -> Export | None:
    """Return the export while its claim is ours."""
    query = select(Export).where(Export.id == export_id, Export.claimed_by == holder)
    return session.scalar(query.with_for_update())


def finish(found: Export, *, error: str = "") -> None:
    """End the export as ready, or as failed with its reason."""
    _end(found, ExportStatus.FAILED if error else ExportStatus.DONE)
    found.error = error


def expire(session: Session, settings: Settings) -> int:
    """Remove the files of exports that nobody needs any more; return how many."""
    old = select(Export).where(
        Export.status == ExportStatus.DONE, Export.finished_at < clock.now() - KEPT_FOR
    )
    removed = [
        remove_export(session, SYSTEM, settings, found.id) for found in session.scalars(old).all()
    ]
    return len(removed)
