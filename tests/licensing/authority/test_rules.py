"""The table of check-ins, row by row, and the rhythm of the next one. Pure."""

import pytest

from licensing.authority.activations.rules import (
    Chain,
    Meaning,
    NonceKind,
    Presented,
    Step,
    is_older,
    judge,
    renew_after,
)
from licensing.document.errors import NoticeCode

DAY = 86_400
RESYNC, REVIEW = NoticeCode.STATE_RESYNC, NoticeCode.CLONE_REVIEW
HEAD, STALE = NonceKind.HEAD, NonceKind.STALE
ABANDONED, UNKNOWN = NonceKind.ABANDONED, NonceKind.UNKNOWN

ROWS = [
    (
        "the reply was lost",
        Chain(7, forks=1, clean=3),
        Presented(7, STALE, is_repeat=True),
        Step(Meaning.REPEAT, Chain(7, forks=1, clean=3)),
    ),
    (
        "the reply was lost, and since then there is a hold",
        Chain(7, forks=6, is_held=True),
        Presented(8, ABANDONED, is_repeat=True),
        Step(Meaning.REPEAT, Chain(7, forks=6, is_held=True)),
    ),
    (
        "normal",
        Chain(7, clean=3),
        Presented(8, HEAD),
        Step(Meaning.ADVANCE, Chain(8, clean=4)),
    ),
    (
        "the local counter fell behind",
        Chain(7, clean=3),
        Presented(2, HEAD),
        Step(Meaning.RESYNC, Chain(8), notices=(RESYNC,)),
    ),
    (
        "the local counter ran ahead",
        Chain(7),
        Presented(40, HEAD),
        Step(Meaning.RESYNC, Chain(41), notices=(RESYNC,)),
    ),
    (
        "a restored snapshot",
        Chain(7, clean=59),
        Presented(5, STALE),
        Step(Meaning.RESYNC, Chain(8), abandons_head=True, notices=(RESYNC,)),
    ),
    (
        "a restored snapshot does not count as a fork",
        Chain(7, forks=1),
        Presented(5, STALE),
        Step(Meaning.RESYNC, Chain(8, forks=1), abandons_head=True, notices=(RESYNC,)),
    ),
    (
        "two lineages for the first time",
        Chain(7, clean=9),
        Presented(7, ABANDONED),
        Step(Meaning.RESYNC, Chain(8, forks=1), abandons_head=True, notices=(RESYNC,)),
    ),
    (
        "a nonce that was never given out",
        Chain(7),
        Presented(30, UNKNOWN),
        Step(Meaning.RESYNC, Chain(31, forks=1), abandons_head=True, notices=(RESYNC,)),
    ),
    (
        "two lineages for the second time are told",
        Chain(7, forks=1),
        Presented(7, ABANDONED),
        Step(Meaning.RESYNC, Chain(8, forks=2), abandons_head=True, notices=(RESYNC, REVIEW)),
    ),
    (
        "and stay told while the chain goes on",
        Chain(7, forks=2),
        Presented(8, HEAD),
        Step(Meaning.ADVANCE, Chain(8, forks=2, clean=1), notices=(REVIEW,)),
    ),
    (
        "five forks still stop nothing",
        Chain(7, forks=4),
        Presented(7, UNKNOWN),
        Step(Meaning.RESYNC, Chain(8, forks=5), abandons_head=True, notices=(RESYNC, REVIEW)),
    ),
    (
        "the sixth does, and the head stays where it was",
        Chain(7, forks=5, clean=2),
        Presented(7, ABANDONED),
        Step(Meaning.HOLD, Chain(7, forks=6, is_held=True)),
    ),
    (
        "a hold stops whatever is shown",
        Chain(7, forks=6, is_held=True),
        Presented(8, HEAD),
        Step(Meaning.HOLD, Chain(7, forks=6, is_held=True)),
    ),
    (
        "sixty clean check-ins forget the counters",
        Chain(70, forks=5, clean=59),
        Presented(71, HEAD),
        Step(Meaning.ADVANCE, Chain(71)),
    ),
    (
        "fifty-nine do not",
        Chain(70, forks=5, clean=58),
        Presented(71, HEAD),
        Step(Meaning.ADVANCE, Chain(71, forks=5, clean=59), notices=(REVIEW,)),
    ),
]


@pytest.mark.parametrize(
    ("chain", "shown", "step"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_a_row_of_the_table(chain: Chain, shown: Presented, step: Step) -> None:
    assert judge(chain, shown) == step


def test_the_next_check_in_is_spread_over_eight_hours_around_a_day() -> None:
    times = [renew_after(f"act_{number}", 2, 1_000_000, DAY) - 1_000_000 for number in range(500)]

    assert min(times) >= DAY - 4 * 3600
    assert max(times) <= DAY + 4 * 3600
    assert max(times) - min(times) > 7 * 3600


def test_the_same_lease_is_due_at_the_same_time() -> None:
    assert renew_after("act_1", 2, 0, DAY) == renew_after("act_1", 2, 0, DAY)


@pytest.mark.parametrize(
    ("version", "oldest", "old"),
    [
        ("1.2.3", "1.2.3", False),
        ("1.2.10", "1.2.9", False),
        ("1.2", "1.2.1", True),
        ("0.9.9", "1.0", True),
        ("1.0.0+checkout", "1.0.0", False),
        ("", "0.1", True),
        ("nonsense", "0.1", True),
        ("١.٢", "0.1", True),
    ],
)
def test_which_version_is_older(version: str, oldest: str, *, old: bool) -> None:
    assert is_older(version, oldest) is old
