"""The command itself: what it lists, and how it refuses what nobody can mean."""

import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest

from installer.rooms import ROOMS, main
from tests.installer.place import Place, run
from tests.support.sources import ROOT

DAFTAR = Path(sys.executable).parent / "daftar"


@pytest.mark.parametrize("name", ROOMS)
def test_every_listed_command_has_its_room_and_help(name: str) -> None:
    result = run(name, "--help")

    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_every_command_takes_a_home() -> None:
    context = click.Context(main)
    leaves = [main.get_command(context, name) for name in main.list_commands(context)]

    assert [leaf.name for leaf in leaves if leaf and not takes_home(leaf)] == []


def takes_home(command: click.Command) -> bool:
    deeper = command.commands.values() if isinstance(command, click.Group) else ()
    return "home" in {each.name for each in command.params} and all(map(takes_home, deeper))


def test_a_word_that_is_no_command_is_wrong_usage() -> None:
    result = run("upgrad")

    assert result.exit_code == 2
    assert "No such command 'upgrad'" in result.output


def test_the_program_tells_its_version() -> None:
    ended = subprocess.run(
        [DAFTAR, "--version"], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ended.returncode, ended.stdout.split()[0]) == (0, "daftar,")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("program", ["installer.cli", "licensing.authority.cli"])
def test_a_program_that_is_still_loading_ends_in_a_sentence(
    program: str, number: signal.Signals
) -> None:
    # The first heavy module that is loaded raises the signal: the moment is the same in every run.
    code = f"""
import os, sys, {program} as door
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), {int(number)})
sys.meta_path.insert(0, Finder())
door.main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (ended.returncode, ended.stdout) == (7, "")
    assert ended.stderr == "Interrupted. The command can safely be repeated.\n"


COMMANDS = [
    ["status"],
    ["serve"],
    ["logs"],
    ["license", "status"],
    ["user", "list"],
    ["token", "create", "--user", "root@example.com", "--name", "x"],
    ["form", "list"],
    ["db", "upgrade"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_home_that_is_not_there_is_a_missing_precondition(
    words: list[str], tmp_path: Path
) -> None:
    result = run("--home", str(tmp_path / "nowhere"), *words)

    assert result.exit_code == 3
    assert "daftar install" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[web\n", "is no valid TOML"),
        ("[web]\nport = 99999\n", "a port lies between"),
        ("[web]\nprot = 1\n", "web.prot"),
        ('[web]\nport = "8000"\n', "web.port"),
        ('[log]\nlevel = "LOUD"\n', "log.level"),
        ('[organization]\ntimezone = "Mars/Base"\n', "organization.timezone"),
        ("[security]\nargon2_rounds = 0\n", "security"),
    ],
)
def test_a_wrong_setting_is_named(text: str, told: str, installed: Place) -> None:
    (installed.home / "daftar.toml").write_text(text, encoding="utf8")

    result = installed.run("serve")

    assert result.exit_code == 2
    assert told in result.stderr


def test_an_occupied_port_is_a_sentence(installed: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installed.port))
        taken.listen()
        result = installed.run("serve")

    assert result.exit_code == 3
    assert f"127.0.0.1:{installed.port} cannot be used" in result.stderr


def test_the_program_alone_knows_every_table_of_an_export(installed: Place, tmp_path: Path) -> None:
    ended = subprocess.run(
        [DAFTAR, "--home", installed.home, "export", "all", tmp_path / "all.zip"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_database_of_another_release_names_the_command_that_mends_it(installed: Place) -> None:
    path = installed.home / "data" / "db" / "daftar.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()

    listed, upgraded = installed.run("user", "list"), installed.run("db", "upgrade")

    assert (listed.exit_code, upgraded.exit_code) == (3, 3)
    assert "daftar db upgrade" in listed.stderr
    assert "does not know" in upgraded.stderr


def test_a_database_that_is_gone_is_never_made_anew(installed: Place) -> None:
    path = installed.home / "data" / "db" / "daftar.sqlite3"
    path.unlink()

    result = installed.run("status")

    assert result.exit_code == 3
    assert "restore a backup" in result.stderr
    assert not path.exists()
