"""Dates, numbers and amounts as people of three languages write them."""

from datetime import date
from decimal import Decimal

import pytest

from server.core.errors import Invalid
from server.exchange.values import (
    Amount,
    day_order,
    read_amount,
    read_date,
    read_decimal,
    read_list,
    read_whole,
)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "2026/3/1",
        "20260301",
        "2026-03-01 14:30",
        "2026-03-01T00:00:00Z",
        "1/3/2026",
        "01.03.2026",
        "1 March 2026",
        "1-Mar-2026",
        "Mar 1, 2026",
        "1 mars 2026",
        "1404/12/10",
        "۱۴۰۴/۱۲/۱۰",
        "١٤٠٤-١٢-١٠",
        "10/12/1404",
        "۱۰ اسفند ۱۴۰۴",
    ],
)
def test_a_day_is_understood_in_both_calendars(text: str) -> None:
    assert read_date(text) == date(2026, 3, 1)


def test_the_order_of_day_and_month_can_be_told() -> None:
    assert read_date("3/1/2026", "mdy") == date(2026, 3, 1)
    assert [day_order(text) for text in ("13/1/2026", "1/13/2026", "1/3/2026", "2026-01-13")] == [
        "dmy",
        "mdy",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "text",
    ["soon", "2026-13-01", "2026-02-30", "1/3/26", "1404/13/01", "1403/12/31", "", "0000-01-01"],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_date(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1054", "1054"),
        ("1,054", "1054"),
        ("1,234,567.89", "1234567.89"),
        ("1.234.567,89", "1234567.89"),
        ("1 234 567,89", "1234567.89"),
        ("1'234.5", "1234.5"),
        ("12,5", "12.5"),
        ("۱٬۲۳۴٫۵", "1234.5"),
        ("-5", "-5"),
        ("(5)", "-5"),
        ("50%", "50"),
    ],
)
def test_a_number_is_understood(text: str, number: str) -> None:
    assert read_decimal(text) == Decimal(number)


def test_the_decimal_sign_can_be_told() -> None:
    assert read_decimal("1.234", ",") == 1234
    assert read_decimal("1.234", ".") == Decimal("1.234")


@pytest.mark.parametrize("text", ["many", "1.2.3,4,5", "--", "", "1e5", "NaN", "Infinity"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_decimal(text)


def test_a_whole_number_has_no_part() -> None:
    assert read_whole("2,822") == 2822
    with pytest.raises(Invalid):
        read_whole("2.5")


@pytest.mark.parametrize(
    ("text", "currency", "times", "amount"),
    [
        ("$1,054.50", "USD", 1, Amount(105_450)),
        ("1054 USD", "USD", 1, Amount(105_400)),
        ("1.1", "USD", 1_000_000, Amount(110_000_000)),
        ("۱۲٬۰۰۰ تومان", "IRR", 1, Amount(120_000)),
        ("12000 ریال", "IRR", 1, Amount(12_000)),
        ("1100.04", "IRR", 1, Amount(1_100, rounded=True)),
        ("10.005", "USD", 1, Amount(1_000, rounded=True)),
    ],
)
def test_an_amount_is_kept_in_minor_units(
    text: str, currency: str, times: int, amount: Amount
) -> None:
    assert read_amount(text, currency, times=times) == amount


def test_an_amount_beyond_all_money_is_refused() -> None:
    with pytest.raises(Invalid):
        read_amount("9" * 40, "USD")


def test_lists_stand_between_commas_semicolons_or_on_lines() -> None:
    assert read_list("a@b.c; d@e.f،g@h.i\n j@k.l ") == ("a@b.c", "d@e.f", "g@h.i", "j@k.l")
