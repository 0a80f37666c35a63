"""`daftar backup key` as an administrator uses it: list, test, answer, show, rotate, sheet, drill."""

import json
import stat
from pathlib import Path

import pyrage
import pytest

from backup import keys
from backup.keys import Role
from backup.plan import Kind
from server.core.db import Database
from tests.server.backups.home import Home, build
from tests.server.conftest import PASSWORD

BY = ("--by", "root@example.com", "--yes")


@pytest.fixture
def home(tmp_path: Path, sqlite_database: Database) -> Home:
    """Give an installation that was never backed up."""
    return build(tmp_path, sqlite_database)


def listed(home: Home) -> dict[str, dict[str, object]]:
    done = home.daftar("backup", "key", "list", "--json")
    assert done.exit_code == 0, done.stderr
    return {row["role"]: row for row in json.loads(done.stdout)["keys"]}


def test_a_key_is_proved_by_its_letters_or_by_its_file(home: Home, tmp_path: Path) -> None:
    home.store.possession.unlink()
    assert [row["due"] for row in listed(home).values()] == [True, True]
    canary = tmp_path / "test.age"
    assert home.daftar("backup", "key", "test", "escrow", "--out", str(canary)).exit_code == 0
    identity = pyrage.x25519.Identity.from_str(home.shown_once.escrow_private)
    letters = pyrage.decrypt(canary.read_bytes(), [identity]).decode().strip()

    wrong = home.daftar("backup", "key", "answer", "escrow", *BY, "--letters", "AAAA")
    right = home.daftar("backup", "key", "answer", "escrow", *BY, "--letters", letters)

    assert (wrong.exit_code, right.exit_code) == (2, 0), right.stderr
    assert "These are not the letters" in wrong.stderr
    assert listed(home)["escrow"]["proved_by"] == "Root"
    file = tmp_path / "key.txt"
    file.write_text(home.shown_once.working_private + "\n")
    password = tmp_path / "password"
    password.write_text("not mine at all")
    by = ("--by", "root@example.com", "--password-file", str(password))
    assert home.daftar("backup", "key", "show", str(file), *by).exit_code == 2
    password.write_text(PASSWORD)
    assert home.daftar("backup", "key", "show", str(file), *by).exit_code == 0
    assert [row["due"] for row in listed(home).values()] == [False, False]
    guest = home.daftar("backup", "key", "show", str(file), "--by", "guest@example.com", "--yes")
    assert (guest.exit_code, "may not confirm" in guest.stderr) == (2, True)


def test_new_keys_go_to_a_sheet_for_each_holder_and_nowhere_else(
    home: Home, tmp_path: Path
) -> None:
    home.office.run(home.cast.root, Kind.MANUAL)
    folder = tmp_path / "stick"

    done = home.daftar("backup", "key", "rotate", "both", "--sheet", str(folder))

    assert done.exit_code == 0, done.stderr
    sheets = sorted(folder.iterdir())
    assert [path.name for path in sheets] == [
        "recovery-sheet-escrow.pdf",
        "recovery-sheet-working.pdf",
    ]
    assert all(path.read_bytes().startswith(b"%PDF-") for path in sheets)
    assert {stat.S_IMODE(path.stat().st_mode) for path in sheets} == {0o600}
    assert "AGE-SECRET-KEY-1" not in done.stdout
    listing = home.daftar("backup", "key", "list").stdout
    assert home.shown_once.working_public in listing
    assert "is needed for 1 backups" in listing
    again = home.daftar("backup", "key", "rotate", "both", "--sheet", str(folder))
    assert again.exit_code == 3
    assert len(keys.former_recipients(home.settings.backup_keys)) == 2  # nothing was made


def test_a_sheet_that_cannot_be_written_is_shown_instead(home: Home, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")

    done = home.daftar("backup", "key", "rotate", "working", "--sheet", str(blocked / "x.txt"))

    assert done.exit_code == 0
    (private,) = [line for line in done.stdout.splitlines() if line.startswith("AGE-SECRET")]
    public = str(pyrage.x25519.Identity.from_str(private).to_public())
    assert listed(home)["working"]["public"] == public


def test_the_sheet_is_printed_again_from_the_keys_alone(home: Home, tmp_path: Path) -> None:
    file, out = tmp_path / "key.txt", tmp_path / "sheet.txt"
    file.write_text(f"{home.shown_once.working_private}\n{home.shown_once.escrow_private}\n")

    done = home.daftar("backup", "key", "sheet", "--key", str(file), "--sheet", str(out))

    assert done.exit_code == 0, done.stderr
    assert home.shown_once.escrow_private in out.read_text()
    file.write_text(str(pyrage.x25519.Identity.generate()))
    other = home.daftar("backup", "key", "sheet", "--key", str(file))
    assert (other.exit_code, "none of the two" in other.stderr) == (3, True)


def test_the_drill_key_goes_and_comes(home: Home) -> None:
    assert home.daftar("backup", "key", "drill", "remove").exit_code == 0
    assert home.office.keys.drill == ()
    assert "holds no drill key" in home.daftar("backup", "key", "list").stdout
    assert home.daftar("backup", "key", "drill", "renew").exit_code == 0
    assert [each.role for each in home.office.keys.recipients] == list(Role)
