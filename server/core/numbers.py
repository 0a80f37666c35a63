"""Numbers as the reader writes them. Pure, so that rules can name their limits."""

from decimal import Decimal

from babel.numbers import format_decimal

from server.core.i18n import current_locale
from server.core.text import persian_digits

_PERSIAN_MARKS = str.maketrans({",": "٬", ".": "٫"})


def digits(text: str) -> str:
    """Return the text with the reader's digits."""
    return persian_digits(text) if current_locale() == "fa" else text


def number(value: int | float | Decimal | None) -> str:
    """Return a number with the reader's digits and separators; empty for None."""
    if value is None:
        return ""
    if current_locale() == "fa":
        return persian_digits(f"{value:,}".translate(_PERSIAN_MARKS))
    return format_decimal(value, locale=current_locale())
