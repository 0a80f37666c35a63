"""What every command of ours does alike."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from server.core import errors
from server.core.command_line import CommandLine, home_of, json_option, report


@click.group(cls=CommandLine)
def line() -> None:
    """Stand for one of our commands."""


@line.command()
@json_option
def where(*, as_json: bool) -> None:
    home = str(home_of("DAFTAR_TEST_HOME"))
    report({"home": home}, home, as_json=as_json)


@line.group()
def deep() -> None: ...


@deep.command(name="where")
def deep_where() -> None:
    click.echo(home_of("DAFTAR_TEST_HOME"))


@line.command()
@click.argument("kind")
def fail(kind: str) -> None:
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "file":
        raise FileNotFoundError(2, "No such file or directory", "/there/is/no/such/file")
    if kind == "TooMany":
        raise errors.TooMany("Too many.", retry_after=3)
    raise getattr(errors, kind)("It does not work, because. Do this.")


@pytest.mark.parametrize(
    "words",
    [
        ["--home", "/srv/a", "where"],
        ["where", "--home", "/srv/a"],
        ["--home", "/srv/b", "where", "--home", "/srv/a"],
        ["deep", "where", "--home", "/srv/a"],
        ["deep", "--home", "/srv/a", "where"],
        ["--home", "/srv/a", "deep", "where"],
    ],
)
def test_the_home_may_stand_before_or_after_the_subcommand(words: list[str]) -> None:
    result = CliRunner().invoke(line, words)

    assert (result.exit_code, result.stdout) == (0, "/srv/a\n")


def test_the_home_may_come_from_the_environment() -> None:
    result = CliRunner().invoke(line, ["where", "--json"], env={"DAFTAR_TEST_HOME": "/srv/a"})

    assert result.stdout == '{"home": "/srv/a"}\n'


def test_a_missing_home_is_a_missing_precondition() -> None:
    result = CliRunner().invoke(line, ["where"], env={"DAFTAR_TEST_HOME": ""})

    assert result.exit_code == 3
    assert "--home" in result.stderr


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Invalid", 2),
        ("NotFound", 2),
        ("Missing", 3),
        ("file", 3),
        ("NotLicensed", 4),
        ("Unreachable", 5),
        ("TooMany", 5),
        ("Broken", 6),
        ("Interrupted", 7),
        ("interrupt", 7),
    ],
)
def test_a_refusal_is_a_sentence_and_an_exit_code(kind: str, code: int) -> None:
    result = CliRunner().invoke(line, ["fail", kind])

    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.strip()
    assert "Traceback" not in result.output


def test_wrong_usage_is_told_apart() -> None:
    assert CliRunner().invoke(line, ["where", "--no-such-option"]).exit_code == 2


def test_a_path_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(line, ["fail", "file"])

    assert "/there/is/no/such/file" in result.stderr
