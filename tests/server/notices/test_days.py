"""A day of warnings is the day of the house, also where clocks change and where days are left out."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.core.db import Database
from tests.server.notices.conftest import House, term_ending


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; which day it is does not depend on its kind."""
    return sqlite_database


@pytest.mark.parametrize(
    ("zone", "first", "days"),
    [
        ("Asia/Tehran", date(2027, 3, 20), 4),  # the Persian new year
        ("America/New_York", date(2027, 3, 13), 4),  # the clocks go forward on the 14th
        ("America/New_York", date(2027, 11, 6), 4),  # and back on the 7th
        ("Pacific/Kiritimati", date(2027, 12, 30), 4),  # 14 hours ahead, over the end of the year
        ("Pacific/Apia", date(2011, 12, 29), 3),  # the 30th was left out
    ],
)
def test_each_day_brings_one_message(
    in_zone: Callable[[str], House], zone: str, first: date, days: int
) -> None:
    house = in_zone(zone)
    begin = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for hours in range(0, 96, 4):
        now = begin + timedelta(hours=hours)
        if now.astimezone(ZoneInfo(zone)).date() < first + timedelta(days=4):
            house.tell(term_ending(now, 8), now)

    told = [one.once_key.rsplit(" ", 1)[1] for one in house.messages()]
    left_out = {"2011-12-30"} if zone == "Pacific/Apia" else set()
    expected = {str(first + timedelta(days=day)) for day in range(4)} - left_out
    assert len(told) == len(set(told)) == days
    assert set(told) == expected


def test_a_house_that_moves_west_is_not_told_twice_a_day(in_zone: Callable[[str], House]) -> None:
    now = datetime(2027, 3, 10, 7, tzinfo=UTC)
    in_zone("Asia/Tehran").tell(term_ending(now, 8), now)
    house = in_zone("Europe/Paris")
    house.tell(term_ending(now, 8), now + timedelta(hours=1))

    assert len(house.messages()) == 1
