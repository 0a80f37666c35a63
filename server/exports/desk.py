"""Writing exports that people asked for, in a thread of the scheduler's process, whose jobs must not wait."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from server.activation.service import LicenseOffice
from server.core import clock
from server.core.actor import Actor
from server.core.config import Settings
from server.core.db import Database
from server.core.errors import DaftarError, Interrupted, NotAllowed
from server.core.i18n import gettext as _
from server.core.i18n import use_locale
from server.exports import service
from server.exports.archive import write_archive

log = logging.getLogger(__name__)

TELL_S = 1.0

ActorOf = Callable[[Session, int | None], Actor]


class ExportDesk:
    """Takes one export after the other, in every licence mode: data is never held back."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        office: LicenseOffice | None,
        actor_of: ActorOf,
    ) -> None:
        self._settings = settings
        self._database = database
        self._source = service.source_of(settings, database, office)
        self._actor_of = actor_of
        self._thread: threading.Thread | None = None
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"

    def keep_going(self) -> None:
        """See to it that somebody writes while exports wait; return at once."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._database.read() as session:
            if not service.is_waiting(session):
                return
        self._thread = threading.Thread(target=self.work_off, name="exports", daemon=True)
        self._thread.start()

    def expire(self) -> None:
        """Remove the files that were kept long enough."""
        with self._database.write() as session:
            removed = service.expire(session, self._settings)
        if removed:
            log.info("Removed %s old exports.", removed)

    def work_off(self) -> None:
        """Write until no export waits."""
        while self._one():
            pass

    def _one(self) -> bool:
        with self._database.write() as session:
            if not service.is_waiting(session):
                return False
            found = service.claim(session, self.holder)
            if found is None:
                return True
            actor = self._actor_of(session, found.created_by_id)
            export_id, name = found.id, found.created_by_name
        actor = actor if actor.user_id is not None else replace(actor, name=name)
        with use_locale(actor.locale):
            self._write(export_id, actor)
        return True

    def _write(self, export_id: int, actor: Actor) -> None:
        self._sweep(export_id)
        target = service.path_of(self._settings, export_id)
        try:
            written = write_archive(self._source, actor, target, self._teller(export_id))
        except Interrupted:
            log.info("Export %s was stopped.", export_id)
        except NotAllowed as refusal:
            self._fail(export_id, refusal.message)
        except DaftarError as refusal:
            log.warning("Export %s failed: %s", export_id, refusal.message)
            self._fail(export_id, refusal.message)
        except Exception:
            log.exception("Export %s failed.", export_id)
            self._fail(
                export_id,
                _("An error that the server's log describes stopped it. Ask an administrator."),
            )
        else:
            with self._database.write() as session:
                found = service.held(session, export_id, self.holder)
                if found is None:
                    target.unlink(missing_ok=True)  # removed at the last moment
                    return
                found.rows = found.done = written.rows
                found.counts, found.bytes = dict(written.counts), written.bytes
                found.sha256 = written.sha256
                service.finish(found)
            log.info("Export %s is ready.", export_id, extra={"rows": written.rows})

    def _teller(self, export_id: int) -> Callable[[int, int], None]:
        told = 0.0

        def tell(done: int, rows: int) -> None:
            nonlocal told
            if clock.monotonic() - told < TELL_S:
                return
            told = clock.monotonic()
            with self._database.write() as session:
                ours = service.keep_claim(session, export_id, self.holder, done, rows)
            if not ours:
                raise Interrupted(_("The export was stopped, or is carried on by somebody else."))

        return tell

    def _fail(self, export_id: int, reason: str) -> None:
        with self._database.write() as session:
            found = service.held(session, export_id, self.holder)
            if found is not None:
                service.finish(found, error=reason)

    def _sweep(self, export_id: int) -> None:
        """Remove what a process that died left of this export."""
        for left in service.folder_of(self._settings).glob(f".{export_id}.zip.*.part"):
            left.unlink(missing_ok=True)
