"""How things look to readers of three languages."""

from datetime import UTC, date, datetime

import pytest

from server.core import format as shown
from server.core.i18n import use_locale
from server.core.text import persian_digits


@pytest.fixture(autouse=True)
def _plain_display() -> None:
    shown.set_display(shown.Display())


@pytest.mark.parametrize(
    ("locale", "text"),
    [("fa", "۱ آذر ۱۴۰۵"), ("en", "Nov 22, 2026"), ("fr", "22 nov. 2026")],
)
def test_a_date_is_written_in_the_readers_calendar(locale: str, text: str) -> None:
    with use_locale(locale):
        assert shown.date(date(2026, 11, 22)) == text


def test_a_moment_is_shown_in_the_readers_zone() -> None:
    shown.set_display(shown.Display(zone="Asia/Tehran"))
    with use_locale("en"):
        assert shown.datetime(datetime(2026, 11, 22, 21, 0, tzinfo=UTC)) == "23 Nov 2026 00:30"


def test_the_day_changes_in_the_readers_zone() -> None:
    shown.set_display(shown.Display(zone="Asia/Tehran"))
    with use_locale("fa"):
        assert shown.date(datetime(2026, 3, 20, 21, 0, tzinfo=UTC)) == "۱ فروردین ۱۴۰۵"


@pytest.mark.parametrize("locale", ["fa", "en", "fr"])
def test_every_day_and_moment_can_be_shown(locale: str) -> None:
    shown.set_display(shown.Display(zone="Asia/Tehran"))
    with use_locale(locale):
        for day in (date.min, date(622, 3, 21), date.max):
            assert persian_digits(str(day.year)) in persian_digits(shown.date(day))
        for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            assert shown.datetime(moment)


@pytest.mark.parametrize(
    ("locale", "toman", "text"),
    [
        ("fa", True, "۱۲٬۳۴۵"),
        ("fa", False, "۱۲۳٬۴۵۰"),
        ("en", True, "12,345 toman"),
        ("en", False, "123,450 rial"),
    ],
)
def test_rials_can_be_shown_as_toman(locale: str, toman: bool, text: str) -> None:
    shown.set_display(shown.Display(toman=toman))
    with use_locale(locale):
        assert shown.money(123_450, "IRR").startswith(text)


def test_a_toman_that_is_not_whole_keeps_its_rial() -> None:
    shown.set_display(shown.Display(toman=True))
    with use_locale("en"):
        assert shown.money(15, "IRR") == "1.5 toman"


def test_money_knows_its_minor_units() -> None:
    with use_locale("en"):
        assert [shown.money(123_456, "USD"), shown.money(-5, "USD"), shown.money(500, "JPY")] == [
            "$1,234.56",
            "-$0.05",
            "¥500",
        ]


def test_a_size_is_told_in_the_largest_fitting_unit() -> None:
    with use_locale("en"):
        assert [shown.filesize(n) for n in (0, 999, 1_500, 20_000, 230_000_000)] == [
            "0 B",
            "999 B",
            "1.5 KB",
            "20 KB",
            "230 MB",
        ]
