"""Warnings over JSON."""

from typing import Any

import pytest

from server.core.db import Database
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.core.outbox import Message, enqueue
from server.http.app import DaftarFlask
from tests.server.conftest import Api, Cast, api_of


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the API tells does not depend on its kind."""
    return sqlite_database


RITA = {"name": "Rita", "email": "rita@example.com", "phone": "0912 123 4567", "locale": "fa"}


def ask(api: Api, method: str, path: str, body: Any = None) -> Any:
    return api.client.open(f"/api/v1/notices{path}", method=method, json=body, headers=api.headers)


def test_programs_read_the_record_and_send_again(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    made = ask(api, "POST", "/test", {"channel": "sms", "to": "0912 123 4567"})
    number = made.get_json()["id"]

    listed = ask(api, "GET", "?filter[state]=waiting&filter[channel]=sms").get_json()
    one = ask(api, "GET", f"/{number}").get_json()
    again = ask(api, "POST", f"/{number}/send-again")

    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/notices/{number}"
    assert [(item["to"], item["purpose"]) for item in listed["items"]] == [
        ("+989121234567", "test")
    ]
    assert "text" not in listed["items"][0]
    assert one["text"].startswith("This is a test.")
    assert (again.status_code, again.get_json()["id"]) == (201, number)
    assert ask(api, "GET", "/999999").status_code == 404


def test_the_text_of_a_secret_message_is_not_told(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    with database.write() as session:
        enqueue(
            session,
            Message("email", "ben@example.com", "Link", "https://x/y", "sign_in", "k", secret=True),
        )

    assert ask(api, "GET", "/1").get_json()["text"] == ""


def test_the_representative_is_named_and_read(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    nobody = ask(api, "GET", "/representative")

    named = ask(api, "PUT", "/representative", RITA)

    assert nobody.status_code == 404
    assert named.get_json() == {**RITA, "phone": "+989121234567"}
    assert ask(api, "GET", "/representative").get_json() == named.get_json()


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/representative", {**RITA, "email": "rita"}, "email"),
        ("PUT", "/representative", {**RITA, "locale": "de"}, "locale"),
        ("PUT", "/representative", {**RITA, "age": 7}, "age"),
        ("PUT", "/ways", {"by_email": True, "by_sms": True, "phone": "12"}, "phone"),
        ("PUT", "/ways", {"by_email": "yes", "by_sms": True}, "by_email"),
        ("POST", "/test", {"channel": "pigeon", "to": "anna@example.com"}, "channel"),
        ("POST", "/test", {"channel": "email", "to": "anna"}, "to"),
    ],
)
def test_what_does_not_fit_is_told_by_field(
    app: DaftarFlask, database: Database, cast: Cast, method: str, path: str, body: Any, field: str
) -> None:
    answer = ask(api_of(app, database, cast.root), method, path, body)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.get_json()["errors"]]


def test_everybody_chooses_their_own_ways_and_sees_nothing_else(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.guest)
    first = ask(api, "GET", "/ways").get_json()

    kept = ask(api, "PUT", "/ways", {"by_email": False, "by_sms": False})

    assert first == {"by_email": True, "by_sms": True, "phone": ""}
    assert kept.get_json() == {"by_email": False, "by_sms": False, "phone": ""}
    assert ask(api, "GET", "/ways").get_json() == kept.get_json()
    assert {ask(api, "GET", path).status_code for path in ("", "/1", "/representative")} == {403}


def test_a_locked_server_still_tells_programs(
    app: DaftarFlask, database: Database, cast: Cast, board: EntitlementsBoard
) -> None:
    api = api_of(app, database, cast.root)
    board.publish(Entitlements(mode="locked", reason="term_ended"))

    assert ask(api, "GET", "").status_code == 200
