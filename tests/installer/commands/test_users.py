"""Users, seats and tokens from the command line."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from server.audit.models import AuditEntry
from server.core.actor import SYSTEM
from server.core.config import load_settings
from server.core.db import Database
from server.users.rules import UserKind
from server.users.service import former_user, set_seat_caps
from server.users.sign_in import actor_of_token, check_sign_in
from tests.installer.place import PASSWORD, Place


@pytest.fixture
def roomy(installed: Place) -> Place:
    """Give an installation whose licence covers three users."""
    database = Database(load_settings(installed.home).database_url)
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 3, UserKind.SERVICE: 1})
    database.dispose()
    return installed


def may_sign_in(place: Place, email: str, password: str) -> str:
    database = Database(load_settings(place.home).database_url)
    with database.read() as session:
        name = check_sign_in(session, email, password).display_name
    database.dispose()
    return name


def add(place: Place, name: str, *words: str) -> dict[str, str]:
    result = place.run(
        "user", "add", "--email", f"{name}@example.com", "--name", name.title(), "--json", *words
    )
    assert result.exit_code == 0, result.output
    found: dict[str, str] = json.loads(result.stdout)
    return found


def test_a_user_is_added_with_a_password_from_a_file(roomy: Place) -> None:
    file = roomy.folder / "password"

    shown = add(roomy, "anna", "--role", "manager", "--password-file", str(file))

    assert (shown["role"], shown["status"], "password" in shown) == ("manager", "active", False)
    assert may_sign_in(roomy, "anna@example.com", PASSWORD) == "Anna"


def test_without_a_file_a_password_is_made_and_shown(roomy: Place) -> None:
    shown = add(roomy, "anna")

    assert may_sign_in(roomy, "anna@example.com", shown["password"]) == "Anna"


def test_no_user_above_the_cap_and_the_sentence_names_it(roomy: Place) -> None:
    add(roomy, "anna")
    add(roomy, "ben")

    result = roomy.run("user", "add", "--email", "guest@example.com", "--name", "Guest")

    assert result.exit_code == 4
    assert "covers 3 active users and all 3 seats are taken" in result.stderr
    assert "Guest" not in roomy.run("user", "list").stdout


def test_a_deactivated_user_frees_a_seat_and_stays_in_the_list(roomy: Place) -> None:
    add(roomy, "anna")

    done = roomy.run("user", "deactivate", "ANNA@example.com", "--reason", "Left the house")
    listed = json.loads(roomy.run("user", "list", "--json").stdout)

    assert done.exit_code == 0
    assert listed["seats"] == {"used": 1, "cap": 3}
    states = {row["email"]: row["status"] for row in listed["items"]}
    assert states == {"root@example.com": "active", "anna@example.com": "deactivated"}


def test_the_list_says_how_many_former_colleagues_it_leaves_out(roomy: Place) -> None:
    database = Database(load_settings(roomy.home).database_url)
    with database.write(SYSTEM) as session:
        former_user(session, SYSTEM, "Guest")
    database.dispose()

    assert "1 former colleague is not shown" in roomy.run("user", "list").stdout
    assert "not shown" not in roomy.run("user", "list", "--all").stdout


def test_the_last_administrator_cannot_be_taken_away(roomy: Place) -> None:
    result = roomy.run("user", "deactivate", "root@example.com")

    assert result.exit_code == 3
    assert "last administrator" in result.stderr


def test_a_new_password_replaces_the_old_one(roomy: Place) -> None:
    shown = json.loads(roomy.run("user", "reset-password", "root@example.com", "--json").stdout)

    assert may_sign_in(roomy, "root@example.com", shown["password"]) == "Root"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["deactivate", "nobody@example.com"], 2, "no user with the address"),
        (["reset-password", "nobody@example.com"], 2, "no user with the address"),
        (["add", "--email", "no address", "--name", "X"], 2, "no email address"),
        (["add", "--email", "root@example.com", "--name", "X"], 3, "exists already"),
        (["add", "--email", "x@example.com", "--name", " "], 2, "needs a name"),
        (["add", "--email", "x@example.com", "--name", "X", "--role", "king"], 2, "king"),
    ],
)
def test_what_cannot_be_is_refused(words: list[str], code: int, told: str, roomy: Place) -> None:
    result = roomy.run("user", *words)

    assert result.exit_code == code
    assert told in result.stderr


def test_a_password_file_that_is_no_good_is_named(roomy: Place, tmp_path: Path) -> None:
    empty, weak = tmp_path / "empty", tmp_path / "weak"
    empty.write_text("", encoding="utf8")
    weak.write_text("12345\n", encoding="utf8")
    words = ("user", "reset-password", "root@example.com", "--password-file")

    results = [roomy.run(*words, str(path)) for path in (empty, weak, tmp_path / "none")]

    assert [each.exit_code for each in results] == [3, 2, 3]
    assert "too short" in results[1].stderr


def test_a_token_works_and_is_shown_once(roomy: Place) -> None:
    result = roomy.run("token", "create", "--user", "root@example.com", "--name", "Shop")

    token = result.stdout.strip()
    database = Database(load_settings(roomy.home).database_url)
    with database.read() as session:
        actor = actor_of_token(session, token)
    database.dispose()
    assert actor is not None
    assert actor.name == "Root"
    assert token not in (roomy.home / "daftar.toml").read_text()


def test_what_the_command_line_changed_stands_in_the_audit_trail(roomy: Place) -> None:
    add(roomy, "anna")
    roomy.run("user", "deactivate", "anna@example.com")

    database = Database(load_settings(roomy.home).database_url)
    with database.read() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.kind == "user"))
        noted = {(row.action, row.user_name) for row in rows}
    database.dispose()
    assert {action for action, who in noted if "command line" in who} >= {"create", "deactivate"}
