"""The import desk of the scheduler's process: it takes what waits and works on it, a few seconds at a time."""

import logging
import os
import secrets
import socket
from collections.abc import Callable

from sqlalchemy.orm import Session

from server.core import clock
from server.core.actor import Actor
from server.core.entitlements import EntitlementsBoard
from server.core.errors import Interrupted
from server.core.i18n import gettext as _
from server.exchange.queries import is_work_waiting
from server.exchange.run import Run, Workshop
from server.exchange.service import claim_next, let_go

log = logging.getLogger(__name__)

SLICE_S = 20.0  # other jobs of the clock wait for as long
PAUSE_S = 0.12  # a writer who waits for SQLite looks every 0.1 s whether it is his turn
OURS = "jobs:"

ActorOf = Callable[[Session, int | None], Actor]


class ImportDesk:
    """Works on imports that people asked for in the browser or over the API, one after the other."""

    def __init__(self, workshop: Workshop, board: EntitlementsBoard, actor_of: ActorOf) -> None:
        self._workshop = workshop
        self._board = board
        self._actor_of = actor_of
        self._run: Run | None = None
        self.holder = f"{OURS}{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def work(self) -> None:
        """Work on what waits until it is done or the time is up; nothing while the licence allows no writing."""
        until = clock.monotonic() + SLICE_S
        while self._board.verdict.may_write and clock.monotonic() < until:
            run = self._run or self._next()
            if run is None:
                return
            self._run = run
            if not self._work_on(run, until):
                self._run = None

    def _next(self) -> Run | None:
        with self._workshop.database.read() as session:
            if not is_work_waiting(session):
                return None
        with self._workshop.database.write() as session:
            found = claim_next(session, self.holder, OURS)
            if found is None:
                return None
            actor = self._actor_of(session, found.acting_id)
            return Run(self._workshop, actor, found.id, self.holder)

    def _work_on(self, run: Run, until: float) -> bool:
        """Work on one import; tell whether there is more to do on it."""
        try:
            alone = self._workshop.database.dialect == "sqlite"
            run.work(until, pause=PAUSE_S if alone else 0)
        except Interrupted:
            log.info("Import %s was stopped.", run.import_id)
            return False
        except Exception:
            log.exception("Import %s failed.", run.import_id)
            self._give_up(run)
            return False
        return not run.finished

    def _give_up(self, run: Run) -> None:
        try:
            run.fail(
                _(
                    "The import stopped at an error that the server's log describes. Ask an administrator."
                )
            )
        except Interrupted:
            with self._workshop.database.write() as session:
                let_go(session, run.import_id, self.holder)
