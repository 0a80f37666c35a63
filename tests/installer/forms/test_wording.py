"""The words of the forms."""

import re
import tomllib
from importlib.resources import files

import pytest

from installer.forms.wording import FormError, words

TABLE = tomllib.loads(files("installer.forms").joinpath("wording.toml").read_text(encoding="utf-8"))
KEYS = [f"{group}.{key}" for group, entries in TABLE.items() for key in entries]


@pytest.mark.parametrize("key", KEYS)
def test_a_sentence_has_the_same_places_in_every_language(key: str) -> None:
    text = words(key)
    places = [set(re.findall(r"\{(\w+)\}", text.read(locale))) for locale in ("fa", "en", "fr")]

    assert places[0] == places[1] == places[2]


def test_every_error_that_is_raised_has_its_sentence() -> None:
    room = files("installer.forms")
    sources = [file.read_text(encoding="utf-8") for file in room.iterdir() if file.is_file()]
    raised = set(re.findall(r'FormError\(\s*"(\w+)"', "\n".join(sources)))

    assert raised == set(TABLE["errors"])


def test_a_refusal_speaks_the_readers_language() -> None:
    refusal = FormError("system_item", label=words("print.version"))

    assert "نسخه" in refusal.sentence("fa")
    assert "Version" in str(refusal)
