"""Dates, moments, digits and the direction of texts as readers of the printed forms expect them: Jalali in fa."""

import re
import unicodedata
from datetime import UTC, date, datetime, tzinfo

from babel.dates import format_date
from persiantools import digits
from persiantools.jdatetime import MONTH_NAMES_FA, JalaliDate

BABEL = {"fa": "fa", "en": "en_GB", "fr": "fr_FR"}


def show_number(number: int | str, locale: str) -> str:
    """Return a number in the reader's digits."""
    text = str(number)
    return digits.en_to_fa(text) if locale == "fa" else text


def show_date(day: date, locale: str) -> str:
    """Return a date in words, Jalali with Persian digits in fa."""
    if locale == "fa":
        jalali = JalaliDate(day)  # type: ignore[no-untyped-call]  # persiantools leaves it untyped
        month = MONTH_NAMES_FA[jalali.month]
        return f"{show_number(jalali.day, locale)} {month} {show_number(jalali.year, locale)}"
    return format_date(day, format="long", locale=BABEL.get(locale, "en_GB"))


def show_moment(moment: datetime, locale: str, zone: tzinfo) -> str:
    """Return date and time of day in a time zone."""
    local = moment.astimezone(zone)
    comma = "،" if locale == "fa" else ","
    return f"{show_date(local.date(), locale)}{comma} {show_number(f'{local:%H:%M}', locale)}"


def read_moment(text: str) -> datetime:
    """Read a moment as the forms keep it."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def text_direction(text: str, locale: str) -> str:
    """Return `rtl` or `ltr` by the first letter of a text, the page's direction without one."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "rtl" if locale == "fa" else "ltr"


def keep_numbers_whole(text: str) -> str:
    """Isolate numbers with dashes, such as telephones, which Persian lines would turn around."""
    return re.sub(r"[+\d][\d\-/ ]{5,}\d", "\u2066\\g<0>\u2069", text)
