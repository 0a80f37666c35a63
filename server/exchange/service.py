"""Changing imports: uploading, mapping, starting, stopping, undoing. The work itself is done by run.py."""

from dataclasses import replace
from typing import IO

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.audit.service import note
from server.core import clock
from server.core.actor import Actor
from server.core.checklist import clean_line
from server.core.errors import Conflict
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.exchange.mapping import Mapping, checked, from_json, from_toml, recognised
from server.exchange.models import Import, ImportExtra, ImportRow
from server.exchange.profile import Profile, look_at, profile_from_json
from server.exchange.queries import get_import
from server.exchange.rules import (
    EDITABLE,
    RESUMABLE,
    STATUS_LABELS,
    UNDOABLE,
    WORKING,
    ImportKind,
    ImportStatus,
    Mode,
    Outcome,
    UndoOutcome,
)
from server.exchange.run import LEASE, Run, Workshop, workshop
from server.exchange.store import FileStore, Kept
from server.exchange.table import Layout
from server.exchange.trial import Trial, try_out

__all__ = [
    "FileStore",
    "ImportKind",
    "ImportStatus",
    "Layout",
    "Mapping",
    "Mode",
    "Outcome",
    "Profile",
    "Run",
    "Trial",
    "UndoOutcome",
    "Workshop",
    "from_toml",
    "mapping_of",
    "profile_of",
    "recognised",
    "try_out",
    "workshop",
]

MOST_NAME = 200


def look_at_file(files: FileStore, source: IO[bytes]) -> tuple[Kept, Profile]:
    """Keep the file and take a first look at it. Raise Invalid when it holds no table. No database."""
    kept = files.keep(source)
    return kept, look_at(files.path_of(kept.sha256))


def add_import(
    session: Session,
    actor: Actor,
    kind: ImportKind,
    file_name: str,
    seen: tuple[Kept, Profile],
    mapping: Mapping | None = None,
) -> Import:
    """Write down an import of a file that is kept; without a mapping its headers are recognised."""
    actor.must("imports.run")
    kept, profile = seen
    if mapping is None:
        mapping = recognised(kind, profile.headers, profile.dates)
    else:
        mapping = checked(mapping, kind, profile.headers)
    made = Import(
        kind=kind,
        status=ImportStatus.DRAFT,
        file_name=clean_line(file_name[-MOST_NAME:], "file", MOST_NAME) or "–",
        sha256=kept.sha256,
        size=kept.size,
        profile=profile.as_json(),
        mapping=mapping.as_json(),
        rows=profile.rows,
        created_by_id=actor.user_id,
        created_by_name=actor.name,
        acting_id=actor.user_id,
        counts={},
        undo_counts={},
    )
    session.add(made)
    session.flush()
    return made


def mapping_of(found: Import) -> Mapping:
    """Return what becomes of the columns of this import."""
    return from_json(found.mapping)


def profile_of(found: Import) -> Profile:
    """Return what a first look at the file of this import told."""
    return profile_from_json(found.profile)


def change_mapping(session: Session, actor: Actor, import_id: int, mapping: Mapping) -> Import:
    """Say anew what becomes of the columns, as long as the import has not run."""
    found = _for_change(session, actor, import_id)
    _check_status(found, EDITABLE)
    mapping = checked(mapping, found.kind, profile_of(found).headers)
    found.mapping = mapping.as_json()
    _back_to_draft(session, found)
    return found


def read_again(
    session: Session, actor: Actor, import_id: int, files: FileStore, layout: Layout
) -> Import:
    """Read the file with another encoding or delimiter; the headers are recognised anew."""
    found = _for_change(session, actor, import_id)
    _check_status(found, EDITABLE)
    profile = look_at(files.require(found.sha256), layout)
    mapping = replace(
        recognised(found.kind, profile.headers, profile.dates), currency=mapping_of(found).currency
    )
    found.profile, found.mapping, found.rows = profile.as_json(), mapping.as_json(), profile.rows
    _back_to_draft(session, found)
    return found


def start_trial(session: Session, actor: Actor, import_id: int) -> Import:
    """Ask for a trial run, which tells what would become of every row and writes no record."""
    found = _for_change(session, actor, import_id)
    _check_status(found, EDITABLE)
    _check_mapping(found)
    _back_to_draft(session, found)
    _begin(found, actor, ImportStatus.CHECKING)
    return found


def start_run(session: Session, actor: Actor, import_id: int, holder: str = "") -> Import:
    """Ask for the import to be run, or to be gone on with where it was stopped.

    A `holder` takes the work for itself at once, as the command line does.
    """
    found = _for_change(session, actor, import_id)
    _check_status(found, EDITABLE | RESUMABLE)
    _check_mapping(found)
    if found.status in EDITABLE:
        _back_to_draft(session, found)
        found.started_at = clock.now()
    _begin(found, actor, ImportStatus.RUNNING)
    if holder:
        take_claim(session, found, holder)
    session.flush()
    return found


def stop(session: Session, actor: Actor, import_id: int) -> Import:
    """Stop the work on an import. What is written stays; it can be gone on with or undone."""
    found = _for_change(session, actor, import_id)
    _check_status(found, WORKING)
    if found.status is ImportStatus.CHECKING:
        _back_to_draft(session, found)
    elif found.status is ImportStatus.UNDOING:
        found.status = ImportStatus.DONE
    else:
        found.status = ImportStatus.STOPPED
    found.claimed_by, found.claimed_until = "", None
    found.finished_at = clock.now()
    session.flush()
    return found


_NOTHING_WRITTEN = mark("It has written nothing, so there is nothing to take back.")
_BEFORE_UNDO = {
    ImportStatus.RUNNING: mark("Wait until it has ended, or stop it; then take it back."),
    ImportStatus.UNDOING: mark("It is being taken back already; wait until that has ended."),
    ImportStatus.UNDONE: mark("It was taken back before; there is nothing left to do."),
}


def start_undo(session: Session, actor: Actor, import_id: int) -> Import:
    """Ask for everything that the import wrote to be taken back."""
    found = _for_change(session, actor, import_id)
    if found.status not in UNDOABLE:
        advice = _BEFORE_UNDO.get(found.status, _NOTHING_WRITTEN)
        raise Conflict(
            _(
                "The import of %(file)s stands at “%(status)s” and cannot be taken back now. %(next)s",
                file=found.file_name,
                status=_(STATUS_LABELS[found.status]),
                next=_(advice),
            ),
            code="other_status",
        )
    found.done = 0
    _begin(found, actor, ImportStatus.UNDOING)
    session.flush()
    return found


def import_again(session: Session, actor: Actor, import_id: int) -> Import:
    """Return a new import of the same file with the same mapping."""
    found = get_import(session, actor, import_id)
    seen = Kept(found.sha256, found.size), profile_of(found)
    return add_import(session, actor, found.kind, found.file_name, seen, mapping_of(found))


def discard(session: Session, actor: Actor, import_id: int) -> None:
    """Forget an import that has not run."""
    found = _for_change(session, actor, import_id)
    _check_status(found, EDITABLE)
    note(
        session,
        actor,
        "discard",
        kind="import",
        record_id=found.id,
        changes={"file": found.file_name},
    )
    _clear(session, found)
    session.delete(found)
    session.flush()


def unfinished(
    session: Session, actor: Actor, kind: ImportKind, sha256: str, mapping: Mapping
) -> Import | None:
    """Return a run of the same file with the same mapping that did not come to its end."""
    actor.must("imports.run")
    query = select(Import).where(
        Import.sha256 == sha256,
        Import.kind == kind,
        Import.status.in_({*RESUMABLE, ImportStatus.RUNNING}),
    )
    wanted = mapping.as_json()
    found = session.scalars(query.order_by(Import.id.desc()).limit(20))
    return next((one for one in found if one.mapping == wanted and not _is_held(one)), None)


def _is_held(found: Import) -> bool:
    until = found.claimed_until
    return found.status in WORKING and until is not None and until > clock.now()


def claim_next(session: Session, holder: str, heir_of: str) -> Import | None:
    """Take the oldest import that waits for work, or whose worker is gone.

    `heir_of` begins the names of workers that cannot be alive beside this one.
    """
    query = select(Import).where(Import.status.in_(WORKING)).order_by(Import.id)
    for found in session.scalars(query.with_for_update(skip_locked=True)):
        if not _is_held(found) or found.claimed_by.startswith(heir_of):
            take_claim(session, found, holder)
            if found.status is ImportStatus.CHECKING:
                _clear(session, found)
            return found
    return None


def take_over(session: Session, found: Import, holder: str, actor: Actor) -> Import:
    """Go on with an unfinished run."""
    found.acting_id = actor.user_id
    _begin(found, actor, ImportStatus.RUNNING)
    take_claim(session, found, holder)
    return found


def take_claim(session: Session, found: Import, holder: str) -> None:
    """Let this worker alone work on the import, as long as it goes on doing so."""
    found.claimed_by, found.claimed_until = holder, clock.now() + LEASE
    session.flush()


def let_go(session: Session, import_id: int, holder: str, *, stopped: bool = False) -> None:
    """Give a claim back, so that the next worker need not wait for its end."""
    values: dict[str, object] = {"claimed_by": "", "claimed_until": None}
    if stopped:
        values["status"] = ImportStatus.STOPPED
    session.execute(
        update(Import)
        .where(Import.id == import_id, Import.claimed_by == holder, Import.status.in_(WORKING))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _for_change(session: Session, actor: Actor, import_id: int) -> Import:
    get_import(session, actor, import_id)
    return session.get_one(Import, import_id, with_for_update=True, populate_existing=True)


def _check_status(found: Import, allowed: frozenset[ImportStatus]) -> None:
    if found.status not in allowed:
        raise Conflict(
            _(
                "The import of %(file)s stands at “%(status)s”, where this cannot be done. "
                "Look at its page.",
                file=found.file_name,
                status=_(STATUS_LABELS[found.status]),
            ),
            code="other_status",
        )


def _check_mapping(found: Import) -> None:
    checked(mapping_of(found), found.kind, profile_of(found).headers)


def _begin(found: Import, actor: Actor, status: ImportStatus) -> None:
    found.status = status
    found.acting_id = actor.user_id
    found.finished_at = None
    found.claimed_by, found.claimed_until, found.error = "", None, ""


def _back_to_draft(session: Session, found: Import) -> None:
    found.status = ImportStatus.DRAFT
    found.error = ""
    _clear(session, found)
    session.flush()


def _clear(session: Session, found: Import) -> None:
    """Forget what a trial run told."""
    for kept in (ImportRow, ImportExtra):
        session.execute(delete(kept).where(kept.import_id == found.id))
    found.cursor = found.done = 0
    found.counts = {}
