"""Working off the queue in the scheduler's process, beside its other jobs, which must not wait."""

import logging
import threading

from backup.plan import Kind
from server.backups.models import BackupRun
from server.backups.rules import Action
from server.backups.runs import Runs, Wish, ask, asker
from server.backups.service import BackupOffice
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import DaftarError
from server.core.format import Display, set_display
from server.core.i18n import set_locale

log = logging.getLogger(__name__)


class Worker:
    """Takes one wish after the other. A backup is proved right after it, and only then old ones go."""

    def __init__(self, office: BackupOffice, database: Database) -> None:
        self._office = office
        self._database = database
        self._runs = Runs(database, office.settings.run_dir)
        self._thread: threading.Thread | None = None

    def ask_daily(self) -> None:
        """Ask for the backup of the day (R-BAK-1)."""
        if self._office.settings.backup.enabled:
            self._ask(Wish(Action.RUN, Kind.DAILY))

    def look(self) -> None:
        """Mirror what lies on the disk, also what somebody changed there."""
        self._office.look()

    def keep_going(self) -> None:
        """See to it that somebody works while wishes wait; return at once."""
        self._runs.settle_dead()
        if (self._thread is not None and self._thread.is_alive()) or not self._runs.next_waiting():
            return
        self._thread = threading.Thread(target=self.work_off, name="backups", daemon=True)
        self._thread.start()

    def work_off(self) -> None:
        """Work until no wish waits."""
        organization = self._office.settings.organization
        set_locale(organization.locale)  # what goes wrong is kept in the words of the house
        set_display(Display(zone=organization.timezone))
        while (wanted := self._runs.next_waiting()) is not None:
            try:
                self._do(wanted)
            except DaftarError as refusal:
                log.warning("The backup run %s did not succeed: %s", wanted.id, refusal.message)
            except Exception:
                log.exception("The backup run %s ended in a fault.", wanted.id)
            if self._still_waits(wanted):
                return  # it could not even be taken; the next look tries again

    def _do(self, wanted: BackupRun) -> None:
        actor, office = asker(wanted), self._office
        if wanted.action is Action.RUN:
            made = office.run(actor, wanted.kind or Kind.MANUAL, queued=wanted.id)
            self._ask(Wish(Action.VERIFY, None, made.id))
        elif wanted.action is Action.VERIFY:
            _name, found = office.verify(actor, wanted.set_name or None, queued=wanted.id)
            if found.ok:
                self._ask(Wish(Action.PRUNE))
        else:
            office.prune(actor, queued=wanted.id)

    def _ask(self, wish: Wish) -> None:
        with self._database.write(SYSTEM) as session:
            ask(session, SYSTEM, wish)

    def _still_waits(self, wanted: BackupRun) -> bool:
        waiting = self._runs.next_waiting()
        return waiting is not None and waiting.id == wanted.id
