"""Devices for tests: people who sign in on them, and a running time that tests turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.users.models import ONLY_ROW, DeviceCounter, User, WebSession
from server.users.queries import device_seats, reserved_slots
from server.users.rules import Seats, Slot
from server.users.sign_in import Visitor, open_session, signed_in
from server.users.slots import count_slots, set_device_cap

OFFICE = "192.0.2.7"


def sell(database: Database, devices: int) -> None:
    """Let the licence cover so many devices."""
    with database.write(SYSTEM) as session:
        set_device_cap(session, devices)


def arrive(database: Database, actor: Actor, device: str = "", agent: str = "a browser") -> str:
    """Sign the actor in on the device of this cookie, an unknown one without; return the session's secret."""
    with database.write(SYSTEM) as session:
        user = session.get_one(User, actor.user_id)
        return open_session(session, user, Visitor(OFFICE, agent, device), hours=12)


def is_connected(database: Database, secret: str) -> bool:
    with database.read() as session:
        found = signed_in(session, secret)
    assert found is not None
    return found.connected


def id_of(database: Database, secret: str) -> int:
    with database.read() as session:
        found = signed_in(session, secret)
    assert found is not None
    return found.sign_in_id


def house(database: Database) -> tuple[Seats, int]:
    """Return the connected devices and the reserved slot, after seeing that counter and devices agree."""
    with database.read() as session:
        counted, reserved = device_seats(session), reserved_slots(session)
        assert count_slots(session, Slot.LICENSED) == counted.used
        assert count_slots(session, Slot.RESERVED) == reserved
        for device in session.query(WebSession):
            assert (device.slot is None) == (device.seen_s is None) == (device.connected_at is None)
    return counted, reserved


def counter(database: Database) -> DeviceCounter:
    with database.read() as session:
        return session.get_one(DeviceCounter, ONLY_ROW)


@dataclass
class RunningTime:
    """The clock that no administrator can turn; tests can."""

    seconds: float = 1_000.0

    def pass_minutes(self, minutes: float) -> None:
        self.seconds += minutes * 60


@contextmanager
def running_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningTime]:
    """Let the test say how much time passes."""
    time = RunningTime()
    with monkeypatch.context() as patch:
        patch.setattr(clock, "monotonic", lambda: time.seconds)
        yield time
