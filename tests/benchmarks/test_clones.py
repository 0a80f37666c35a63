"""The figures of the vendor's page on copies come from the same seeds: a part of the run gives them again."""

import re
from statistics import median

import pytest

from benchmarks.bench_clones import (
    COPIES,
    HONEST_LIVES,
    Fate,
    back_and_forth_monthly,
    fates,
)
from tests.support.sources import ROOT

PAGE = (ROOT / "docs" / "vendor" / "clones.md").read_text("utf8")


def shown(name: str) -> float:
    """Return the figure of a row of the page."""
    found = re.search(rf"^\| {re.escape(name)} \| ([0-9.]+) ", PAGE, re.MULTILINE)
    assert found, name
    return float(found[1])


def days(found: list[Fate]) -> tuple[list[int], list[int]]:
    reviewed = [fate.reviewed_on for fate in found if fate.reviewed_on is not None]
    held = [fate.held_on for fate in found if fate.held_on is not None]
    assert len(reviewed) == len(held) == len(found)
    return reviewed, held


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_found_as_fast_as_the_page_says(name: str) -> None:
    live, most = COPIES[name]

    reviewed, held = days(fates(3, most, live))

    assert median(reviewed) == shown(f"{name}, days until review")
    assert median(held) == shown(f"{name}, days until hold")
    assert shown(f"{name}, held") == 100


@pytest.mark.parametrize("name", HONEST_LIVES)
def test_honest_servers_are_never_held(name: str) -> None:
    found = fates(2, 200, HONEST_LIVES[name])

    assert found == [Fate(None, None)] * 2
    assert shown(f"{name}, never held") == shown(f"{name}, never reviewed") == 100


def test_the_worst_honest_administrator_is_warned_long_before() -> None:
    reviewed, held = days(fates(2, 240, back_and_forth_monthly))

    assert min(reviewed) >= shown("servers taken back and forth monthly, first day of a review")
    assert min(held) >= shown("servers taken back and forth monthly, first day of a hold") == 171
