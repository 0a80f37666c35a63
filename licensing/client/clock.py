"""Which time counts: the rules of effective time. Pure; the clocks themselves are the caller's."""

from dataclasses import dataclass, replace
from enum import StrEnum

from licensing.document.errors import NoticeCode

DAY = 86_400
HOUR = 3_600
BACK_TOLERANCE = 2 * HOUR
FORWARD_TOLERANCE = DAY
FREE_ADVANCE = DAY  # how far the wall clock may run ahead of the monotonic one and be remembered


class ClockDoubt(StrEnum):
    """What looks wrong with the wall clock; a notice, never a lock."""

    BACK = NoticeCode.CLOCK_BACK.value
    FORWARD = NoticeCode.CLOCK_FORWARD.value


@dataclass(frozen=True)
class TimeMarks:
    """What is remembered: the newest signed time, the seconds run since, the local high-water.

    `boot` names the start of the machine in whose monotonic seconds the marks were made at `seen`:
    until the machine is started anew, time runs on while the product is stopped, killed or given
    older files.
    """

    signed: int = 0
    running: int = 0
    high_water: int = 0
    boot: str = ""
    seen: int = 0

    @property
    def certain(self) -> int:
        """Return the time that has passed for sure, whatever the wall clock says."""
        return max(self.signed + self.running, self.high_water)


def effective_now(marks: TimeMarks, wall: int, elapsed: int = 0) -> int:
    """Return the latest of wall clock, signed time plus running time, and high-water.

    `elapsed` are the monotonic seconds since `marks` were taken.
    """
    return max(wall, marks.signed + marks.running + max(elapsed, 0), marks.high_water)


def advance(marks: TimeMarks, wall: int, elapsed: int) -> TimeMarks:
    """Return the marks after `elapsed` monotonic seconds.

    The high-water follows the wall clock at most one day beyond the time that really passed since
    the last lease, so that a jump to 2099 is honoured while it lasts but never kept.
    """
    running = marks.running + max(elapsed, 0)
    if not marks.signed:
        return replace(marks, running=running)
    bounded = min(wall, marks.signed + running + FREE_ADVANCE)
    return replace(marks, running=running, high_water=max(marks.high_water, bounded))


def later(ours: TimeMarks, theirs: TimeMarks) -> TimeMarks:
    """Return the marks that know more of the time since the same lease; ours when they agree."""
    return max(ours, theirs, key=lambda marks: (marks.certain, marks.running))


def anchor(server_time: int) -> TimeMarks:
    """Return the marks after a lease was accepted: its signed time is the truth."""
    return TimeMarks(signed=server_time, running=0, high_water=server_time)


def doubt(marks: TimeMarks, wall: int, elapsed: int = 0) -> ClockDoubt | None:
    """Tell whether the wall clock went back over two hours or ahead over a day."""
    if not marks.signed:
        return None
    run = marks.signed + marks.running + max(elapsed, 0)
    if wall < max(run, marks.high_water) - BACK_TOLERANCE:
        return ClockDoubt.BACK
    if wall > run + FORWARD_TOLERANCE:
        return ClockDoubt.FORWARD
    return None
