"""Folding: what a search and a comparison see of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.text import ascii_digits, fold, initials, persian_digits, search_text


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("كريمي", "کریمی"),
        ("۰۹۱۲", "0912"),
        ("٠٩١٢", "0912"),
        ("می‌روم", "می روم"),
        ("Société", "SOCIETE"),
        ("ＡＢＣ", "abc"),
        ("آموت", "اموت"),
        ("شرکتــ پارس", "شرکت پارس"),
    ],
)
def test_two_ways_to_write_a_thing_are_one(typed: str, stored: str) -> None:
    assert fold(typed) == fold(stored)


def test_a_search_finds_words_written_with_or_without_a_half_space() -> None:
    text = search_text("می‌روم")

    assert fold("می روم") in text
    assert fold("میروم") in text


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.integers(min_value=0))
def test_digits_survive_the_way_there_and_back(number: int) -> None:
    assert ascii_digits(persian_digits(str(number))) == str(number)


def test_initials_are_the_first_and_the_last_name() -> None:
    assert [initials("Anna Maria Berg"), initials("آنا"), initials("")] == ["AB", "آ", ""]
