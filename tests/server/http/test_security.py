"""What every answer carries, and what attackers try at the door."""

import json

import pytest
from flask import Flask

from server.app import SESSION_COOKIE
from server.core import passwords
from server.core.db import Database
from server.http.app import MAX_JSON, DaftarFlask
from server.users.rules import (
    FAILURES_ALLOWED,
    FAILURES_ALLOWED_PER_ADDRESS,
    Role,
    UserDraft,
    UserKind,
)
from server.users.service import create_user
from tests.server.conftest import PASSWORD, Cast, api_of
from tests.server.http.test_sign_in import form_token, sign_in

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the door does not depend on its kind."""
    return sqlite_database


@pytest.mark.parametrize("path", ["/sign-in", "/no-such-page", "/api/v1/deals", "/healthz", "/"])
def test_every_answer_has_the_strict_policy_and_is_not_kept(app: Flask, path: str) -> None:
    headers = app.test_client().get(path).headers

    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert len(headers["X-Request-Id"]) == 16
    assert "Server" not in headers


def test_only_tls_asks_browsers_to_stay_with_tls(app: Flask) -> None:
    client = app.test_client()

    assert "Strict-Transport-Security" not in client.get("/sign-in").headers
    safe = client.get("/sign-in", base_url="https://localhost")
    assert safe.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_forged_host_leads_nobody_away(app: Flask) -> None:
    answer = app.test_client().get("/", headers={"Host": "evil.example"})

    assert answer.location.startswith("/sign-in")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    app: DaftarFlask, cast: Cast
) -> None:
    cookies = sign_in(app, "anna@example.com")[1].headers.getlist("Set-Cookie")
    cookie = next(one for one in cookies if one.startswith(f"{SESSION_COOKIE}="))

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_behind_tls_the_cookie_never_travels_in_the_open(app: DaftarFlask, cast: Cast) -> None:
    from dataclasses import replace

    settings = app.extensions["daftar.settings"]
    app.extensions["daftar.settings"] = replace(settings, web=replace(settings.web, https=True))

    cookies = sign_in(app, "anna@example.com")[1].headers.getlist("Set-Cookie")

    assert all("Secure" in one for one in cookies if one.startswith(SESSION_COOKIE))


def test_a_sign_in_gives_a_new_cookie_and_ends_the_one_before(app: DaftarFlask, cast: Cast) -> None:
    client, _answer = sign_in(app, "anna@example.com")
    first = client.get_cookie(SESSION_COOKIE)
    assert first is not None
    thief = app.test_client()
    thief.set_cookie(SESSION_COOKIE, first.value)
    stolen_before = thief.get("/").status_code
    client.set_cookie(SESSION_COOKIE, first.value)
    page = client.get("/settings/profile").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    client.post(
        "/sign-in",
        data={"email": "anna@example.com", "password": PASSWORD, "csrf_token": token},
    )
    second = client.get_cookie(SESSION_COOKIE)

    assert second is not None
    assert second.value != first.value
    assert (stolen_before, thief.get("/").status_code) == (200, 302)


def test_a_cookie_that_somebody_planted_is_worth_nothing(app: DaftarFlask, cast: Cast) -> None:
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, "planted")
    page = client.get("/sign-in").get_data(as_text=True)
    client.post(
        "/sign-in",
        data={"email": "anna@example.com", "password": PASSWORD, "csrf_token": form_token(page)},
    )
    planted = app.test_client()
    planted.set_cookie(SESSION_COOKIE, "planted")

    assert planted.get("/").status_code == 302


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/companies?q=a", "/companies?q=a"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_stays_in_this_house(
    app: DaftarFlask, cast: Cast, wanted: str, led_to: str
) -> None:
    client = app.test_client()
    page = client.get("/sign-in", query_string={"next": wanted}).get_data(as_text=True)
    answer = client.post(
        "/sign-in",
        data={
            "email": "anna@example.com",
            "password": PASSWORD,
            "next": wanted,
            "csrf_token": form_token(page),
        },
    )

    assert answer.location == led_to
    assert client.get("/sign-in", query_string={"next": wanted}).location == led_to


def test_guessing_is_slowed_down_for_accounts_that_do_not_exist_too(
    app: DaftarFlask, cast: Cast
) -> None:
    answers = [sign_in(app, "nobody@example.com", "guess")[1] for _n in range(FAILURES_ALLOWED + 1)]

    assert [answer.status_code for answer in answers] == [401] * FAILURES_ALLOWED + [429]
    assert answers[-1].headers["Retry-After"] == "900"


def test_trying_one_password_on_many_accounts_is_slowed_down(app: DaftarFlask, cast: Cast) -> None:
    for number in range(FAILURES_ALLOWED_PER_ADDRESS):
        sign_in(app, f"user{number}@example.com", "Spring-2026")

    assert sign_in(app, "anna@example.com")[1].status_code == 429


def test_an_unknown_address_costs_as_much_as_a_wrong_password(
    app: DaftarFlask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    hasher = passwords._hasher()

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed.split("$")[3])  # the cost that the hash asks for
            return bool(hasher.verify(hashed, password))

        def hash(self, password: str) -> str:
            return hasher.hash(password)

    monkeypatch.setattr(passwords, "_hasher", lambda: Counting())
    sign_in(app, "anna@example.com", "wrong password")
    sign_in(app, "nobody@example.com", "wrong password")

    assert len(verified) == 2
    assert len({*verified}) == 1


def test_a_service_account_has_no_way_in_by_password(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    draft = UserDraft(
        "robot@example.com", "Robot", Role.SALES, kind=UserKind.SERVICE, password=PASSWORD
    )
    with database.write() as session:
        create_user(session, cast.root, draft)

    assert sign_in(app, "robot@example.com")[1].status_code == 401


def test_the_apis_door_does_not_take_a_browsers_cookie(app: DaftarFlask, cast: Cast) -> None:
    client, _answer = sign_in(app, "anna@example.com")

    assert client.get("/api/v1/users/me").status_code == 401


def test_a_token_does_not_open_the_browsers_door(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.anna)

    assert api.client.get("/", headers=api.headers).status_code == 302


def test_a_body_that_is_too_large_is_refused_unread(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.anna)
    body = json.dumps({"name": "x" * MAX_JSON})

    answer = api.client.post(
        "/api/v1/companies", data=body, content_type="application/json", headers=api.headers
    )

    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


def test_a_stranger_is_led_away_before_a_form_is_read(app: DaftarFlask, cast: Cast) -> None:
    answer = app.test_client().post("/companies/new", data={"name": "x"})

    assert (answer.status_code, answer.location) == (302, "/sign-in")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/no-such", 404), ("PUT", "/api/v1/companies", 405), ("GET", "/no-such", 404)],
)
def test_what_is_not_there_is_refused_without_a_trace(
    app: DaftarFlask, method: str, path: str, status: int
) -> None:
    answer = app.test_client().open(path, method=method)

    assert answer.status_code == status
    assert "Traceback" not in answer.get_data(as_text=True)
