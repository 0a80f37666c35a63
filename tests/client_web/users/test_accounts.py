"""The users page and the page of an account: seats, invitations, roles, tokens."""

import re
from datetime import timedelta

import pytest
import time_machine

from server.audit.queries import history_of
from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.users.models import User, WebSession
from server.users.queries import seats, user_by_email
from server.users.rules import Role, Seats, UserDraft, UserKind, UserStatus
from server.users.service import create_user, former_user, set_seat_caps
from tests.client_web.conftest import Visit, Visitor, counted
from tests.server.conftest import PASSWORD, Cast

CHOSEN = "seven-blue-lanterns"


def account(database: Database, email: str) -> User:
    with database.read() as session:
        found = user_by_email(session, email)
        assert found is not None
        return found


def link_in(page: str) -> str:
    """Return the path of the link that the page shows."""
    found = re.search(r"<code[^>]*>http://localhost(/choose-password/[^<]+)</code>", page)
    assert found, page
    return found[1]


def new_user(**changes: object) -> dict[str, object]:
    draft = {
        "kind": "human",
        "display_name": "Dora",
        "email": "dora@example.com",
        "role": "sales",
        "locale": "en",
        "way": "link",
    }
    return draft | changes


@pytest.fixture
def root(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.root)


def test_the_page_says_who_is_here_and_how_many_seats_are_taken(
    root: Visitor, database: Database
) -> None:
    with database.write(SYSTEM) as session:
        former_user(session, SYSTEM, "Cecily Lampkin")

    page = root.read("/settings/users")

    for words in ("Anna", "Guest", "Cecily Lampkin", "Former", "Administrator", "4 of 10"):
        assert words in page, words
    assert "6 more can be added" in page
    assert "Anna" not in root.read("/settings/users?filter[status]=former")


def test_an_invited_colleague_chooses_a_password_and_takes_a_seat_only_then(
    root: Visitor, visit: Visit, database: Database
) -> None:
    shown = root.post("/settings/users/new", **new_user()).get_data(as_text=True)
    path = link_in(shown)
    assert account(database, "dora@example.com").status is UserStatus.INVITED
    with database.read() as session:
        assert seats(session) == Seats(4, 10)

    dora = visit()
    assert "dora@example.com" in dora.read(path)
    weak = dora.post(path, password="12345")
    assert weak.status_code == 422
    assert "too short" in weak.get_data(as_text=True)
    assert dora.post(path, password=CHOSEN).headers["Location"] == "/sign-in"

    user = account(database, "dora@example.com")
    assert user.status is UserStatus.ACTIVE
    with database.read() as session:
        assert seats(session) == Seats(5, 10)
        (newest, *_rest) = history_of(session, "user", user.id)
        assert (newest.action, newest.user_name) == ("password_chosen", "Dora")
    dora.get("/sign-in")
    signed_in = dora.post("/sign-in", email="dora@example.com", password=CHOSEN)
    assert signed_in.status_code == 302


def test_a_link_works_once_ends_after_days_and_cannot_be_made_up(
    root: Visitor, visit: Visit, cast: Cast, database: Database
) -> None:
    address = f"/settings/users/{cast.ben.user_id}/link"
    first = link_in(root.post(address).get_data(as_text=True))
    second = link_in(root.post(address).get_data(as_text=True))
    stranger = visit()
    with time_machine.travel(clock.now() + timedelta(days=3, minutes=1)):
        assert stranger.get(first).status_code == 404
    assert stranger.get(first[:-2] + "xx").status_code == 404

    stranger.read(first)
    assert stranger.post(first, password=CHOSEN).status_code == 302

    for path in (first, second):
        ended = stranger.get(path)
        assert ended.status_code == 404
        assert "used already or has ended" in ended.get_data(as_text=True)
        assert stranger.post(path, password="another-good-one").status_code == 404


def test_a_new_password_by_link_signs_the_old_browsers_out(
    root: Visitor, visit: Visit, cast: Cast
) -> None:
    ben = visit(cast.ben)
    path = link_in(root.post(f"/settings/users/{cast.ben.user_id}/link").get_data(as_text=True))

    other = visit()
    other.read(path)
    other.post(path, password=CHOSEN)

    assert ben.get("/companies").status_code == 302


def test_no_link_for_who_cannot_sign_in(root: Visitor, cast: Cast, database: Database) -> None:
    root.post(f"/settings/users/{cast.ben.user_id}/deactivate")
    with database.write(SYSTEM) as session:
        program = create_user(
            session, SYSTEM, UserDraft("p@example.com", "Program", kind=UserKind.SERVICE)
        )
        former = former_user(session, SYSTEM, "Cecily Lampkin")

    for user_id in (cast.ben.user_id, program.id, former.id):
        assert root.post(f"/settings/users/{user_id}/link").status_code == 422


def test_above_the_cap_the_refusal_names_it_and_keeps_what_was_typed(
    root: Visitor, visit: Visit, database: Database
) -> None:
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 4})
    assert "All 4 seats are taken" in root.read("/settings/users/new")
    assert "All seats are taken" in root.read("/settings/users")

    refused = root.post(
        "/settings/users/new", **new_user(way="password", password="seven-blue-lanterns")
    )

    page = refused.get_data(as_text=True)
    assert refused.status_code == 402
    assert "covers 4 active users" in page
    assert 'value="dora@example.com"' in page
    assert CHOSEN not in page
    path = link_in(root.post("/settings/users/new", **new_user()).get_data(as_text=True))
    dora = visit()
    dora.read(path)
    assert dora.post(path, password=CHOSEN).status_code == 402
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 5})
    assert dora.post(path, password=CHOSEN).status_code == 302


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "anna@example.com"}, "exists already"),
        ({"email": "nobody"}, "is no email address"),
        ({"display_name": ""}, "This field is required."),
        ({"role": "king"}, "Not a valid choice."),
        ({"kind": "robot"}, "Not a valid choice."),
        ({"way": "password", "password": ""}, "A first password is needed"),
        ({"way": "password", "password": "1234567890"}, "too easy to guess"),
    ],
)
def test_a_user_that_does_not_fit_is_refused_with_a_reason(
    root: Visitor, database: Database, changes: dict[str, object], sentence: str
) -> None:
    answer = root.post("/settings/users/new", **new_user(**changes))

    assert answer.status_code in {409, 422}
    assert sentence in answer.get_data(as_text=True)
    with database.read() as session:
        assert session.query(User).count() == 4


def test_role_name_and_language_are_changed_and_the_last_admin_stays(
    root: Visitor, cast: Cast, database: Database
) -> None:
    form = {"display_name": "Anna O.", "role": "manager", "locale": "fr", "version": 1}
    assert root.post(f"/settings/users/{cast.anna.user_id}", **form).status_code == 302
    anna = account(database, "anna@example.com")
    assert (anna.display_name, anna.role, anna.locale) == ("Anna O.", Role.MANAGER, "fr")

    late = root.post(f"/settings/users/{cast.anna.user_id}", **form)
    last = root.post(
        f"/settings/users/{cast.root.user_id}",
        display_name="Root",
        role="viewer",
        locale="en",
        version=1,
    )

    assert late.status_code == 412
    assert last.status_code == 409
    assert "last administrator" in last.get_data(as_text=True)
    assert account(database, "root@example.com").role is Role.ADMIN


def test_somebody_who_leaves_frees_the_seat_and_can_come_back(
    root: Visitor, visit: Visit, cast: Cast, database: Database
) -> None:
    ben = visit(cast.ben)

    root.post(f"/settings/users/{cast.ben.user_id}/deactivate")
    assert ben.get("/companies").status_code == 302
    assert "3 of 10" in root.read("/settings/users")
    assert f"/settings/users/{cast.ben.user_id}/reactivate" in root.read("/settings/users")
    root.post(f"/settings/users/{cast.ben.user_id}/reactivate")

    assert account(database, "ben@example.com").status is UserStatus.ACTIVE
    own = root.post(f"/settings/users/{cast.root.user_id}/deactivate")
    assert own.status_code == 422


def test_a_service_account_works_with_tokens_alone(
    root: Visitor, visit: Visit, database: Database
) -> None:
    made = root.post(
        "/settings/users/new",
        **new_user(kind="service", display_name="Website", email="web@example.com"),
    )
    page = made.headers["Location"]
    assert "1 of 2" in root.read("/settings/users")

    shown = root.post(f"{page}/tokens", name="Lead form").get_data(as_text=True)
    token = re.search(r"<code[^>]*>(dft_[^<]+)</code>", shown)
    assert token
    client = visit().client
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert client.get("/api/v1/users/me", headers=headers).json["display_name"] == "Website"  # type: ignore[index]
    listed = root.read(page)
    assert "Lead form" in listed
    assert token[1] not in listed
    revoke = re.search(rf'action="({page}/tokens/\d+/revoke)"', listed)
    assert revoke
    root.post(revoke[1])

    assert client.get("/api/v1/users/me", headers=headers).status_code == 401
    assert account(database, "web@example.com").password_hash is None


def test_colleagues_see_who_is_here_and_change_nobody(
    visit: Visit, cast: Cast, database: Database
) -> None:
    anna = visit(cast.anna)

    page = anna.read("/settings/users")

    assert "Ben" in page
    assert "/settings/users/new" not in page
    ben = f"/settings/users/{cast.ben.user_id}"
    assert anna.get(ben).status_code == 403
    assert anna.get("/settings/users/new").status_code == 403
    for address in (ben, f"{ben}/link", f"{ben}/tokens", f"{ben}/deactivate", f"{ben}/reactivate"):
        assert anna.post(address, name="x").status_code == 403, address
    assert account(database, "ben@example.com").version == 1


def test_a_list_asks_the_database_as_often_for_60_users_as_for_10(
    root: Visitor, database: Database
) -> None:
    asked: list[int] = []
    for names in (range(6), range(6, 50)):
        with database.write(SYSTEM) as session:
            for n in names:
                former_user(session, SYSTEM, f"Former {n}")
        root.read("/settings/users")
        with counted(database) as statements:
            root.read("/settings/users")
        asked.append(len(statements))

    assert asked[0] == asked[1]


def test_the_sign_in_form_lets_in_who_knows_the_password(
    visit: Visit, cast: Cast, database: Database
) -> None:
    """The form of the sign-in page itself, since everything else here comes in by a cookie."""
    anna = visit()
    anna.get("/sign-in")

    assert anna.post("/sign-in", email="anna@example.com", password="wrong").status_code == 401
    assert anna.post("/sign-in", email="anna@example.com", password=PASSWORD).status_code == 302
    with database.read() as session:
        assert session.query(WebSession).count() == 1
