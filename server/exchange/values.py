"""What people write into the cells of a table, as values: dates, numbers, amounts, lists. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from persiantools.jdatetime import JalaliDate

from server.core.errors import Invalid
from server.core.format import exponent
from server.core.i18n import gettext as _
from server.core.text import ascii_digits, fold

FIRST_GREGORIAN = 1600
LAST_YEAR = 2200
FIRST_JALALI = 1200
TOMAN = "IRT"  # what shops and spreadsheets call ten rials; no code of ISO 4217
_THREE = re.compile(r"^(\d{1,4})\s*[./\-\s]\s*(\d{1,2})\s*[./\-\s]\s*(\d{1,4})(?:[T\s].*)?$")
_EIGHT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_NAMED = re.compile(r"^(\d{1,2})[\s\-.]+([^\W\d]+)[\s\-.,]+(\d{4})$")
_NAME_FIRST = re.compile(r"^([^\W\d]+)\s+(\d{1,2})[\s,]+(\d{4})$")
_SHORT = re.compile(r"^(\d{1,2})[./\-](\d{1,2})[./\-]\d{4}")
_SPLIT = re.compile(r"[;,،؛|\n]+")
_MONEY_WORDS = re.compile(r"[^\W\d_]+|[$€£¥﷼₺]", re.UNICODE)
_MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر ابان اذر دی بهمن اسفند",
    )
    for number, name in enumerate(names.split(), start=1)
}


def day_order(text: str) -> str:
    """Return `dmy` or `mdy` when a date shows in which order it is written, else nothing."""
    short = _SHORT.match(ascii_digits(text.strip()))
    if short is None:
        return ""
    first, second = int(short[1]), int(short[2])
    if first > 12:
        return "dmy"
    return "mdy" if second > 12 else ""


@lru_cache(maxsize=4096)
def read_date(text: str, order: str = "dmy") -> date:
    """Return the day that is written, in the Jalali or the Gregorian calendar; raise Invalid.

    `order` tells 3/1/2017 in March (`mdy`) from 3/1/2017 in January (`dmy`).
    """
    year, month, day = _parts(ascii_digits(text).strip(), order) or (0, 0, 0)
    try:
        if FIRST_JALALI <= year < FIRST_GREGORIAN:
            return _gregorian(year, month, day)
        if FIRST_GREGORIAN <= year <= LAST_YEAR:
            return date(year, month, day)
    except ValueError:
        pass
    raise Invalid(
        _("“%(text)s” is no date. Write it like 2026-03-01 or 1404/12/10.", text=text[:60])
    )


def _gregorian(year: int, month: int, day: int) -> date:
    made: date = JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call] # no stubs
    return made


def _parts(text: str, order: str) -> tuple[int, int, int] | None:
    """Return year, month and day of a written date, None when it is none."""
    if eight := _EIGHT.match(text):
        return int(eight[1]), int(eight[2]), int(eight[3])
    if three := _THREE.match(text):
        first, second, third = int(three[1]), int(three[2]), int(three[3])
        if len(three[1]) == 4:
            return first, second, third
        return (third, first, second) if order == "mdy" else (third, second, first)
    named = _NAMED.match(text)
    if named:
        return int(named[3]), _MONTHS.get(_plain(named[2]), 0), int(named[1])
    named = _NAME_FIRST.match(text)
    return (int(named[3]), _MONTHS.get(_plain(named[1]), 0), int(named[2])) if named else None


def _plain(word: str) -> str:
    return fold(word)


def read_decimal(text: str, mark: str = "") -> Decimal:
    """Return the number that is written; `mark` is its decimal sign when the table is known to use one."""
    digits = ascii_digits(text).strip().replace("٬", ",").replace("٫", ".")
    negative = digits.startswith(("-", "−")) or (digits.startswith("(") and digits.endswith(")"))
    digits = re.sub(r"[\s\u00a0\u202f'’()\-−+%]", "", digits)
    try:
        if not digits or not set(digits) <= set("0123456789.,"):
            raise InvalidOperation
        number = Decimal(_plain_number(digits, mark))
    except InvalidOperation as error:
        raise Invalid(_("“%(text)s” is no number.", text=text[:60])) from error
    return -number if negative else number


def _plain_number(digits: str, mark: str) -> str:
    """Return the digits with a dot at the decimal place and nothing between thousands."""
    if not mark:
        mark = _mark_of(digits)
    other = "," if mark == "." else "."
    return digits.replace(other, "").replace(mark, ".")


def _mark_of(digits: str) -> str:
    commas, dots = digits.count(","), digits.count(".")
    if commas and dots:
        return "," if digits.rfind(",") > digits.rfind(".") else "."
    if commas:
        grouped = re.fullmatch(r"\d{1,3}(,\d{3})+", digits)
        return "." if grouped or commas > 1 else ","
    return "," if dots > 1 else "."


def read_whole(text: str, mark: str = "") -> int:
    """Return the whole number that is written, or raise Invalid."""
    number = read_decimal(text, mark)
    if number != number.to_integral_value():
        raise Invalid(_("“%(text)s” is no whole number.", text=text[:60]))
    return int(number)


@dataclass(frozen=True)
class Amount:
    """An amount in minor units. `rounded` when the currency has no coins as small as what was written."""

    minor: int
    rounded: bool = False


def read_amount(text: str, currency: str, mark: str = "", times: int = 1) -> Amount:
    """Return the amount that is written, signs and names of currencies beside it left out."""
    words = " ".join(_MONEY_WORDS.findall(text))
    if currency == "IRR" and fold(words) in {"تومان", "toman", "irt"}:
        times *= 10
    number = read_decimal(_MONEY_WORDS.sub("", text), mark) * times
    exact = number.scaleb(exponent(currency))
    if abs(exact) > Decimal(10) ** 18:
        raise Invalid(_("“%(text)s” is too large an amount.", text=text[:60]))
    minor = exact.to_integral_value()
    return Amount(int(minor), rounded=minor != exact)


def read_list(text: str) -> tuple[str, ...]:
    """Return what stands between commas, semicolons or on lines of its own."""
    return tuple(part.strip() for part in _SPLIT.split(text) if part.strip())
