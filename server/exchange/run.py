"""Working on an import batch by batch. A batch, its rows and its place in the file are one transaction.

Whoever works holds a claim that lapses; so a killed run is gone on with where it was, and two never
write the same row.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.audit.service import note
from server.core import clock
from server.core.actor import Actor
from server.core.config import Settings
from server.core.db import Database
from server.core.errors import DaftarError, Interrupted, NotFound
from server.core.format import Display, current_display, set_display
from server.core.i18n import gettext as _
from server.core.i18n import use_locale
from server.exchange.entries import Entry
from server.exchange.mapping import from_json
from server.exchange.models import Import, ImportRow
from server.exchange.parents import set_later_parents
from server.exchange.plan import Plan, Step, decide, make_plan
from server.exchange.profile import profile_from_json, sheet_of
from server.exchange.rules import BATCH, ImportStatus, Outcome, added
from server.exchange.store import FileStore
from server.exchange.table import Row
from server.exchange.undo import undo_batch
from server.exchange.write import carry_out, keep_rows

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
TRIES = 5
_LOCK = 0x696D706F  # any fixed number that no other lock of ours uses

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Workshop:
    """What every run needs: the database, the files, and the organisation's customs."""

    database: Database
    files: FileStore
    currency: str
    zone: str = "UTC"


def workshop(settings: Settings, database: Database) -> Workshop:
    """Return what every run over this installation's database needs."""
    customs = settings.organization
    return Workshop(database, FileStore(settings.files), customs.currency, customs.timezone)


@contextmanager
def speaking_as(actor: Actor, zone: str) -> Iterator[None]:
    """Use the actor's language and the organisation's time of day inside the block."""
    before = current_display()
    set_display(Display(zone=zone))
    try:
        with use_locale(actor.locale):
            yield
    finally:
        set_display(before)


class Run:
    """The work of this process on one import that it has claimed."""

    def __init__(self, workshop: Workshop, actor: Actor, import_id: int, holder: str) -> None:
        self.workshop = workshop
        self.actor = actor
        self.import_id = import_id
        self.holder = holder
        self.finished = False
        self._status: ImportStatus | None = None
        self._plan: Plan | None = None
        self._rows: Iterator[Row] = iter(())
        self._waiting: list[Entry] | None = None

    def work(
        self, until: float | None = None, progress: Progress | None = None, pause: float = 0
    ) -> None:
        """Work until the import is finished or the monotonic clock says `until`.

        After each batch it pauses for so many seconds, in which others get to write.

        Raise Interrupted when somebody else stopped or took over the import. Other refusals end it as
        failed, with their sentence.
        """
        with speaking_as(self.actor, self.workshop.zone):
            try:
                while not self.finished:
                    self._batch(progress)
                    time.sleep(pause)
                    if until is not None and clock.monotonic() > until:
                        break
            except Interrupted:
                raise
            except DaftarError as refusal:
                self.fail(refusal.message)

    def _batch(self, progress: Progress | None) -> None:
        if self._status is None:
            self._open()
        for attempt in range(1, TRIES + 1):
            try:
                self._once(progress)
            except IntegrityError:
                # Somebody wrote the same record a moment earlier; decided anew, the row finds it there.
                log.warning("A batch of import %s is decided anew.", self.import_id, exc_info=True)
                if attempt == TRIES:
                    raise
            else:
                return

    def _once(self, progress: Progress | None) -> None:
        if self._status is ImportStatus.CHECKING:
            self._try(progress)
            return
        with self.workshop.database.write(self.actor) as session:
            one_at_a_time(session)
            found = self._held(session)
            if self._status is ImportStatus.UNDOING:
                self._undo(session, found)
            else:
                self._write(session, found)
            report = (found.done, found.rows)
        self._safe()
        if progress:
            progress(*report)

    def _open(self) -> None:
        with self.workshop.database.read() as session:
            found = session.get_one(Import, self.import_id)
            seen = _seen(session, found) if found.cursor else {}
        self._status = found.status
        profile, mapping = profile_from_json(found.profile), from_json(found.mapping)
        writes = found.status is not ImportStatus.CHECKING
        currency = self.workshop.currency
        plan = make_plan(found.kind, profile.headers, mapping, currency, writes=writes)
        plan.seen = seen
        self._plan = plan
        if found.status is not ImportStatus.UNDOING:
            sheet = sheet_of(self.workshop.files.require(found.sha256), profile)
            self._rows = _after(sheet.rows(), found.cursor, plan)

    def _held(self, session: Session) -> Import:
        """Return the import for this batch, its claim renewed. Raise Interrupted when it is ours no more."""
        found = session.get(Import, self.import_id, with_for_update=True)
        if found is None:
            raise NotFound(_("There is no import %(id)s.", id=self.import_id))
        if found.claimed_by != self.holder or found.status is not self._status:
            raise Interrupted(_("The import was stopped, or is carried on by somebody else."))
        found.claimed_until = clock.now() + LEASE
        session.flush()
        return found

    def _next(self, plan: Plan) -> list[Entry]:
        """Return the rows of the present batch; the same ones until they are safe."""
        if self._waiting is None:
            self._waiting = [plan.reader.read(row) for row in islice(self._rows, BATCH)]
        return self._waiting

    def _safe(self) -> None:
        self._waiting = None
        if self._plan is not None:
            self._plan.safe()

    def _write(self, session: Session, found: Import) -> None:
        plan = self._known_plan()
        entries = self._next(plan)
        if not entries:
            self._finish_run(session, found)
            return
        steps, references = decide(session, self.actor, plan, entries)
        made = carry_out(session, self.actor, plan, steps, references, found.id)
        keep_rows(session, found.id, steps)
        _count(found, steps, [kind for kind, _name in made])

    def _try(self, progress: Progress | None) -> None:
        """Decide a batch without writing any record; only what would become of its rows is kept."""
        plan, database = self._known_plan(), self.workshop.database
        entries = self._next(plan)
        with database.read() as session:
            steps, _references = decide(session, self.actor, plan, entries)
        with database.write(self.actor) as session:
            found = self._held(session)
            keep_rows(session, found.id, steps)
            _count(found, steps, list(plan.would_make(steps)))
            if not entries:
                _end(found, ImportStatus.CHECKED)
                self.finished = True
            report = (found.done, found.rows)
        self._safe()
        if progress:
            progress(*report)

    def _finish_run(self, session: Session, found: Import) -> None:
        plan = self._known_plan()
        made = set_later_parents(session, self.actor, plan, found.id)
        if made is not None:
            found.counts = added(found.counts, ["company"] * made)
            return
        _end(found, ImportStatus.DONE)
        self.finished = True
        note(
            session,
            self.actor,
            "import",
            kind="import",
            record_id=found.id,
            changes={"file": found.file_name, **found.counts},
        )
        log.info("Import %s is done.", found.id, extra={"counts": dict(found.counts)})

    def _undo(self, session: Session, found: Import) -> None:
        words = undo_batch(session, self.actor, self._known_plan(), found.id)
        if words is None:
            _end(found, ImportStatus.UNDONE)
            found.undone_at = found.finished_at
            self.finished = True
            changes = dict(found.undo_counts)
            note(
                session,
                self.actor,
                "undo_import",
                kind="import",
                record_id=found.id,
                changes=changes,
            )
            log.info("Import %s is undone.", found.id, extra={"counts": changes})
            return
        found.undo_counts = added(found.undo_counts, words)
        found.done += len(words)

    def fail(self, message: str) -> None:
        """End the import as failed; what was written so far stays, and can be gone on with or undone.

        A trial that failed is a draft again, an undoing can be asked for once more.
        """
        after = {ImportStatus.CHECKING: ImportStatus.DRAFT, ImportStatus.UNDOING: ImportStatus.DONE}
        with self.workshop.database.write(self.actor) as session:
            found = self._held(session)
            _end(found, after.get(found.status, ImportStatus.FAILED))
            found.error = message
        self.finished = True

    def _known_plan(self) -> Plan:
        if self._plan is None:
            raise AssertionError("A run is opened before its first batch.")
        return self._plan


def one_at_a_time(session: Session) -> None:
    """Let one batch after the other read and write, as SQLite does anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _after(rows: Iterator[Row], cursor: int, plan: Plan) -> Iterator[Row]:
    """Yield the rows below the cursor; those before it are only remembered."""
    for row in rows:
        if row.line > cursor:
            yield row
        else:
            plan.reader.remember(row)


def _seen(session: Session, found: Import) -> dict[str, int]:
    rows = session.execute(
        select(ImportRow.key, ImportRow.line).where(
            ImportRow.import_id == found.id,
            ImportRow.key != "",
            ImportRow.outcome != Outcome.REFUSED,
        )
    )
    return {row.key: row.line for row in rows}


def _count(found: Import, steps: list[Step], made: list[str]) -> None:
    noted = ["noted" for step in steps if step.wish is not None and step.message]
    found.counts = added(found.counts, [*(step.outcome.value for step in steps), *noted, *made])
    found.done += len(steps)
    if steps:
        found.cursor = steps[-1].entry.line


def _end(found: Import, status: ImportStatus) -> None:
    found.status = status
    found.finished_at = clock.now()
    found.claimed_by, found.claimed_until = "", None
    found.error = ""
