"""Every route and what it does in each licence mode: a new room decides here, and no room strays from it."""

from collections.abc import Mapping

import pytest

from server.core.db import Database
from server.core.entitlements import Entitlements
from server.http.app import DaftarFlask
from server.http.licence_gate import covers
from tests.server.http.walk import Route, routes

MODES = ("setup", "read_only", "locked")
OPEN, RECORDS = "open in every mode", "records: read while reading is allowed"

# The longest beginning of an address decides.
ROOMS: Mapping[str, str] = {
    "/": OPEN,
    "/activities": RECORDS,
    "/api/docs": OPEN,
    "/api/v1/activities": RECORDS,
    "/api/v1/audit": RECORDS,
    "/api/v1/backups": OPEN,
    "/api/v1/companies": RECORDS,
    "/api/v1/deals": RECORDS,
    "/api/v1/exports": OPEN,
    "/api/v1/imports": RECORDS,
    "/api/v1/license": OPEN,
    "/api/v1/notices": OPEN,
    "/api/v1/openapi.json": OPEN,
    "/api/v1/people": RECORDS,
    "/api/v1/pipelines": RECORDS,
    "/api/v1/stages": RECORDS,
    "/api/v1/users": RECORDS,
    "/api/v1/users/me": OPEN,
    "/api/v1/users/1/deactivate": OPEN,
    "/audit": RECORDS,
    "/backups": OPEN,
    "/banners": OPEN,
    "/calendar": RECORDS,
    "/choose-password": OPEN,
    "/companies": RECORDS,
    "/deals": RECORDS,
    "/devices": OPEN,
    "/exports": OPEN,
    "/healthz": OPEN,
    "/history": RECORDS,
    "/imports": RECORDS,
    "/license": OPEN,
    "/metrics": OPEN,
    "/people": RECORDS,
    "/settings/notices": OPEN,
    "/settings/pipelines": RECORDS,
    "/settings/profile": OPEN,
    "/settings/stages": RECORDS,
    "/settings/users": RECORDS,
    "/settings/warnings": OPEN,
    "/sign-in": OPEN,
    "/sign-out": OPEN,
    "/tasks": RECORDS,
}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what a mode shuts does not depend on its kind."""
    return sqlite_database


def rule_of(path: str) -> str | None:
    """Return the rule of the room that an address belongs to."""
    fits = [room for room in ROOMS if path == room or (room != "/" and path.startswith(f"{room}/"))]
    return ROOMS[max(fits, key=len)] if fits else None


def open_in(route: Route) -> tuple[bool, ...]:
    """Return whether the route answers in each of the modes that shut something."""
    return tuple(
        route.known_access.public
        or covers(Entitlements(mode=mode), route.known_access, route.method)
        for mode in MODES
    )


def test_every_route_belongs_to_a_room(app: DaftarFlask) -> None:
    assert [str(route) for route in routes(app) if rule_of(route.path) is None] == []


def test_every_room_exists(app: DaftarFlask) -> None:
    paths = [route.path for route in routes(app)]
    unused = [
        room
        for room in ROOMS
        if not any(path == room or path.startswith(f"{room}/") for path in paths)
    ]

    assert unused == []


def test_what_has_to_stay_open_stays_open(app: DaftarFlask) -> None:
    shut = {
        str(route)
        for route in routes(app)
        if rule_of(route.path) == OPEN and open_in(route) != (True, True, True)
    }

    assert shut == {"POST /settings/profile/tokens"}  # what a new token is for is shut as well


def test_records_are_read_and_never_written_while_only_reading_works(app: DaftarFlask) -> None:
    strays = {
        str(route): open_in(route)
        for route in routes(app)
        if rule_of(route.path) == RECORDS
        and open_in(route) != (False, route.is_safe or route.known_access.reads, False)
    }

    # Taking seats and keys away from users, and what leads there.
    assert strays == dict.fromkeys(
        [
            "GET /settings/users",
            "GET /settings/users/1",
            "POST /settings/users/1/deactivate",
            "POST /settings/users/1/tokens/1/revoke",
        ],
        (True, True, True),
    )
