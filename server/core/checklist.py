"""Checking many fields of one input, so that its writer hears of all mistakes at once."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from server.core.errors import FieldError, Invalid
from server.core.i18n import gettext as _

P = ParamSpec("P")
T = TypeVar("T")

LONG_TEXT = 20_000
_INVISIBLE = "\u200c\u200d"  # Persian writes with the half-space


class Checklist:
    """Gathers refusals of single fields; `finish` raises them together."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []

    def take(self, fallback: T, clean: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the cleaned value, or the fallback after noting why it was refused."""
        try:
            return clean(*args, **kwargs)
        except Invalid as refusal:
            self.errors += refusal.errors
            return fallback

    def refuse(self, field: str, message: str, code: str = "invalid") -> None:
        """Note a refusal that no single value carries."""
        self.errors.append(FieldError(field, message, code))

    def finish(self) -> None:
        """Raise Invalid when something was refused; one mistake speaks for itself."""
        if len(self.errors) == 1:
            raise Invalid(self.errors[0].message, errors=self.errors)
        if self.errors:
            raise Invalid(
                _("Some fields do not fit yet. Look at each of them."), errors=self.errors
            )


def clean_line(text: str, field: str, most: int = 200) -> str:
    """Return one line of text without needless spaces and control characters."""
    if not text.isprintable():
        kept = (letter if letter in _INVISIBLE or letter.isprintable() else " " for letter in text)
        text = "".join(kept)
    return _not_longer(" ".join(text.split()), field, most)


def clean_text(text: str, field: str, most: int = LONG_TEXT) -> str:
    """Return text of several lines without control characters."""
    kept = "".join(letter for letter in text if letter in "\n\t" or letter >= " ")
    return _not_longer(kept.strip(), field, most)


def _not_longer(text: str, field: str, most: int) -> str:
    if len(text) > most:
        raise Invalid(
            _("This text is too long: at most %(most)s characters.", most=most), field=field
        )
    return text


def needed(text: str, field: str, message: str) -> str:
    """Return the text, or raise Invalid with the sentence when it is empty."""
    if not text:
        raise Invalid(message, field=field, code="missing")
    return text
