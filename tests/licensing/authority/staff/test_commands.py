"""`daftar-authority staff` at the terminal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from licensing.authority.config import load_settings
from licensing.authority.db.opening import open_database
from licensing.authority.staff.queries import find_member
from licensing.authority.staff.sealing import open_sealing
from licensing.authority.staff.sign_in import check_password_of
from server.core.db import Database
from tests.licensing.authority.console import Console

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ADD = ("staff", "add", "--email", "root@example.com", "--name", "Root")


@pytest.fixture
def database(console: Console) -> Iterator[Database]:
    opened = open_database(load_settings(console.home))
    yield opened
    opened.dispose()


def test_whoever_is_let_in_gets_a_password_once(console: Console, database: Database) -> None:
    shown = console.json(*ADD)

    assert (shown["role"], shown["status"], shown["second_factor"]) == ("owner", "active", False)
    with database.read() as session:
        assert check_password_of(session, "root@example.com", shown["password"]).name == "Root"
    listed = console.json("staff", "list")["items"]
    assert [one["email"] for one in listed] == ["root@example.com"]
    assert "password" not in listed[0]


def test_password_and_second_factor_come_from_files(
    console: Console, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("correct horse battery\n")
    (tmp_path / "factor").write_text(f"{SECRET}\n")
    files = ("--password-file", tmp_path / "password", "--second-factor-file", tmp_path / "factor")

    shown = console.json(*ADD, *files)

    assert shown["second_factor"] is True
    assert "password" not in shown
    sealing = open_sealing(console.home / "secrets")
    with database.read() as session:
        member = find_member(session, "root@example.com")
    assert sealing.opened(member.totp_sealed or b"", member.id) == SECRET


def test_a_weak_second_factor_lets_nobody_in(console: Console, tmp_path: Path) -> None:
    (tmp_path / "factor").write_text("weak\n")

    code, said = console.refusal(*ADD, "--second-factor-file", tmp_path / "factor")

    assert code == 2
    assert "base32" in said
    assert console.json("staff", "list")["items"] == []


def test_the_last_owner_stays(console: Console) -> None:
    console.json(*ADD)

    code, said = console.refusal("staff", "deactivate", "root@example.com")

    assert code == 3
    assert said == "Root is the last owner. Make somebody else an owner first."


def test_somebody_leaves(console: Console) -> None:
    console.json(*ADD)
    anna = ("--email", "anna@example.com", "--name", "Anna", "--role", "sales")
    console.json("staff", "add", *anna)

    assert console.json("staff", "deactivate", "Anna@example.com")["status"] == "deactivated"


def test_lost_passwords_and_telephones_are_replaced(
    console: Console, database: Database, tmp_path: Path
) -> None:
    (tmp_path / "factor").write_text(SECRET)
    console.json(*ADD, "--second-factor-file", tmp_path / "factor")

    shown = console.json("staff", "reset-password", "root@example.com")
    reset = console.json("staff", "reset-second-factor", "root@example.com")

    assert reset["second_factor"] is False
    with database.read() as session:
        assert check_password_of(session, "root@example.com", shown["password"])


def test_a_stranger_is_named(console: Console) -> None:
    code, said = console.refusal("staff", "reset-password", "nobody@example.com")

    assert code == 2
    assert "Nobody of the staff has the address nobody@example.com." in said
