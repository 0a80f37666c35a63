"""The documentation is a part of the product: what it shows exists.

Commands stand in fenced `console` blocks, after a prompt (`$` or, for root, `#`); lines without a
prompt are what the command prints.
"""

import dataclasses
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from server.core.config import Settings
from tests.support.docs import ShownCommand, broken_links, pages, shown_commands
from tests.support.sources import ROOT

COMMANDS = {"daftar": "installer.rooms", "daftar-authority": "licensing.authority.rooms"}
PAGES = pages()
SHOWN = [command for page in PAGES for command in shown_commands(page)]


def program(name: str) -> click.Command:
    main: click.Command = import_module(COMMANDS[name]).main
    return main


def of_programs(*names: str) -> list[ShownCommand]:
    return [command for command in SHOWN if command.words[0] in names]


def refusal(command: click.Command, words: list[str], parent: click.Context | None) -> str | None:
    """Return why the command line would not be understood, or None. Nothing is carried out."""
    context = click.Context(command, parent=parent, info_name=command.name)
    try:
        options, rest, _order = command.make_parser(context).parse_args(args=[*words])
    except click.UsageError as error:
        return error.format_message()
    if isinstance(command, click.Group):
        named = command.get_command(context, rest[0]) if rest else None
        if named is None:
            return f"{command.name} has no command {rest[:1]}"
        return refusal(named, rest[1:], context)
    return f"too many words: {rest}" if rest else missing_argument(command, options)


def missing_argument(command: click.Command, given: dict[str, object]) -> str | None:
    """Return the name of an argument or an option that must be there and is not."""
    lacking = [
        parameter.name
        for parameter in command.params
        if parameter.required and given.get(parameter.name or "") in (None, ())
        if not isinstance(parameter, click.Option) or parameter.envvar is None
    ]
    return f"needs {lacking}" if lacking else None


@pytest.mark.parametrize("shown", of_programs(*COMMANDS), ids=str)
def test_a_shown_command_is_understood(shown: ShownCommand) -> None:
    assert refusal(program(shown.words[0]), [*shown.words[1:]], None) is None


@pytest.mark.parametrize("shown", of_programs("make"), ids=str)
def test_a_shown_make_target_exists(shown: ShownCommand) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf8")
    targets = [word for word in shown.words[1:] if "=" not in word and not word.startswith("-")]

    assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    assert broken_links(page) == []


def test_both_commands_are_shown() -> None:
    assert {command.words[0] for command in of_programs(*COMMANDS)} == set(COMMANDS)


def settings(section: type) -> Iterator[dataclasses.Field[object]]:
    yield from (field for field in dataclasses.fields(section) if field.name != "home")


def test_every_setting_is_documented() -> None:
    """Each section has a heading with its `[name]`, and below it each key in backquotes."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf8")
    parts = re.split(r"^#+ .*\[(\w+)\].*$", page, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    example = Settings(home=Path())
    silent = [
        f"{section.name}.{key.name}"
        for section in settings(Settings)
        for key in settings(type(getattr(example, section.name)))
        if f"`{key.name}`" not in sections.get(section.name, "")
    ]

    assert silent == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """Every command and every group has a sentence for `--help`."""
    silent = [path for path, command in walk(program(name), name) if not command.help]

    assert silent == []


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)  # asked, because `daftar` loads its commands when needed
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from walk(child, f"{path} {name}")
