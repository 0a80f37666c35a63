"""The example of answers is whole, and its defaults are the real ones."""

import dataclasses
import tomllib
from pathlib import Path

from installer.steps.answers import Answers, load_answers
from server.core.config import read_table
from tests.support.sources import ROOT

EXAMPLE = ROOT / "docs" / "answers.example.toml"
GIVEN = {"organization.name", "admin.email", "admin.name", "license.trust_root"}


def keys_of(table: dict[str, object], place: str = "") -> set[str]:
    found = set()
    for name, value in table.items():
        here = f"{place}{name}"
        found |= keys_of(value, f"{here}.") if isinstance(value, dict) else {here}
    return found


def known(answers: Answers) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(answers).items() if name != "file"}


def test_the_example_shows_every_answer() -> None:
    shown = keys_of(tomllib.loads(EXAMPLE.read_text(encoding="utf8")))

    assert shown == keys_of(known(Answers(file=Path())))


def test_the_example_shows_the_defaults() -> None:
    example = known(load_answers(EXAMPLE))
    default = known(read_table(Answers, {}, "", file=Path()))
    other = {
        f"{section}.{key}"
        for section, table in default.items()
        if isinstance(table, dict)
        for key, value in table.items()
        if example[section][key] != value  # type: ignore[index] # a table as well
    }

    assert other == GIVEN
    assert example["mode"] == default["mode"]
