"""Seats from the command line: who holds each, the days, and ending a device."""

import json
from collections.abc import Iterator
from datetime import date

import pytest

from server.core.actor import SYSTEM
from server.core.config import load_settings
from server.core.db import Database
from server.users.models import WebSession
from server.users.queries import user_by_email
from server.users.seat_history import note_day
from server.users.sign_in import actor_for
from server.users.slots import set_device_cap
from tests.installer.place import Place
from tests.server.users.devices import arrive

WINDOWS = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"


@pytest.fixture
def database(installed: Place) -> Iterator[Database]:
    """Give the database of an installation on which the administrator is connected."""
    opened = Database(load_settings(installed.home).database_url)
    with opened.write(SYSTEM) as session:
        set_device_cap(session, 7)
        root = user_by_email(session, "root@example.com")
        assert root is not None
    arrive(opened, actor_for(root), agent=WINDOWS)
    yield opened
    opened.dispose()


def test_each_seat_is_explained_to_people_and_to_programs(
    installed: Place, database: Database
) -> None:
    people = installed.run("seats", "explain")
    programs = installed.run("seats", "explain", "--json")
    devices = installed.run("seats", "explain", "--kind", "concurrent", "--json")

    assert people.exit_code == 0
    assert "Devices: 1 of 7 are connected." in people.stdout
    assert "Firefox on Windows" in people.stdout
    assert "Active accounts take a seat." in people.stdout
    found = json.loads(programs.stdout)
    assert list(found) == ["named", "service", "concurrent"]
    assert [one["name"] for one in found["named"]["items"]] == ["Root"]
    only = json.loads(devices.stdout)
    assert list(only) == ["concurrent"]
    assert (only["concurrent"]["used"], only["concurrent"]["cap"]) == (1, 7)


def test_the_days_are_listed(installed: Place, database: Database) -> None:
    before = installed.run("seats", "history")
    with database.write(SYSTEM) as session:
        note_day(session, date(2027, 1, 15))

    people = installed.run("seats", "history")
    programs = json.loads(installed.run("seats", "history", "--days", "5", "--json").stdout)

    assert "a minute after the server starts" in before.stdout
    assert "Jan 15, 2027" in people.stdout
    assert "1 of 7" in people.stdout
    assert [day["day"] for day in programs["items"]] == ["2027-01-15"]
    assert installed.run("seats", "history", "--days", "0").exit_code == 2


def test_a_device_is_ended_by_its_number(installed: Place, database: Database) -> None:
    with database.read() as session:
        device = session.query(WebSession).one().id

    ended = installed.run("seats", "end", str(device))
    again = installed.run("seats", "end", str(device))

    assert (ended.exit_code, again.exit_code) == (0, 2)
    assert "its slot is free" in ended.stdout
    assert "signed out already" in again.stderr
    with database.read() as session:
        assert session.query(WebSession).count() == 0
