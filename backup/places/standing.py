"""How a place stands: what was last seen there, kept on the server's own disk, and its light.

`judge` is pure; the book is one small JSON file a place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backup import disk, report
from backup.copying import Found
from backup.retention import Facts, Policy, Refusal, decide
from server.core import clock


class Light(StrEnum):
    """The colour of a place's light."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Cause(StrEnum):
    """Why the light has its colour, the gravest first."""

    DAMAGED = "damaged"
    VANISHED = "vanished"
    REFUSED = "refused"
    LATE = "late"
    NEVER = "never"
    UNVERIFIED = "unverified"
    GOOD = "good"


@dataclass(frozen=True)
class Checked:
    """How reading a set back ended."""

    at: datetime
    problems: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Return whether every byte was there."""
        return not self.problems


@dataclass(frozen=True)
class Standing:
    """What is known of a place. `id` is the disk that was seen last; `sets` is what lay on it.

    `vanished` is what somebody else removed; it stays until a person makes the place ready again.
    """

    first_seen_at: datetime
    id: str = ""
    sets: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    checked: dict[str, Checked] | None = None
    copied_at: datetime | None = None
    tried_at: datetime | None = None
    problem: str = ""
    away: bool = False

    @property
    def newest(self) -> str | None:
        """Return the newest backup that was copied."""
        return self.sets[-1] if self.sets else None

    @property
    def verified(self) -> str | None:
        """Return the newest backup that was read back whole."""
        good = [name for name in self.sets if (found := self.look(name)) is not None and found.ok]
        return good[-1] if good else None

    @property
    def damaged(self) -> frozenset[str]:
        """Return the files that reading back found wrong."""
        return frozenset(name for each in (self.checked or {}).values() for name in each.damaged)

    def look(self, set_id: str) -> Checked | None:
        """Return how reading this set back ended, None when nobody did."""
        return (self.checked or {}).get(set_id)

    def seen(self, place_id: str, sets: Sequence[str]) -> "Standing":
        """Return the standing after a look at what lies there; another disk starts anew."""
        if place_id != self.id:
            return replace(self, id=place_id, sets=tuple(sets), vanished=(), checked={}, away=False)
        gone = [name for name in self.sets if name not in sets]
        kept = {name: each for name, each in (self.checked or {}).items() if name in sets}
        return replace(
            self,
            sets=tuple(sets),
            vanished=tuple(dict.fromkeys((*self.vanished, *gone))),
            checked=kept,
            away=False,
        )

    def without(self, removed: Sequence[str]) -> "Standing":
        """Return the standing after we removed sets ourselves."""
        return replace(
            self,
            sets=tuple(name for name in self.sets if name not in removed),
            checked={k: v for k, v in (self.checked or {}).items() if k not in removed},
        )

    def with_look(self, found: Found, at: datetime) -> "Standing":
        """Return the standing after a set was read back."""
        looked = Checked(at, found.problems, found.damaged)
        return replace(self, checked={**(self.checked or {}), found.set: looked})


@dataclass(frozen=True)
class Shown:
    """A place as pages and commands show it."""

    light: Light
    cause: Cause
    lag: timedelta
    newest_at: datetime | None
    verified_at: datetime | None


def judge(
    there: Standing,
    here: Sequence[str],
    now: datetime,
    *,
    late: timedelta,
    verify_every: timedelta | None,
) -> Shown:
    """Judge a place by the backups that are here. A place that is away is no error until it is late."""
    missing = min((name for name in here if name > (there.newest or "")), default=None)
    lag = timedelta(0) if missing is None else now - report.moment_of(missing)
    looks = list((there.checked or {}).values())
    good = max((each.at for each in looks if each.ok), default=there.first_seen_at)
    behind = Cause.LATE if there.sets else Cause.NEVER
    red = (
        (Cause.DAMAGED, any(not each.ok for each in looks)),
        (Cause.VANISHED, bool(there.vanished)),
        (behind, lag > 2 * late),
    )
    amber = (
        (Cause.REFUSED, bool(there.problem) and not there.away),
        (behind, lag > late or not there.sets),
        (Cause.UNVERIFIED, verify_every is not None and now - good > verify_every + late),
    )
    light, cause = _gravest(red, amber)
    return Shown(
        light=light,
        cause=cause,
        lag=lag,
        newest_at=report.moment_of(there.newest) if there.newest else None,
        verified_at=report.moment_of(there.verified) if there.verified else None,
    )


def _gravest(
    red: Sequence[tuple[Cause, bool]], amber: Sequence[tuple[Cause, bool]]
) -> tuple[Light, Cause]:
    for light, causes in ((Light.RED, red), (Light.AMBER, amber)):
        for cause, holds in causes:
            if holds:
                return light, cause
    return Light.GREEN, Cause.GOOD


def to_remove(
    there: Standing, now: datetime, policy: Policy
) -> tuple[tuple[str, ...], Refusal | None]:
    """Return which copies may go by the rules of retention, counted on copies that were read back."""
    facts = [
        Facts(
            id=name,
            created_at=report.moment_of(name),
            verified=(look := there.look(name)) is not None and look.ok,
            failed=look is not None and not look.ok,
        )
        for name in there.sets
    ]
    decision = decide(facts, now, policy)
    return decision.remove, decision.refusal


_STANDING = TypeAdapter(Standing)


class Book:
    """Where the standing of one place is kept."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.json"

    def read(self) -> Standing:
        """Return the standing; a damaged or missing book starts anew."""
        try:
            return _STANDING.validate_json(self._path.read_bytes())
        except (FileNotFoundError, ValidationError, ValueError):
            return Standing(first_seen_at=clock.now())

    def write(self, standing: Standing) -> None:
        """Keep the standing."""
        with disk.naming_the_cause(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            disk.replace(self._path, _STANDING.dump_json(standing, indent=1) + b"\n")
