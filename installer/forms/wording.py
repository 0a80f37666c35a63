"""Words of the forms in fa, en and fr, and the one error they raise. No gettext: see __init__."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LOCALES = ("fa", "en", "fr")


@dataclass(frozen=True)
class Text:
    """One sentence in the three languages."""

    fa: str
    en: str
    fr: str

    def read(self, locale: str) -> str:
        """Return the sentence in the reader's language, English for any other."""
        return {"fa": self.fa, "fr": self.fr}.get(locale, self.en)


class FormError(Exception):
    """A refusal with a stable code; `sentence(locale)` says it to a person."""

    def __init__(self, code: str, /, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(self.sentence("en"))

    def sentence(self, locale: str) -> str:
        """Return what happened and what to do next, in the reader's language."""
        values = {
            name: value.read(locale) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        return say(f"errors.{self.code}", locale).format(**values)


@cache
def _words() -> Mapping[str, Text]:
    source = files("installer.forms").joinpath("wording.toml").read_text(encoding="utf-8")
    return {
        f"{group}.{key}": Text(**texts)
        for group, entries in tomllib.loads(source).items()
        for key, texts in entries.items()
    }


def words(key: str) -> Text:
    """Return the three languages of a wording, such as `print.draft`."""
    return _words()[key]


def say(key: str, locale: str) -> str:
    """Return a wording in one language."""
    return words(key).read(locale)
