"""The reader's language: gettext for fa, en and fr, and the direction of the page.

The language is a context variable, so that services, jobs and mail can translate without knowing
who brought them the request. English sentences are the message ids.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel.support import NullTranslations, Translations

LOCALES = ("fa", "en", "fr")
RIGHT_TO_LEFT = frozenset({"fa"})
CATALOGUES = Path(__file__).parents[2] / "client_web" / "translations"

_locale: ContextVar[str] = ContextVar("daftar_locale", default="en")


@lru_cache
def _catalogue(locale: str) -> NullTranslations:
    if locale == "en":
        return NullTranslations()
    return Translations.load(str(CATALOGUES), [locale], domain="daftar")


def current_locale() -> str:
    """Return the language of whoever reads the answer: fa, en or fr."""
    return _locale.get()


def direction(locale: str | None = None) -> str:
    """Return `rtl` or `ltr` for the language, by default the reader's."""
    return "rtl" if (locale or current_locale()) in RIGHT_TO_LEFT else "ltr"


def set_locale(locale: str) -> None:
    """Speak this language from here on in the running request or job."""
    _locale.set(locale if locale in LOCALES else "en")


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Speak this language inside the block, as mail to a colleague does."""
    token = _locale.set(locale if locale in LOCALES else "en")
    try:
        yield
    finally:
        _locale.reset(token)


def gettext(message: str, /, **values: object) -> str:
    """Translate the sentence, then fill in `%(name)s` places."""
    text = _catalogue(current_locale()).ugettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, n: int, /, **values: object) -> str:
    """Translate a counted sentence; `%(n)s` is filled in with the number."""
    text = _catalogue(current_locale()).ungettext(one, many, n)
    return text % {"n": n, **values}


def ltr(text: str) -> str:
    """Return a number or address isolated, so that no sentence from right to left turns it round."""
    return f"\u2066{text}\u2069"


def mark(message: str) -> str:
    """Mark a sentence for the catalogue that is translated later, where its reader is known."""
    return message


def negotiate(header: str) -> str | None:
    """Return the best of our languages for an Accept-Language header, or None when it wants none of them."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        code = name.strip().split("-")[0].lower()
        if code in LOCALES and weight > 0:
            wishes.append((-weight, place, code))
    return min(wishes)[2] if wishes else None
