"""Which time counts: rollback, 2099 and back, switched-off machines."""

from hypothesis import given
from hypothesis import strategies as st

from licensing.client.clock import ClockDoubt, TimeMarks, advance, anchor, doubt, effective_now

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
YEAR_2099 = 4_070_908_800


def test_the_latest_of_wall_signed_time_and_high_water_counts() -> None:
    marks = TimeMarks(signed=NOW, running=100, high_water=NOW + 50)
    assert effective_now(marks, NOW + 500) == NOW + 500
    assert effective_now(marks, NOW - DAY) == NOW + 100
    assert effective_now(marks, NOW - DAY, elapsed=20) == NOW + 120
    assert effective_now(TimeMarks(NOW, 0, NOW + 50), NOW) == NOW + 50


def test_turning_the_clock_back_gains_nothing() -> None:
    marks = anchor(NOW)
    for minute in range(1, 121):
        marks = advance(marks, NOW - 300 * DAY, 60)
        assert effective_now(marks, NOW - 300 * DAY) == NOW + minute * 60


def test_a_jump_to_2099_counts_while_it_lasts_and_is_not_kept() -> None:
    marks = anchor(NOW)
    for _ in range(600):
        marks = advance(marks, YEAR_2099, 60)
    assert effective_now(marks, YEAR_2099) == YEAR_2099
    back = effective_now(marks, NOW + 600 * 60)
    assert back == NOW + 600 * 60 + DAY
    assert effective_now(anchor(NOW + DAY), NOW + DAY) == NOW + DAY


def test_repeated_jumps_have_one_day_in_total() -> None:
    marks = anchor(NOW)
    for _ in range(50):
        marks = advance(marks, YEAR_2099, 0)
        marks = advance(marks, NOW, 0)
    assert marks.high_water == NOW + DAY


def test_a_machine_that_was_switched_off_goes_by_its_wall_clock() -> None:
    marks = advance(anchor(NOW), NOW + 60, 60)
    assert effective_now(marks, NOW + 5 * DAY) == NOW + 5 * DAY


def test_the_clock_is_doubted_beyond_two_hours_back_and_one_day_ahead() -> None:
    marks = TimeMarks(NOW, HOUR, NOW)
    run = NOW + HOUR
    assert doubt(marks, run - 2 * HOUR) is None
    assert doubt(marks, run - 2 * HOUR - 1) is ClockDoubt.BACK
    assert doubt(marks, run + DAY) is None
    assert doubt(marks, run + DAY + 1) is ClockDoubt.FORWARD
    assert doubt(TimeMarks(), YEAR_2099) is None


def test_without_a_lease_only_the_wall_clock_is_known() -> None:
    marks = advance(TimeMarks(), YEAR_2099, 60)
    assert marks == TimeMarks(0, 60, 0)
    assert effective_now(marks, NOW) == NOW


@given(
    st.lists(st.tuples(st.integers(0, 2 * YEAR_2099), st.integers(-100, 10_000)), max_size=30),
    st.integers(0, 2 * YEAR_2099),
)
def test_what_is_kept_never_falls_and_never_runs_more_than_a_day_ahead(
    steps: list[tuple[int, int]], wall: int
) -> None:
    marks = anchor(NOW)
    for seen, elapsed in steps:
        after = advance(marks, seen, elapsed)
        assert after.certain >= marks.certain
        marks = after
    assert marks.high_water <= NOW + marks.running + DAY
    assert effective_now(marks, wall) >= max(wall, marks.certain)
