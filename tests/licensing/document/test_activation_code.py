"""Activation codes as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.document.activation_code import (
    ALPHABET,
    CHECK_ALPHABET,
    check_symbol,
    code_id,
    format_code,
    generate_code,
    parse_code,
)
from licensing.document.errors import DocumentError

codes = st.text(ALPHABET, min_size=26, max_size=26)


@given(codes)
def test_what_is_shown_is_understood(code: str) -> None:
    assert parse_code(format_code(code)) == code


@given(codes)
def test_case_separators_and_look_alikes_are_forgiven(code: str) -> None:
    typed = format_code(code).lower().replace("-", " _. ").replace("0", "o").replace("1", "l")
    assert parse_code(f"  {typed}\n") == code
    assert parse_code(format_code(code).replace("1", "I").replace("0", "O")) == code


def test_digits_of_a_persian_keyboard_and_foreign_dashes_are_forgiven() -> None:
    code = "01234567890123456789012345"
    typed = format_code(code).translate(str.maketrans("0123456789-", "۰۱۲۳۴۵۶۷۸۹–"))
    assert parse_code(typed) == code


@given(codes, st.integers(0, 26), st.sampled_from(CHECK_ALPHABET))
def test_one_wrong_symbol_is_noticed(code: str, place: int, symbol: str) -> None:
    symbols = list(code + check_symbol(code))
    if symbols[place] == symbol:
        return
    symbols[place] = symbol
    with pytest.raises(DocumentError):
        parse_code("".join(symbols))


@given(codes, st.integers(0, 24))
def test_two_swapped_neighbours_are_noticed(code: str, place: int) -> None:
    if code[place] == code[place + 1]:
        return
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    with pytest.raises(DocumentError):
        parse_code(swapped + check_symbol(code))


@pytest.mark.parametrize("text", ["", "ABC", "U" * 27, "0" * 26, "0" * 28, "é" * 27])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_code(text)


def test_codes_are_random_and_their_ids_short() -> None:
    made = {generate_code() for _ in range(50)}
    assert len(made) == 50
    assert all(len(code) == 26 and len(code_id(code)) == 8 for code in made)
