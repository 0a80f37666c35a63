"""Who is there, as one process knows it: gathered in memory and written down once a minute.

So a page view writes nothing (architecture.md, "Data"). The process counts time by the monotonic clock and
tells how much of it passed; server.users.slots adds that to the running time of the installation.
"""

import logging
import threading
from datetime import datetime

from server.core import clock
from server.core.db import Database
from server.users.models import ONLY_ROW, DeviceCounter
from server.users.slots import SILENT_S, Beat, Sight, write_beat

log = logging.getLogger(__name__)

BEAT_S = 60.0
HURRY_S = SILENT_S - 2 * BEAT_S  # silent for so long, a device is told of at once


class Presence:
    """Gathers who was heard of; `keep` tells the database until it is stopped."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._devices: dict[int, tuple[datetime, float]] = {}
        self._users: dict[int, datetime] = {}
        self._since: int | None = None
        self._anchor = clock.monotonic()
        self._lock = threading.Lock()
        self._hurry = threading.Event()

    def saw(self, user_id: int, device: int | None = None, seen_s: int | None = None) -> None:
        """Remember that the user was there, on this device and last seen at `seen_s` running seconds."""
        now = clock.now()
        with self._lock:
            self._users[user_id] = now
            if device is not None:
                self._devices[device] = (now, clock.monotonic())
        if seen_s is not None and self._running_s() - seen_s > HURRY_S:
            self._hurry.set()

    def _running_s(self) -> float:
        """Return the running time as far as this process knows it; 0 before its first beat."""
        return 0.0 if self._since is None else self._since + clock.monotonic() - self._anchor

    def beat(self) -> None:
        """Write down who was there since the last beat. Nothing is written while nobody is connected."""
        moment = clock.monotonic()
        with self._lock:
            devices, users = self._devices, self._users
            self._devices, self._users = {}, {}
        if not devices and not users and self._is_idle():
            self._anchor = moment
            return
        try:
            with self.database.write() as session:
                running = write_beat(session, self._beat(moment, devices, users))
        except Exception:
            with self._lock:  # nobody is forgotten because the database was away for a minute
                self._devices = devices | self._devices
                self._users = users | self._users
            raise
        self._since, self._anchor = running, self._anchor + self._passed(moment)

    def _passed(self, moment: float) -> int:
        return int(moment - self._anchor)

    def _beat(
        self, moment: float, devices: dict[int, tuple[datetime, float]], users: dict[int, datetime]
    ) -> Beat:
        seen = {number: Sight(at, moment - heard) for number, (at, heard) in devices.items()}
        return Beat(self._since, self._passed(moment), seen, users)

    def _is_idle(self) -> bool:
        with self.database.read() as session:
            counter = session.get(DeviceCounter, ONLY_ROW)
        if counter is None:
            return True
        if counter.used or counter.reserved:
            return False
        self._since = counter.running_s
        return True

    def keep(self, stop: threading.Event) -> None:
        """Beat once a minute until `stop`, and at once when a device that was silent for long comes back."""
        while True:
            try:
                self.beat()
            except Exception:
                log.exception("Who is connected could not be written down; it is tried again.")
            if stop.is_set():
                return
            self._hurry.wait(BEAT_S)
            self._hurry.clear()
