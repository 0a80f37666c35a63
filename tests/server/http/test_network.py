"""Clients of one server sit inside its networks (R-LIC-5); others are told why, and what to do."""

from dataclasses import replace

import pytest

from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.http.network import is_inside
from tests.server.conftest import Cast, api_of
from tests.server.http.test_sign_in import sign_in

PRIVATE = ("10.0.0.0/8", "192.168.0.0/16", "fc00::/7")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; networks do not depend on its kind."""
    return sqlite_database


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("fe80::1%eth0", False),
        ("203.0.113.9", False),
        ("::ffff:203.0.113.9", False),
        ("2001:db8::1", False),
        ("", False),
        (None, False),
        ("localhost", False),
    ],
)
def test_an_address_is_inside_or_outside(address: str | None, inside: bool) -> None:
    assert is_inside(address, PRIVATE) is inside


def statuses(app: DaftarFlask, database: Database, cast: Cast, address: str) -> list[int]:
    """Return how a browser and a program at that address fare, and who is not signed in."""
    client, _answer = sign_in(app, "anna@example.com")
    api = api_of(app, database, cast.anna)
    place = {"REMOTE_ADDR": address}
    return [
        client.get("/companies", environ_base=place).status_code,
        api.client.get("/api/v1/companies", headers=api.headers, environ_base=place).status_code,
        app.test_client().get("/sign-in", environ_base=place).status_code,
        app.test_client().get("/healthz", environ_base=place).status_code,
    ]


@pytest.mark.parametrize(
    ("mode", "address", "expected"),
    [
        ("enforce", "10.1.2.3", [200, 200, 200, 200]),
        ("enforce", "127.0.0.1", [200, 200, 200, 200]),
        ("enforce", "203.0.113.9", [403, 403, 200, 200]),
        ("warn", "203.0.113.9", [200, 200, 200, 200]),
        ("off", "203.0.113.9", [200, 200, 200, 200]),
    ],
)
def test_the_licence_says_who_is_served(
    app: DaftarFlask,
    database: Database,
    board: EntitlementsBoard,
    cast: Cast,
    mode: str,
    address: str,
    expected: list[int],
) -> None:
    board.publish(replace(UNLIMITED, networks=PRIVATE, network_mode=mode))

    assert statuses(app, database, cast, address) == expected


def test_the_refusal_names_the_address_and_the_way_out(
    app: DaftarFlask, database: Database, board: EntitlementsBoard, cast: Cast
) -> None:
    board.publish(replace(UNLIMITED, networks=PRIVATE, network_mode="enforce"))
    api = api_of(app, database, cast.anna)

    answer = api.client.get(
        "/api/v1/companies", headers=api.headers, environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )

    problem = answer.get_json()
    assert (problem["status"], problem["code"]) == (403, "outside_network")
    assert "203.0.113.9" in problem["detail"]
    assert "licence for your site" in problem["detail"]


def test_a_page_says_so_too(
    app: DaftarFlask, database: Database, board: EntitlementsBoard, cast: Cast
) -> None:
    board.publish(replace(UNLIMITED, networks=PRIVATE, network_mode="enforce"))
    client, _answer = sign_in(app, "anna@example.com")

    page = client.get("/companies", environ_base={"REMOTE_ADDR": "203.0.113.9"})

    assert page.status_code == 403
    assert "203.0.113.9" in page.get_data(as_text=True)
