"""One's own account: language, password, the browsers signed in, tokens."""

import re

import pytest

from server.core.db import Database
from server.users.agents import device_name
from server.users.models import ApiToken, WebSession
from server.users.queries import user_by_email
from tests.client_web.conftest import Visit, Visitor
from tests.server.conftest import PASSWORD, Cast


@pytest.fixture
def anna(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.anna)


def test_the_language_of_the_profile_is_the_language_of_the_pages(
    anna: Visitor, database: Database
) -> None:
    assert '<html lang="en" dir="ltr"' in anna.read("/settings/profile")

    anna.post("/settings/profile", display_name="آنا", locale="fa")

    page = anna.read("/settings/profile")
    assert '<html lang="fa" dir="rtl" data-calendar="jalali"' in page
    with database.read() as session:
        user = user_by_email(session, "anna@example.com")
        assert user is not None
        assert (user.display_name, user.locale) == ("آنا", "fa")


@pytest.mark.parametrize(
    "fields",
    [
        {"display_name": "", "locale": "en"},
        {"display_name": "Anna", "locale": "xx"},
        {"display_name": "  ", "locale": "en"},
        {"display_name": "x" * 201, "locale": "en"},
    ],
)
def test_a_profile_that_does_not_fit_is_not_kept(anna: Visitor, fields: dict[str, str]) -> None:
    answer = anna.post("/settings/profile", **fields)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_a_new_password_needs_the_old_one_and_ends_every_sign_in(
    anna: Visitor, visit: Visit, cast: Cast
) -> None:
    phone = visit(cast.anna)
    new = "seven-blue-lanterns"

    wrong = anna.post("/settings/profile/password", current="guess", password=new)
    weak = anna.post("/settings/profile/password", current=PASSWORD, password="anna")
    right = anna.post("/settings/profile/password", current=PASSWORD, password=new)

    assert (wrong.status_code, weak.status_code, right.status_code) == (422, 422, 302)
    assert 'id="f-current-error"' in wrong.get_data(as_text=True)
    assert 'id="f-password-error"' in weak.get_data(as_text=True)
    assert phone.get("/companies").status_code == 302
    assert anna.get("/companies").status_code == 302


def test_one_sees_where_one_is_signed_in_and_ends_the_others(
    anna: Visitor, visit: Visit, cast: Cast, database: Database
) -> None:
    phone, laptop, ben = visit(cast.anna), visit(cast.anna), visit(cast.ben)

    page = anna.read("/settings/profile/security")
    assert page.count("Chrome on Linux") == 3
    assert page.count("This browser") == 1
    assert "192.0.2.7" in page
    ends = re.findall(r'action="(/settings/profile/sign-ins/\d+/end)"', page)
    assert len(ends) == 2
    anna.post(ends[0])
    assert sorted([phone.get("/tasks").status_code, laptop.get("/tasks").status_code]) == [200, 302]
    anna.post("/settings/profile/sign-ins/end-others")

    assert phone.get("/tasks").status_code == laptop.get("/tasks").status_code == 302
    assert anna.get("/tasks").status_code == ben.get("/tasks").status_code == 200
    with database.read() as session:
        others = session.query(WebSession).filter(WebSession.user_id == cast.ben.user_id).all()
    assert anna.post(f"/settings/profile/sign-ins/{others[0].id}/end").status_code == 404
    assert ben.get("/tasks").status_code == 200


def test_a_token_is_shown_once_works_and_is_revoked(anna: Visitor, visit: Visit) -> None:
    made = anna.post("/settings/profile/tokens", name="My <script>").get_data(as_text=True)

    token = re.search(r"<code[^>]*>(dft_[^<]+)</code>", made)
    assert token
    assert "My &lt;script&gt;" in made
    program = visit().client
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert program.get("/api/v1/users/me", headers=headers).status_code == 200
    listed = anna.read("/settings/profile/tokens")
    assert token[1] not in listed
    revoke = re.search(r'action="(/settings/profile/tokens/\d+/revoke)"', listed)
    assert revoke
    anna.post(revoke[1])
    assert program.get("/api/v1/users/me", headers=headers).status_code == 401


def test_nobody_ends_the_token_of_somebody_else(
    anna: Visitor, visit: Visit, cast: Cast, database: Database
) -> None:
    anna.post("/settings/profile/tokens", name="Mine")
    with database.read() as session:
        token = session.query(ApiToken).one()

    answer = visit(cast.ben).post(f"/settings/profile/tokens/{token.id}/revoke")

    assert answer.status_code == 404
    with database.read() as session:
        assert session.query(ApiToken).one().revoked_at is None


def test_a_token_needs_a_name_and_a_guest_gets_none(
    anna: Visitor, visit: Visit, cast: Cast
) -> None:
    for name in ("", "   ", "x" * 101):
        assert anna.post("/settings/profile/tokens", name=name).status_code == 422
    guest = visit(cast.guest)

    assert "/settings/profile/tokens" not in guest.read("/settings/profile")
    assert guest.get("/settings/profile/tokens").status_code == 403


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Windows",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(agent: str, words: str) -> None:
    assert device_name(agent)[0] == words
