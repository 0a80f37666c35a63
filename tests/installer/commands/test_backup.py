"""`daftar backup` as an administrator and their scripts use it: every subcommand, every exit code."""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from backup import postgresql
from server.core.actor import SYSTEM
from server.core.config import load_settings
from server.core.db import Database
from server.users.sign_in import create_token
from tests.server.backups.home import Home, build, environment
from tests.support.sources import ROOT

PATIENCE_S = 120


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Home:
    """Give an installation that was never backed up, once on each database."""
    return build(tmp_path, database)


@pytest.fixture
def sqlite_home(tmp_path: Path, sqlite_database: Database) -> Home:
    """Give an installation on SQLite that was never backed up."""
    return build(tmp_path, sqlite_database)


def told(home: Home, *words: str, code: int = 0) -> dict[str, Any]:
    """Run the command with --json and return its document."""
    done = home.daftar("backup", *words, "--json")
    assert done.exit_code == code, done.stderr + done.stdout
    document: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
    return document


def titles(home: Home) -> list[str]:
    with home.database.read() as session:
        return [row[0] for row in session.execute(sql_of("SELECT title FROM deals ORDER BY id"))]


def rename_deals(home: Home, title: str) -> None:
    with home.database.write() as session:
        session.execute(sql_of("UPDATE deals SET title = :title"), {"title": title})


def sql_of(statement: str) -> Any:
    from sqlalchemy import text

    return text(statement)


def test_a_backup_goes_through_its_whole_life(home: Home, tmp_path: Path) -> None:
    made = told(home, "run")
    assert (made["state"], made["kind"], made["verification"]) == ("complete", "manual", None)
    assert made["database"] == home.database.dialect

    verified = told(home, "verify", "--latest")
    assert (verified["ok"], verified["state"], verified["id"]) == (True, "verified", made["id"])
    assert verified["verification"]["restore_seconds"] > 0

    confirmed = told(home, "confirm", made["id"], "--by", "root@example.com")
    assert (confirmed["state"], confirmed["confirmed_by"]) == ("confirmed", "Root")

    (listed,) = told(home, "list")["items"]
    assert listed == confirmed
    assert set(listed) == {
        "id",
        "created_at",
        "kind",
        "bytes",
        "database",
        "state",
        "verified_at",
        "verification",
        "confirmed_at",
        "confirmed_by",
    }

    assert told(home, "prune") == {
        "removed": [],
        "removed_objects": 0,
        "freed": 0,
        "refusal": None,
    }
    exported = told(home, "export", made["id"], str(tmp_path / "carried away.tar"))
    assert Path(exported["file"]).stat().st_size == exported["bytes"]


def test_a_restore_in_place_brings_everything_back_and_keeps_what_was_there(home: Home) -> None:
    made = told(home, "run")
    home.attach(b"came later")
    rename_deals(home, "ruined")
    home.database.dispose()

    done = told(home, "restore", made["id"])

    assert titles(home) == ["قرارداد نخست", "Second deal"]
    assert len([each for each in home.settings.files.rglob("*") if each.is_file()]) == 3
    kept = Path(done["kept"])
    assert len([each for each in (kept / "old" / "files").rglob("*") if each.is_file()]) == 4
    home.database.dispose()

    assert home.daftar("backup", "undo-restore").exit_code == 0
    assert titles(home) == ["ruined", "ruined"]
    assert len([each for each in home.settings.files.rglob("*") if each.is_file()]) == 4


def test_a_restore_elsewhere_is_a_home_to_work_on(home: Home, tmp_path: Path) -> None:
    made = told(home, "run")
    rename_deals(home, "changed since then")
    elsewhere = tmp_path / "elsewhere"

    done = told(home, "restore", made["id"], "--into", str(elsewhere))

    assert done["home"] == str(elsewhere)
    settings = load_settings(elsewhere)
    assert settings.database_url != home.settings.database_url
    restored = Database(settings.database_url)
    with restored.read() as session:
        found = [row[0] for row in session.execute(sql_of("SELECT title FROM deals ORDER BY id"))]
    restored.dispose()
    assert found == ["قرارداد نخست", "Second deal"]
    assert titles(home) == ["changed since then"] * 2
    assert len([each for each in settings.files.rglob("*") if each.is_file()]) == 3
    root_keys = home.settings.home / "trust" / "root.json"
    assert (elsewhere / "trust" / "root.json").read_bytes() == root_keys.read_bytes()
    listed = home.daftar("user", "list", "--json", home=elsewhere)
    assert len(json.loads(listed.stdout)["items"]) == 4, listed.stderr
    assert home.daftar("backup", "run", home=elsewhere).exit_code == 0
    again = home.daftar("backup", "verify", home=elsewhere)
    assert again.exit_code == 0, again.stdout + again.stderr
    if home.database.dialect == "postgresql":
        name = postgresql.database_name(settings.database_url)
        postgresql.drop_database(home.settings.database_url, name)


def test_a_lost_server_comes_back_from_its_backups_and_the_recovery_sheet(
    sqlite_home: Home, tmp_path: Path
) -> None:
    made = told(sqlite_home, "run")
    saved = tmp_path / "saved"
    shutil.copytree(sqlite_home.settings.backups, saved)
    (tmp_path / "escrow.txt").write_text(sqlite_home.shown_once.escrow_private)
    (tmp_path / "signer.pem").write_text(sqlite_home.shown_once.signer_public_pem)
    shutil.rmtree(sqlite_home.settings.home)

    sources = ("--from", str(saved), "--key", str(tmp_path / "escrow.txt"))
    signer = ("--signer", str(tmp_path / "signer.pem"))
    place = sqlite_home.settings.home
    done = sqlite_home.daftar(
        "backup", "restore", made["id"], "--into", str(place), *sources, *signer
    )

    assert done.exit_code == 0, done.stderr
    settings = load_settings(place)
    with closing(sqlite3.connect(settings.data / "db" / "daftar.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM deals").fetchone() == (2,)
    assert told(sqlite_home, "run")["state"] == "complete"


def test_a_lost_database_does_not_stop_list_verify_and_restore(sqlite_home: Home) -> None:
    made = told(sqlite_home, "run")
    sqlite_home.database.dispose()
    Path(sqlite_home.database.url.removeprefix("sqlite:///")).unlink()
    shutil.rmtree(sqlite_home.settings.files)

    assert told(sqlite_home, "list")["items"][0]["id"] == made["id"]
    assert told(sqlite_home, "verify")["ok"] is True
    told(sqlite_home, "restore", made["id"])

    assert titles(sqlite_home) == ["قرارداد نخست", "Second deal"]


def test_missing_keys_and_settings_are_put_back_and_newer_ones_stay(sqlite_home: Home) -> None:
    made = told(sqlite_home, "run")
    key = sqlite_home.settings.secrets / "web.key"
    before = key.read_bytes()
    key.unlink()
    (sqlite_home.settings.home / "trust" / "root.json").write_text("newer")
    sqlite_home.database.dispose()

    done = told(sqlite_home, "restore", made["id"])

    assert done["put_back"] == ["secrets/web.key"]
    assert key.read_bytes() == before
    assert (sqlite_home.settings.home / "trust" / "root.json").read_text() == "newer"


@contextmanager
def served(home: Home, port: int) -> Iterator[str]:
    """Serve the home for real; gives the address of its API."""
    address = f"http://127.0.0.1:{port}"
    log = home.settings.home / "serve.out"
    with log.open("wb") as said:
        process = subprocess.Popen(
            home.line("serve", "--port", str(port)),
            cwd=ROOT,
            env=environment(),
            stdout=said,
            stderr=said,
        )
        try:
            wait_for(lambda: answers(f"{address}/healthz"), log)
            yield address
        finally:
            process.terminate()
            process.wait()


def wait_for(happened: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_the_running_service_makes_a_backup_that_is_asked_for_and_holds_off_a_restore(
    sqlite_home: Home, port: int
) -> None:
    with sqlite_home.database.write(SYSTEM) as session:
        token = create_token(session, SYSTEM, sqlite_home.cast.root.user_id or 0, "tests")
    bearer = {"Authorization": f"Bearer {token}"}
    with served(sqlite_home, port) as address:
        api = f"{address}/api/v1/backups"
        asked = requests.post(f"{api}/runs", json={"action": "run"}, headers=bearer, timeout=30)
        assert asked.status_code == 201, asked.text

        def proved() -> bool:
            found = requests.get(api, headers=bearer, timeout=30).json()["items"]
            return [each["state"] for each in found] == ["verified"]

        wait_for(proved, sqlite_home.settings.home / "serve.out")
        (name,) = sqlite_home.store.set_ids()
        refused = sqlite_home.daftar("backup", "restore", name)
        again = sqlite_home.run_apart("serve", "--port", str(port))

    assert refused.exit_code == 3
    assert "systemctl stop daftar" in refused.stderr
    assert (again.returncode, "runs here already" in again.stderr) == (3, True)
    told(sqlite_home, "restore", name)
    assert titles(sqlite_home) == ["قرارداد نخست", "Second deal"]


def test_damage_ends_with_six_and_names_the_part(sqlite_home: Home) -> None:
    made = told(sqlite_home, "run")
    part = sqlite_home.store.sets / made["id"] / "database.sqlite.zst.age"
    part.write_bytes(part.read_bytes()[:-1])

    done = sqlite_home.daftar("backup", "verify", made["id"])
    assert done.exit_code == 6
    assert "database.sqlite.zst.age" in done.stderr
    assert told(sqlite_home, "list")["items"][0]["state"] == "failed"
    refused = sqlite_home.daftar("backup", "restore", made["id"])
    assert refused.exit_code == 6
    assert titles(sqlite_home) == ["قرارداد نخست", "Second deal"]
    assert not list((sqlite_home.settings.data / "before-restore").glob("*/restored"))


def test_what_is_missing_ends_with_three_and_what_is_mistyped_with_two(sqlite_home: Home) -> None:
    nothing = sqlite_home.daftar("backup", "verify")
    gone = sqlite_home.daftar("backup", "restore", "20200101T000000Z-abcdef")
    mistyped = sqlite_home.daftar("backup", "verify", "../../etc")

    assert (nothing.exit_code, gone.exit_code, mistyped.exit_code) == (3, 3, 2)
    assert "Make one first" in nothing.stderr
    assert "20200101T000000Z-abcdef" in gone.stderr
    assert all(len(each.stderr.splitlines()) == 1 for each in (nothing, gone, mistyped))
    assert sqlite_home.run_apart("backup", "verify").returncode == 3


def test_only_people_who_may_confirm_and_only_what_is_verified(sqlite_home: Home) -> None:
    made = told(sqlite_home, "run")
    early = sqlite_home.daftar("backup", "confirm", made["id"], "--by", "root@example.com")
    told(sqlite_home, "verify")
    seller = sqlite_home.daftar("backup", "confirm", made["id"], "--by", "anna@example.com")
    nobody = sqlite_home.daftar("backup", "confirm", made["id"], "--by", "nobody@example.com")

    assert (early.exit_code, seller.exit_code, nobody.exit_code) == (3, 2, 2)
    assert "not verified" in early.stderr
    problem = ("--problem", "--note", "The sizes look odd.")
    said = told(sqlite_home, "confirm", made["id"], "--by", "root@example.com", *problem)
    assert (said["state"], said["confirmed_by"]) == ("failed", None)


def test_without_a_drill_key_only_the_sealed_bytes_are_checked(
    sqlite_home: Home, tmp_path: Path
) -> None:
    from backup.keys import remove_drill_key

    remove_drill_key(sqlite_home.settings.backup_keys)
    told(sqlite_home, "run")

    assert told(sqlite_home, "verify")["state"] == "complete"
    (tmp_path / "working.txt").write_text(sqlite_home.shown_once.working_private)
    proved = told(sqlite_home, "verify", "--key", str(tmp_path / "working.txt"))
    assert proved["state"] == "verified"


def test_a_stopped_run_ends_with_seven_and_leaves_no_half_backup(sqlite_home: Home) -> None:
    for number in range(3):
        sqlite_home.attach(os.urandom(30_000_000) + bytes([number]))
    process = subprocess.Popen(
        sqlite_home.line("backup", "run"), cwd=ROOT, env=environment(), stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while not list(sqlite_home.store.sets.glob(".part-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.terminate()
    _out, said = process.communicate()

    assert process.returncode == 7, said
    assert b"can safely be repeated" in said
    assert told(sqlite_home, "list") == {"items": []}
    assert told(sqlite_home, "run")["state"] == "complete"
    assert not list(sqlite_home.store.folder.rglob(".part-*"))


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(sqlite_home: Home) -> None:
    sqlite_home.attach(os.urandom(3_000_000))
    told(sqlite_home, "verify", "--latest", code=3)

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    done = subprocess.run(
        sqlite_home.line("backup", "run"),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files_only,
    )

    assert done.returncode == 3
    assert f"The disk under {sqlite_home.settings.backups} is full" in done.stderr
    assert "Earlier backups are intact" in done.stderr
    assert told(sqlite_home, "list") == {"items": []}


def test_a_second_run_is_refused_while_one_is_under_way(sqlite_home: Home) -> None:
    with sqlite_home.store.writing():
        done = sqlite_home.daftar("backup", "run")

    assert done.exit_code == 3
    assert "Another backup is running here" in done.stderr


def test_no_secret_and_no_content_stands_in_what_commands_print(sqlite_home: Home) -> None:
    made = told(sqlite_home, "run")
    said = [
        sqlite_home.daftar("backup", *words).output
        for words in (
            ("list",),
            ("verify",),
            ("export", made["id"], str(sqlite_home.settings.home / "x")),
        )
    ]

    for secret in (sqlite_home.shown_once.working_private, "AGE-SECRET-KEY", "قرارداد"):
        assert all(secret not in text for text in said)
