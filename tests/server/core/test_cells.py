"""Cells that a spreadsheet would carry out are handed out as words, and read back as they were."""

import pytest

from server.core.cells import as_written, harmless


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "\t=1", "\r1", "\n1", " =1", "+A1"],
)
def test_a_formula_is_shown_and_not_carried_out_and_reads_as_it_was(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert as_written(harmless(cell)) == cell


@pytest.mark.parametrize(
    "cell", ["+98 (21) 8888-7777", "-5.5", "- 1,200", "Pars", "", "'tis", "a=b", "۲۰٪", "-"]
)
def test_numbers_and_words_are_handed_out_as_they_are(cell: str) -> None:
    assert harmless(cell) == as_written(cell) == cell
