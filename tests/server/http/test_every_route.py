"""Every route of both doors, walked one after the other: who comes in, what is written, what a licence shuts."""

import json
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from server.core.actor import Actor
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.users.queries import get_user
from server.users.rules import ALL_PERMISSIONS, UserStatus
from tests.server.conftest import Cast
from tests.server.http.test_sign_in import sign_in
from tests.server.http.walk import (
    all_rows,
    become,
    routes,
    walker,
    write_some_records,
)

CODES = {
    "locked": "license_locked",
    "read_only": "license_read_only",
    "setup": "license_setup",
}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; who comes in does not depend on its kind."""
    return sqlite_database


def test_every_route_says_who_may_come_in(app: DaftarFlask) -> None:
    found = routes(app)

    assert len(found) > 100
    assert [str(route) for route in found if route.access is None] == []


def test_every_permission_that_a_route_names_exists(app: DaftarFlask) -> None:
    named = {route.known_access.permission for route in routes(app)} - {None}

    assert named - ALL_PERMISSIONS == set()


def test_what_says_nothing_is_closed_even_to_administrators(app: DaftarFlask, cast: Cast) -> None:
    app.add_url_rule("/forgotten", endpoint="forgotten", view_func=lambda: "secret")
    become(app, cast.root)

    answer = app.test_client().get("/forgotten")

    assert answer.status_code == 403
    assert "secret" not in answer.get_data(as_text=True)


def test_a_stranger_is_turned_away_everywhere_but_on_public_routes(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    write_some_records(app, database, cast)
    stranger = walker(app, None)
    before = all_rows(database)
    let_in = []
    for route in routes(app):
        if route.known_access.public:
            continue
        answer = stranger.visit(route)
        led_away = answer.status_code == 302 and answer.location.startswith("/sign-in")
        refused = answer.status_code == 401 and answer.get_json()["code"] == "not_signed_in"
        if not (refused if route.is_api else led_away):
            let_in.append((str(route), answer.status_code))

    assert let_in == []
    assert all_rows(database) == before


def test_the_public_routes_are_these(app: DaftarFlask) -> None:
    """A new public route is a decision: it is written down here."""
    public = {route.endpoint for route in routes(app) if route.known_access.public}

    assert public == {
        "health.healthz",
        "metrics.metrics",
        "openapi",
        "users.choose_password",
        "users.enter",
        "users.sign_in",
        "users.use_link",
    }


def test_without_its_permission_no_route_lets_a_colleague_in(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    write_some_records(app, database, cast)
    nobody = walker(app, Actor(user_id=cast.guest.user_id, name="Guest"))
    before = all_rows(database)
    let_in = []
    for route in routes(app):
        if route.known_access.permission is None:
            continue
        answer = nobody.visit(route)
        if answer.status_code != 403:
            let_in.append((str(route), answer.status_code))

    assert let_in == []
    assert all_rows(database) == before


def test_one_permission_too_few_is_too_few(app: DaftarFlask, cast: Cast) -> None:
    """Whoever may do everything else still may not do this."""
    somebody = walker(app, cast.root)
    let_in = []
    for route in routes(app):
        permission = route.known_access.permission
        if permission is None:
            continue
        become(app, replace(cast.root, permissions=ALL_PERMISSIONS - {permission}))
        answer = somebody.visit(route)
        if answer.status_code != 403:
            let_in.append((str(route), answer.status_code))

    assert let_in == []


def test_every_form_needs_its_token(app: DaftarFlask, database: Database, cast: Cast) -> None:
    write_some_records(app, database, cast)
    become(app, cast.root)
    client = app.test_client()
    before = all_rows(database)
    taken = [
        (str(route), answer.status_code)
        for route in routes(app)
        if not route.is_safe and not route.is_api
        if (answer := client.open(route.path, method=route.method)).status_code != 400
    ]

    assert taken == []
    assert all_rows(database) == before


@pytest.mark.parametrize("mode", CODES)
def test_the_licence_shuts_every_route_that_is_not_always_open(
    app: DaftarFlask, database: Database, board: EntitlementsBoard, cast: Cast, mode: str
) -> None:
    write_some_records(app, database, cast)
    board.publish(replace(UNLIMITED, mode=mode, reason="no_contact"))
    root = walker(app, cast.root)
    wrong = []
    for route in routes(app):
        access = route.known_access
        reads = mode == "read_only" and (route.is_safe or access.reads)
        answer = root.visit(route)
        if access.always or access.public or reads:
            right = answer.status_code != 402
        else:
            right = answer.status_code == 402 and _says(answer, CODES[mode])
        if not right:
            wrong.append((str(route), answer.status_code))

    assert wrong == []


def _says(answer: TestResponse, code: str) -> bool:
    """Tell whether the answer says what holds: a code for programs, the way out for people."""
    if answer.is_json or answer.content_type == "application/problem+json":
        return bool(json.loads(answer.data)["code"] == code)
    return "licence page" in answer.get_data(as_text=True)


def test_before_the_activation_the_first_page_leads_the_administrator_to_the_licence(
    app: DaftarFlask, board: EntitlementsBoard, cast: Cast
) -> None:
    board.publish(replace(UNLIMITED, mode="setup", reason="not_activated"))
    root, guest = walker(app, cast.root), app.test_client()

    led = root.client.get("/")
    become(app, cast.guest)

    assert (led.status_code, led.location) == (302, "/license")
    assert guest.get("/").status_code == 200


def test_a_locked_server_keeps_the_ways_out_open(
    app: DaftarFlask, database: Database, board: EntitlementsBoard, cast: Cast
) -> None:
    """licensing.md §1 principle 4: sign-in, backups, deactivating users, health."""
    board.publish(replace(UNLIMITED, mode="locked", reason="term_ended"))
    client, answer = sign_in(app, "root@example.com")
    page = client.get("/settings/users").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    opened = {
        path: client.get(path).status_code
        for path in ("/settings/users", "/settings/profile", "/healthz", "/sign-in")
    }
    leaving = client.post(
        f"/settings/users/{cast.ben.user_id}/deactivate", data={"csrf_token": token}
    )

    assert answer.status_code == 302
    assert opened == {
        "/settings/users": 200,
        "/settings/profile": 200,
        "/healthz": 200,
        "/sign-in": 302,
    }
    assert leaving.status_code == 302
    with database.read() as session:
        ben = get_user(session, cast.root, cast.ben.user_id or 0)
    assert ben.status is UserStatus.DEACTIVATED
    assert client.get("/companies").status_code == 402
