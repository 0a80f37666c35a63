"""The one policy of trying again, and the words for each step that fails."""

from datetime import timedelta

import pytest

from server.core.letters import Stage, pause_after, rest_after, stage_sentence


@pytest.mark.parametrize(
    ("attempts", "draw", "asked", "seconds"),
    [
        (1, 0.0, None, 30),
        (1, 0.5, None, 45),
        (3, 0.0, None, 120),
        (40, 0.0, None, 3 * 3600),
        (1, 0.0, 600, 600),
        (1, 0.0, 10**9, 6 * 3600),
        (5, 0.0, 1, 480),
    ],
)
def test_the_policy(attempts: int, draw: float, asked: int | None, seconds: int) -> None:
    assert pause_after(attempts, draw, asked) == timedelta(seconds=seconds)


def test_a_line_rests_a_quarter_of_an_hour_at_most() -> None:
    rests = [rest_after(n) // timedelta(minutes=1) for n in (1, 2, 3, 4, 5, 100)]

    assert rests == [1, 2, 4, 8, 15, 15]


def test_every_stage_has_its_sentence() -> None:
    assert all(stage_sentence(stage) for stage in Stage)
    assert stage_sentence("") == ""
