"""Signing in with a browser."""

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import PASSWORD, people


def form_token(page: str) -> str:
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def sign_in(app: DaftarFlask, email: str, password: str = PASSWORD):  # type: ignore[no-untyped-def]
    client = app.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    answer = client.post(
        "/sign-in", data={"email": email, "password": password, "csrf_token": form_token(page)}
    )
    return client, answer


def test_the_right_password_opens_the_first_page(app: DaftarFlask, database: Database) -> None:
    people(database)

    client, answer = sign_in(app, "ANNA@example.com")

    assert answer.status_code == 302
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("target", "page"),
    [("/deals", "/deals"), ("//[", "/"), ("/\t/[", "/"), ("/\\evil.example", "/")],
)
def test_one_goes_on_to_pages_of_this_house_alone(
    app: DaftarFlask, database: Database, target: str, page: str
) -> None:
    people(database)
    client = sign_in(app, "anna@example.com")[0]

    assert client.get("/sign-in", query_string={"next": target}).location == page


def test_a_wrong_password_is_refused_without_telling_who_exists(
    app: DaftarFlask, database: Database
) -> None:
    people(database)

    known = sign_in(app, "anna@example.com", "wrong password")[1]
    unknown = sign_in(app, "nobody@example.com", "wrong password")[1]

    assert (known.status_code, unknown.status_code) == (401, 401)
    assert "not right" in known.get_data(as_text=True)
    assert "not right" in unknown.get_data(as_text=True)


def test_guessing_is_slowed_down(app: DaftarFlask, database: Database) -> None:
    people(database)

    answers = [sign_in(app, "anna@example.com", f"guess {n}")[1].status_code for n in range(9)]

    assert answers[-1] == 429


def test_a_stranger_is_led_to_the_sign_in_page(app: DaftarFlask) -> None:
    answer = app.test_client().get("/")

    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in")


def test_a_post_without_the_form_token_is_refused(app: DaftarFlask, database: Database) -> None:
    people(database)

    answer = app.test_client().post(
        "/sign-in", data={"email": "anna@example.com", "password": PASSWORD}
    )

    assert answer.status_code == 400
