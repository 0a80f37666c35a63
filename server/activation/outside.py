"""Who used Daftar from outside the networks of the licence: counted in the process, written once a minute.

No page view writes: the counts are gathered in memory and flushed by a thread of the web process.
"""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.activation.models import OutsideVisit
from server.core import clock
from server.core.actor import Actor
from server.core.db import Database

log = logging.getLogger(__name__)

FLUSH_S = 60.0
MOST_KEPT = 500  # addresses a minute: whoever wanders through addresses must not fill our memory
KEPT_FOR = timedelta(days=90)
RECENT = timedelta(days=7)

_Key = tuple[date, str, bool]


@dataclass(frozen=True)
class _Seen:
    count: int
    last_at: datetime
    user_id: int | None


class OutsideTally:
    """Counts in memory what is flushed to the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[_Key, _Seen] = {}
        self._lock = threading.Lock()

    def note(self, address: str, user_id: int | None, *, refused: bool) -> None:
        """Count one request from outside."""
        now = clock.now()
        key = (now.date(), address, refused)
        with self._lock:
            known = self._seen.get(key)
            if known is None and len(self._seen) >= MOST_KEPT:
                return
            count = known.count if known else 0
            self._seen[key] = _Seen(count + 1, now, user_id)

    def flush(self) -> None:
        """Write down what was counted; it is kept for the next time when the database refuses."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            with self._database.write() as session:
                for key, found in seen.items():
                    _add(session, key, found)
                session.execute(
                    delete(OutsideVisit).where(OutsideVisit.day < clock.now().date() - KEPT_FOR)
                )
        except Exception:
            self._put_back(seen)
            raise

    def _put_back(self, seen: dict[_Key, _Seen]) -> None:
        with self._lock:
            for key, found in seen.items():
                later = self._seen.get(key, replace(found, count=0))
                self._seen[key] = replace(later, count=later.count + found.count)

    def watch(self, stop: threading.Event) -> None:
        """Flush once a minute until `stop`, and at the end."""
        while not stop.wait(FLUSH_S):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except Exception:
            log.exception("Who came from outside could not be written down; it is tried again.")


def _add(session: Session, key: _Key, found: _Seen) -> None:
    known = session.get(OutsideVisit, key, with_for_update=True)
    if known is None:
        day, address, refused = key
        known = OutsideVisit(day=day, address=address, refused=refused, count=0)
        session.add(known)
    known.count += found.count
    known.last_at, known.last_user_id = found.last_at, found.user_id


def count_recent(session: Session) -> int:
    """Return how many requests came from outside in the last seven days, refused or not."""
    since = clock.now().date() - RECENT
    query = select(func.sum(OutsideVisit.count)).where(OutsideVisit.day >= since)
    return int(session.scalar(query) or 0)


def recent_visits(session: Session, actor: Actor, limit: int = 200) -> list[OutsideVisit]:
    """Return what came from outside lately, the newest first."""
    actor.must("license.manage")
    query = select(OutsideVisit).order_by(OutsideVisit.day.desc(), OutsideVisit.last_at.desc())
    return list(session.scalars(query.limit(limit)))
