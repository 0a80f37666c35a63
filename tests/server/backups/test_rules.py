"""When the light turns, and which days nobody checked."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from server.backups.rules import (
    Cause,
    Colour,
    DayState,
    Facts,
    Made,
    checked_days,
    is_told,
    judge,
    oldest_unchecked,
    unchecked,
)

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
GOOD = Facts(
    since=NOW - timedelta(days=30),
    newest_at=NOW - timedelta(hours=6),
    newest_failed=False,
    verified_at=NOW - timedelta(hours=6),
    place_problem=False,
    run_failed=False,
    unchecked_days=0,
)


@pytest.mark.parametrize(
    ("changes", "colour", "cause"),
    [
        ({}, Colour.GREEN, Cause.GOOD),
        ({"unchecked_days": 1}, Colour.AMBER, Cause.UNCHECKED),
        ({"verified_at": NOW - timedelta(hours=27)}, Colour.AMBER, Cause.LATE),
        ({"run_failed": True, "unchecked_days": 3}, Colour.AMBER, Cause.RUN_FAILED),
        ({"verified_at": None, "since": None}, Colour.AMBER, Cause.FIRST_DUE),
        ({"verified_at": None, "since": NOW}, Colour.AMBER, Cause.FIRST_DUE),
        ({"verified_at": None}, Colour.RED, Cause.NEVER),
        ({"newest_failed": True}, Colour.RED, Cause.NEWEST_FAILED),
        ({"verified_at": NOW - timedelta(days=8)}, Colour.RED, Cause.TOO_OLD),
        ({"place_problem": True, "newest_failed": True}, Colour.RED, Cause.PLACE),
    ],
)
def test_the_light_tells_the_gravest_cause(
    changes: dict[str, object], colour: Colour, cause: Cause
) -> None:
    assert judge(replace(GOOD, **changes), NOW) == (colour, cause)  # type: ignore[arg-type] # fields by name


def made(days_ago: int, *, confirmed: bool = False, refused: bool = False) -> Made:
    return Made(TODAY - timedelta(days=days_ago), confirmed, refused)


def states(days: int, *backups: Made) -> dict[date, DayState]:
    found = {each.day: each.state for each in checked_days(backups, TODAY)}
    assert len(found) == days
    return found


def test_every_day_since_the_first_backup_has_its_word() -> None:
    found = states(4, made(0), made(1, confirmed=True), made(1), made(3, refused=True))

    assert list(found.values()) == [
        DayState.UNCHECKED,
        DayState.CONFIRMED,
        DayState.MISSING,
        DayState.PROBLEM,
    ]


def test_today_is_not_held_against_anybody_before_it_is_over() -> None:
    days = checked_days([made(0), made(1), made(2)], TODAY)

    assert unchecked(days, TODAY) == 2
    assert states(1, made(1)) == {TODAY - timedelta(days=1): DayState.UNCHECKED}
    assert checked_days([], TODAY) == ()


def test_only_two_weeks_are_shown() -> None:
    assert len(checked_days([made(n) for n in range(60)], TODAY)) == 14


@pytest.mark.parametrize(
    ("due", "colour", "cause"),
    [
        (None, Colour.GREEN, Cause.GOOD),
        (NOW + timedelta(seconds=1), Colour.GREEN, Cause.GOOD),
        (NOW, Colour.AMBER, Cause.KEYS),
    ],
)
def test_the_light_is_amber_until_the_keys_are_proved(
    due: datetime | None, colour: Colour, cause: Cause
) -> None:
    assert judge(replace(GOOD, keys_due_at=due), NOW) == (colour, cause)


def test_who_answers_is_told_at_once_and_everybody_with_the_right_on_the_third_day() -> None:
    told: list[tuple[int, bool, bool, bool]] = []
    for passed in range(5):
        now = TODAY + timedelta(days=passed)
        oldest = oldest_unchecked(checked_days([made(0)], now), now)
        told.append(
            (
                passed,
                is_told(oldest, now, answers=True, may_confirm=True),
                is_told(oldest, now, answers=False, may_confirm=True),
                is_told(oldest, now, answers=False, may_confirm=False),
            )
        )

    assert told == [
        (0, False, False, False),
        (1, True, False, False),
        (2, True, False, False),
        (3, True, True, False),
        (4, True, True, False),
    ]
