"""What may go: grandfather, father, son over verified backups, and never while anything is in doubt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backup.plan import Kind
from backup.retention import Facts, Policy, Refusal, decide

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def night(days_ago: int, *, verified: bool = True, failed: bool = False) -> Facts:
    made = NOW - timedelta(days=days_ago, hours=6)
    return Facts(f"set-{days_ago:05}", made, verified=verified, failed=failed)


def nights(count: int) -> list[Facts]:
    return [night(days) for days in range(count)]


def test_a_year_of_nights_is_thinned_to_days_weeks_months_and_years() -> None:
    decision = decide(nights(800), NOW)

    words = list(decision.keep.values())
    assert decision.refusal is None
    assert (words.count("within"), words.count("monthly"), words.count("yearly")) == (14, 11, 1)
    assert len(decision.keep) + len(decision.remove) == 800
    assert 25 < len(decision.keep) < 32


def test_what_is_kept_is_kept_again_and_nothing_more_goes() -> None:
    sets = nights(400)
    kept = [each for each in sets if each.id in decide(sets, NOW).keep]

    assert decide(kept, NOW).remove == ()


@pytest.mark.parametrize(
    ("sets", "refusal"),
    [
        ([night(n, verified=False) for n in range(40)], Refusal.NOTHING_VERIFIED),
        ([night(n) for n in range(3, 60)], Refusal.VERIFIED_TOO_OLD),
        ([night(0, verified=False, failed=True), *nights(60)[1:]], Refusal.NEWEST_FAILED),
        ([night(-1), *nights(60)], Refusal.SET_IN_FUTURE),
    ],
)
def test_in_doubt_nothing_goes(sets: list[Facts], refusal: Refusal) -> None:
    decision = decide(sets, NOW)

    assert (decision.remove, decision.refusal) == ((), refusal)
    assert set(decision.keep.values()) == {refusal.value}


def test_many_unverified_ones_never_push_out_the_verified() -> None:
    garbage = [replace(night(n, verified=False), id=f"junk-{n}") for n in range(1, 500)]
    good = night(0), night(30)

    decision = decide([*garbage, *good], NOW)

    assert {each.id for each in good} <= set(decision.keep)


def test_a_backup_before_an_upgrade_stays_for_ninety_days() -> None:
    before = replace(night(60, verified=False), kind=Kind.PRE_UPGRADE, id="upgrade")
    old = replace(night(91, verified=False), kind=Kind.PRE_UPGRADE, id="old upgrade")

    decision = decide([*nights(30), before, old], NOW)

    assert decision.keep["upgrade"] == "before_upgrade"
    assert "old upgrade" in decision.remove


def test_the_newest_verified_stays_even_when_every_count_is_nought() -> None:
    nothing = Policy(
        daily=0, weekly=0, monthly=0, yearly=0, within=timedelta(0), freshness=timedelta(days=9)
    )

    decision = decide(nights(5), NOW, nothing)

    assert decision.keep == {"set-00000": "last_verified"}


def test_days_are_those_of_the_house() -> None:
    late = Facts("late", datetime(2026, 10, 1, 21, 0, tzinfo=UTC), verified=True)  # 00:30 in Tehran
    early = Facts("early", datetime(2026, 10, 1, 19, 0, tzinfo=UTC), verified=True)
    policy = Policy(daily=9, weekly=0, monthly=0, yearly=0)

    in_utc = decide([night(0), late, early], NOW, policy)
    in_tehran = decide([night(0), late, early], NOW, policy, ZoneInfo("Asia/Tehran"))

    assert in_utc.remove == ("early",)
    assert in_tehran.remove == ()
