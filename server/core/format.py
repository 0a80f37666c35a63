"""How moments, numbers and money look to the reader: their calendar, zone and digits.

Babel's Persian gives Latin digits and Gregorian dates, hence the two formatters on persiantools.
"""

import datetime as dt
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import (
    format_currency,
    get_currency_precision,
    get_currency_symbol,
)
from persiantools.jdatetime import JalaliDate, JalaliDateTime

from server.core import clock
from server.core.i18n import current_locale
from server.core.i18n import gettext as _
from server.core.numbers import digits as _digits
from server.core.numbers import number as number  # what shows things finds it here

TOMAN_IN_RIALS = 10
_STEP = 1000
# Beyond these days, such as the 9999-12-31 of many an export, a date is shown as a Gregorian one.
_FIRST_JALALI = dt.date(622, 3, 22)
_LAST_JALALI = dt.date(9998, 12, 31)


@dataclass(frozen=True)
class Display:
    """What a reader prefers to see. The calendar is `jalali`, `gregorian` or, when empty, the language's."""

    zone: str = "UTC"
    calendar: str = ""
    toman: bool = False


_display: ContextVar[Display] = ContextVar("daftar_display", default=Display())  # noqa: B039 - frozen


def set_display(display: Display) -> None:
    """Show things this way from here on in the running request or job."""
    _display.set(display)


def current_display() -> Display:
    """Return what the reader prefers to see."""
    return _display.get()


def calendar() -> str:
    """Return `jalali` or `gregorian`: the reader's choice, else the custom of the language."""
    return _display.get().calendar or ("jalali" if current_locale() == "fa" else "gregorian")


def local(moment: dt.datetime) -> dt.datetime:
    """Return the moment in the reader's zone; the first and the last day of all stay in their own."""
    try:
        return moment.astimezone(ZoneInfo(_display.get().zone))
    except OverflowError:
        return moment


def today() -> dt.date:
    """Return the date it is in the reader's zone."""
    return local(clock.now()).date()


def date(
    value: dt.date | dt.datetime | None, style: Literal["short", "medium", "long"] = "medium"
) -> str:
    """Return a date as the reader writes it; empty for None."""
    if value is None:
        return ""
    day = local(value).date() if isinstance(value, dt.datetime) else value
    if calendar() == "jalali" and _FIRST_JALALI <= day <= _LAST_JALALI:
        pattern = "%Y/%m/%d" if style == "short" else "%d %B %Y"
        locale = "fa" if current_locale() == "fa" else "en"
        text = JalaliDate(day, locale=locale).strftime(pattern)  # type: ignore[no-untyped-call] # no stubs
        return _digits(text.removeprefix("0").removeprefix("۰"))
    return _digits(format_date(day, style, locale=current_locale()))


def datetime(value: dt.datetime | None) -> str:
    """Return a moment as the reader writes it, to the minute, in the reader's zone; empty for None."""
    if value is None:
        return ""
    moment = local(value)
    if calendar() == "jalali":
        return f"{date(moment)} {_digits(moment.strftime('%H:%M'))}"
    return _digits(format_datetime(moment, "d MMM y HH:mm", locale=current_locale()))


def zoned(value: dt.datetime | None) -> str:
    """Return a moment like `datetime`, with the name of the zone; empty for None."""
    return f"{datetime(value)} {local(value).tzname()}" if value else ""


def clock_time(value: dt.datetime | None) -> str:
    """Return the time of day of a moment in the reader's zone, to the minute; empty for None."""
    return _digits(local(value).strftime("%H:%M")) if value else ""


def ago(value: dt.datetime | None) -> str:
    """Return how long ago, or how far ahead, a moment is, in words; empty for None."""
    if value is None:
        return ""
    distance = value - clock.now()
    return _digits(format_timedelta(distance, add_direction=True, locale=current_locale()))


def span(seconds: int) -> str:
    """Return a length of time in words, in its largest unit."""
    return _digits(format_timedelta(dt.timedelta(seconds=seconds), locale=current_locale()))


def filesize(size: int | None) -> str:
    """Return a size in bytes in the largest unit that keeps it above one."""
    if size is None:
        return ""
    amount = Decimal(size)
    units = ["B", "KB", "MB", "GB", "TB"]
    while amount >= _STEP and len(units) > 1:
        amount /= _STEP
        units.pop(0)
    unit = units[0]
    rounded = round(amount, 1 if amount < 10 and unit != "B" else 0)
    whole = rounded == rounded.to_integral_value()  # normalize() would write 20 as 2E+1
    return f"{number(int(rounded) if whole else rounded)} {unit}"


def exponent(currency: str) -> int:
    """Return how many decimal places the currency's minor unit stands for; rials have none here."""
    return 0 if currency == "IRR" else get_currency_precision(currency)


def money(minor: int | None, currency: str) -> str:
    """Return an amount in minor units as the reader writes it; 1 toman is 10 rials; empty for None."""
    if minor is None:
        return ""
    if currency == "IRR":
        if _display.get().toman:
            return _("%(amount)s toman", amount=number(Decimal(minor) / TOMAN_IN_RIALS))
        return _("%(amount)s rial", amount=number(minor))
    major = Decimal(minor).scaleb(-exponent(currency))
    if current_locale() == "fa":
        # Babel puts direction marks and the sign where a Persian reader does not look for it.
        return f"{number(major)} {get_currency_symbol(currency, locale='en')}"
    return _digits(format_currency(major, currency, locale=current_locale()))


def jalali_datetime(value: dt.datetime) -> str:
    """Return a moment in the Jalali calendar with ASCII digits, for documents that need both calendars."""
    return str(JalaliDateTime(value).strftime("%Y/%m/%d %H:%M"))  # type: ignore[no-untyped-call] # no stubs
