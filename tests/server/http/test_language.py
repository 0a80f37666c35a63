"""Three languages at both doors: asked for, remembered, chosen in the profile, wished by the browser."""

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from server.users.service import ProfileChange, change_user
from tests.server.conftest import Cast, api_of
from tests.server.http.test_sign_in import sign_in


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; the language does not depend on its kind."""
    return sqlite_database


def head(page: str) -> str:
    return page[page.index("<html") :].split(">")[0]


@pytest.mark.parametrize(
    ("lang", "direction", "words"),
    [("fa", "rtl", "گذرواژه"), ("en", "ltr", "Password"), ("fr", "ltr", "Mot de passe")],
)
def test_the_sign_in_page_speaks_the_language_that_is_asked_for(
    app: DaftarFlask, lang: str, direction: str, words: str
) -> None:
    page = app.test_client().get(f"/sign-in?lang={lang}").get_data(as_text=True)

    assert f'lang="{lang}"' in head(page)
    assert f'dir="{direction}"' in head(page)
    assert words in page


def test_the_language_is_remembered_in_the_browser(app: DaftarFlask) -> None:
    client = app.test_client()
    client.get("/sign-in?lang=fr")

    again = client.get("/sign-in").get_data(as_text=True)
    elsewhere = client.get("/no-such-page").get_data(as_text=True)

    assert 'lang="fr"' in head(again)
    assert 'lang="fr"' in head(elsewhere)


@pytest.mark.parametrize("asked", ["de", "../fa", "", "fa%00"])
def test_a_language_that_is_none_of_ours_changes_nothing(app: DaftarFlask, asked: str) -> None:
    page = app.test_client().get(f"/sign-in?lang={asked}").get_data(as_text=True)

    assert 'lang="en"' in head(page)


@pytest.mark.parametrize(
    ("wish", "lang"),
    [
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("de, fa-IR;q=0.5", "fa"),
        ("de", "en"),
        ("en;q=0.1, fa;q=0.2", "fa"),
        ("fa;q=x, fr", "fr"),
    ],
)
def test_the_browsers_wish_counts_while_nobody_chose(
    app: DaftarFlask, wish: str, lang: str
) -> None:
    answer = app.test_client().get("/sign-in", headers={"Accept-Language": wish})

    assert f'lang="{lang}"' in head(answer.get_data(as_text=True))


def test_after_signing_in_the_profile_counts(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    with database.write(cast.anna) as session:
        change_user(session, cast.anna, cast.anna.user_id or 0, ProfileChange(locale="fa"))
    client, _answer = sign_in(app, "anna@example.com")

    page = client.get("/settings/profile").get_data(as_text=True)

    assert 'lang="fa"' in head(page)
    assert 'dir="rtl"' in head(page)


def test_the_language_of_one_request_does_not_leak_into_the_next(app: DaftarFlask) -> None:
    app.test_client().get("/sign-in?lang=fa")

    refused = app.test_client().post("/sign-in", headers={"Accept-Language": "en"})

    assert refused.status_code == 400
    assert 'lang="en"' in head(refused.get_data(as_text=True))


@pytest.mark.parametrize(
    ("wish", "words"),
    [("fa", "لطفا"), ("fr", "connecter"), ("en", "Please sign in first.")],
)
def test_problems_speak_the_callers_language(app: DaftarFlask, wish: str, words: str) -> None:
    answer = app.test_client().get("/api/v1/deals", headers={"Accept-Language": wish})

    problem = answer.get_json()
    assert answer.content_type == "application/problem+json"
    assert words.lower() in problem["detail"].lower()
    assert (problem["status"], problem["code"], problem["errors"]) == (401, "not_signed_in", [])


def test_a_refused_field_is_named_in_the_callers_language(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.anna)
    told = {
        lang: api.client.post(
            "/api/v1/companies",
            json={"nonsense": 1},
            headers={**api.headers, "Accept-Language": lang},
        ).get_json()["errors"]
        for lang in ("fa", "en", "fr")
    }

    fields = {lang: sorted(item["field"] for item in errors) for lang, errors in told.items()}
    codes = {lang: sorted(item["code"] for item in errors) for lang, errors in told.items()}
    sentences = {errors[0]["message"] for errors in told.values()}
    assert fields["fa"] == fields["en"] == fields["fr"] == ["name", "nonsense"]
    assert codes["fa"] == codes["en"] == codes["fr"]
    assert len(sentences) == 3
