"""Which backups may go. Pure: no disk, no clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from backup.plan import Kind


class Refusal(StrEnum):
    """Why nothing may go at the moment."""

    NOTHING_VERIFIED = "nothing_verified"
    VERIFIED_TOO_OLD = "verified_too_old"
    NEWEST_FAILED = "newest_failed"
    SET_IN_FUTURE = "set_in_future"


@dataclass(frozen=True)
class Facts:
    """What retention needs to know of a backup."""

    id: str
    created_at: datetime
    verified: bool
    failed: bool = False
    kind: Kind | None = None


@dataclass(frozen=True)
class Policy:
    """How many to keep: grandfather, father, son, counted on verified backups only."""

    daily: int = 7
    weekly: int = 5
    monthly: int = 12
    yearly: int = 3
    within: timedelta = timedelta(days=14)
    before_upgrade: timedelta = timedelta(days=90)
    freshness: timedelta = timedelta(hours=48)
    tolerance: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Decision:
    """What may go, and for each that stays why; with a refusal all stay."""

    remove: tuple[str, ...]
    keep: dict[str, str]
    refusal: Refusal | None


def decide(
    sets: Sequence[Facts], now: datetime, policy: Policy | None = None, zone: tzinfo = UTC
) -> Decision:
    """Decide which backups may go.

    Nothing goes while the newest verified backup is older than the policy's freshness, while the
    newest backup of all failed its verification, or while a backup lies in the future, for then
    the clock cannot be believed. The newest verified backup never goes.
    """
    policy = policy or Policy()
    refusal = _refusal(sets, now, policy)
    if refusal is not None:
        return Decision((), {each.id: refusal.value for each in sets}, refusal)
    keep: dict[str, str] = {}
    for each in sets:
        if each.created_at > now - policy.within:
            keep[each.id] = "within"
        elif each.kind is Kind.PRE_UPGRADE and each.created_at > now - policy.before_upgrade:
            keep[each.id] = "before_upgrade"
    verified = sorted((each for each in sets if each.verified), key=_age, reverse=True)
    keep.setdefault(verified[0].id, "last_verified")
    for word, count, period in (
        ("daily", policy.daily, _day),
        ("weekly", policy.weekly, _week),
        ("monthly", policy.monthly, _month),
        ("yearly", policy.yearly, _year),
    ):
        for each in _newest_of_each(verified, count, period, zone):
            keep.setdefault(each.id, word)
    remove = tuple(each.id for each in sorted(sets, key=_age) if each.id not in keep)
    return Decision(remove, keep, None)


def _refusal(sets: Sequence[Facts], now: datetime, policy: Policy) -> Refusal | None:
    verified = [each.created_at for each in sets if each.verified]
    if any(each.created_at > now + policy.tolerance for each in sets):
        return Refusal.SET_IN_FUTURE
    if not verified:
        return Refusal.NOTHING_VERIFIED
    if max(verified) < now - policy.freshness:
        return Refusal.VERIFIED_TOO_OLD
    if max(sets, key=_age).failed:
        return Refusal.NEWEST_FAILED
    return None


Period = Callable[[datetime], tuple[int, ...]]


def _newest_of_each(
    verified: Sequence[Facts], count: int, period: Period, zone: tzinfo
) -> list[Facts]:
    """Return the newest backup of each of the last so many periods that have one."""
    newest: dict[tuple[int, ...], Facts] = {}
    for each in verified:
        newest.setdefault(period(each.created_at.astimezone(zone)), each)
    return list(newest.values())[:count]


def _age(each: Facts) -> tuple[datetime, str]:
    return each.created_at, each.id


def _day(moment: datetime) -> tuple[int, ...]:
    return moment.year, moment.month, moment.day


def _week(moment: datetime) -> tuple[int, ...]:
    week = moment.isocalendar()
    return week.year, week.week


def _month(moment: datetime) -> tuple[int, ...]:
    return moment.year, moment.month


def _year(moment: datetime) -> tuple[int, ...]:
    return (moment.year,)
