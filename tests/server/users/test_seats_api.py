"""Seats over JSON, and every door at which a seat is newly taken."""

from typing import Any

import pytest

from server.core.actor import SYSTEM
from server.core.db import Database
from server.http.app import DaftarFlask
from server.users.models import User, WebSession
from server.users.queries import count_seats, seats
from server.users.rules import Seats, UserDraft, UserKind, UserStatus
from server.users.seat_history import note_day
from server.users.service import create_user, deactivate_user, set_seat_caps
from tests.server.conftest import Api, Cast, api_of
from tests.server.http.test_sign_in import form_token, sign_in
from tests.server.users.devices import arrive, house, sell
from tests.server.users.test_holders import TODAY

SEATS = "/api/v1/license/seats"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give one kind of database; the lists are proved on both below."""
    return sqlite_database


@pytest.fixture
def root(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    return api_of(app, database, cast.root)


def read(api: Api, address: str) -> dict[str, Any]:
    answer = api.client.get(address, headers=api.headers)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_api_explains_each_kind_of_seat(root: Api, database: Database, cast: Cast) -> None:
    sell(database, 7)
    arrive(database, cast.anna, agent="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")

    named = read(root, f"{SEATS}?limit=2")
    devices = read(root, f"{SEATS}?kind=concurrent&filter[counts]=yes")

    assert (named["kind"], named["used"], named["cap"], named["total"]) == ("named", 4, 10, 4)
    assert named["next_cursor"] is not None
    [one] = devices["items"]
    assert (devices["used"], devices["cap"]) == (1, 7)
    assert one["device"] == "Firefox on Windows"
    assert (one["name"], one["status"], one["counts"]) == ("Anna", "licensed", True)
    assert one["since"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=everything", "kind"),
        ("filter[counts]=perhaps", "filter[counts]"),
        ("kind=concurrent&sort=name", "sort"),
        ("cursor=nonsense", "cursor"),
    ],
)
def test_what_cannot_be_asked_is_refused(root: Api, query: str, field: str) -> None:
    answer = root.client.get(f"{SEATS}?{query}", headers=root.headers)

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == field


def test_the_api_tells_the_history(root: Api, database: Database) -> None:
    with database.write(SYSTEM) as session:
        note_day(session, TODAY)

    found = read(root, f"{SEATS}/history?filter[day][gte]=2027-01-01")

    assert found["items"] == [
        {
            "day": "2027-01-15",
            "named_used": 4,
            "named_cap": 10,
            "service_used": 0,
            "service_cap": 2,
            "concurrent_peak": 0,
            "concurrent_cap": None,
        }
    ]


def test_an_administrator_ends_a_device(
    root: Api, app: DaftarFlask, database: Database, cast: Cast
) -> None:
    sell(database, 3)
    arrive(database, cast.anna)
    with database.read() as session:
        device = session.query(WebSession).one().id
    ben = api_of(app, database, cast.ben)

    refused = ben.client.post(f"{SEATS}/devices/{device}/end", headers=ben.headers)
    ended = root.client.post(f"{SEATS}/devices/{device}/end", headers=root.headers)
    again = root.client.post(f"{SEATS}/devices/{device}/end", headers=root.headers)

    assert (refused.status_code, ended.status_code, again.status_code) == (403, 204, 404)
    assert house(database) == (Seats(0, 3), 0)


def test_every_door_at_which_a_seat_is_taken_asks_the_counter(
    root: Api, app: DaftarFlask, database: Database, cast: Cast
) -> None:
    with database.write(SYSTEM) as session:
        invited = create_user(
            session, SYSTEM, UserDraft("dora@example.com", "Dora", status=UserStatus.INVITED)
        ).id
        deactivate_user(session, cast.root, cast.ben.user_id or 0)
        set_seat_caps(session, {UserKind.HUMAN: 3, UserKind.SERVICE: 0})
    client = sign_in(app, "root@example.com")[0]
    token = form_token(client.get("/settings/users/new").get_data(as_text=True))
    link = client.post(f"/settings/users/{invited}/link", data={"csrf_token": token})
    path = (
        "/choose-password/"
        + link.get_data(as_text=True).split("/choose-password/")[1].split("<")[0]
    )
    form = {
        "csrf_token": token,
        "kind": "human",
        "display_name": "Emil",
        "email": "emil@example.com",
        "role": "sales",
        "locale": "en",
        "way": "password",
        "password": "seven-blue-lanterns",
    }
    body = {"email": "emil@example.com", "display_name": "Emil", "password": "seven-blue-lanterns"}
    program = {"email": "robot@example.com", "display_name": "Robot", "kind": "service"}
    ben = cast.ben.user_id
    answers = {
        "the form": client.post("/settings/users/new", data=form),
        "the form, a program": client.post("/settings/users/new", data={**form, "kind": "service"}),
        "reactivating": client.post(
            f"/settings/users/{ben}/reactivate", data={"csrf_token": token}
        ),
        "the invitation": client.post(
            path, data={"csrf_token": token, "password": "seven-blue-lanterns"}
        ),
        "the API": root.client.post("/api/v1/users", json=body, headers=root.headers),
        "the API, a program": root.client.post("/api/v1/users", json=program, headers=root.headers),
        "the API, reactivating": root.client.post(
            f"/api/v1/users/{ben}/reactivate", headers=root.headers
        ),
    }

    assert {door: answer.status_code for door, answer in answers.items()} == dict.fromkeys(
        answers, 402
    )
    with database.read() as session:
        assert seats(session) == Seats(3, 3)
        assert count_seats(session) == 3
        assert session.query(User).filter(User.email_key == "emil@example.com").count() == 0


def test_no_door_changes_what_kind_of_seat_an_account_takes(root: Api, cast: Cast) -> None:
    headers = {**root.headers, "If-Match": '"1"'}
    answer = root.client.patch(
        f"/api/v1/users/{cast.anna.user_id}", json={"kind": "service"}, headers=headers
    )

    assert answer.status_code == 422


def test_signing_in_asks_no_seat_of_a_user(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 1})

    for name in ("anna", "ben", "guest", "root"):
        client, answer = sign_in(app, f"{name}@example.com")
        assert answer.status_code == 302
        assert client.get("/settings/profile").status_code == 200
