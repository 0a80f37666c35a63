"""What the letter of each morning tells of the last night's backup, and when it may be written. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from backup.plan import State
from server.backups.rules import FRESH
from server.core.letters import may_leave

PATIENCE = time(10)  # so long a letter waits for a backup or a verification under way


class Night(StrEnum):
    """How the last night's backup came out."""

    IN_ORDER = "in_order"
    PROBLEM = "problem"
    UNPROVED = "unproved"
    NO_BACKUP = "no_backup"


@dataclass(frozen=True)
class Morning:
    """The last night in facts.

    `restore_seconds` and `lost` answer what would be if the server died now: how long it takes to be
    back, and how much work is lost; they are of the newest verified backup, which need not be the last
    night's. `unchecked_days` are the days before today that nobody checked.
    """

    night: Night
    name: str = ""
    made_at: datetime | None = None
    problem: str = ""
    checked_by: str | None = None
    restore_seconds: float | None = None
    lost: timedelta | None = None
    unchecked_days: int = 0


def judge_night(made_at: datetime | None, state: State | None, now: datetime) -> Night:
    """Return how the newest backup stands for the last night; an older one is none of it."""
    if made_at is None or state is None or now - made_at > FRESH:
        return Night.NO_BACKUP
    if state is State.FAILED:
        return Night.PROBLEM
    return Night.UNPROVED if state is State.COMPLETE else Night.IN_ORDER


def is_time(local: datetime, *, at_work: bool) -> bool:
    """Tell whether the letter may be written at this local time of day."""
    return may_leave(local) and not (at_work and local.time() < PATIENCE)
