"""What the table of check-ins makes of honest servers and of copies (licensing.md §5).

Every server lives through two years by the authority's own rules and the client's own chain. Chance
comes from a seed of its own for each server, so that a run can be repeated exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.clone_world import BEGIN, DAY, Server, Vendor
from benchmarks.result import Result, at_least, at_most
from licensing.client.state import State

DAYS = 730
SERVERS = 30  # of each way of life
LOST_REPLY = 0.02  # of the check-ins: the line breaks after the vendor has answered
KILLED = 0.005  # the server dies between the answer and its disk
OFFLINE = 0.03
MONTH = 30


@dataclass
class Luck:
    """One server's chance, and the snapshots it can go back to."""

    random: Random
    snapshots: list[State]

    def happens(self, chance: float) -> bool:
        """Tell whether something that happens with this chance happens now."""
        return self.random.random() < chance


@dataclass(frozen=True)
class Fate:
    """What became of one server: the days of its first review and of its hold, if any."""

    reviewed_on: int | None
    held_on: int | None


Day = Callable[[Server, Luck, int], None]


def run(size: float) -> list[Result]:
    """Let honest and copied servers live, and count who was reviewed and who was held."""
    count = max(2, round(SERVERS * size))
    days = DAYS if size >= 1 else max(2 * MONTH, round(DAYS * size))
    results = []
    for name, live in HONEST_LIVES.items():
        results += _of_honest(name, fates(count, days, live))
    results += _of_worst(fates(count, days, back_and_forth_monthly), days)
    for name, (live, most) in COPIES.items():
        results += _of_copies(name, fates(count, days, live), days, most)
    return results


def fates(count: int, days: int, live: Day) -> list[Fate]:
    """Return what became of so many servers that live this way."""
    return [_fate(number, days, live) for number in range(count)]


def _fate(number: int, days: int, live: Day) -> Fate:
    vendor = Vendor()
    server = Server.activated(vendor)
    # A seed of the way of life and the number, and chance without purpose: nothing is kept secret.
    luck = Luck(Random(f"{live.__name__}:{number}"), [server.state])  # noqa: S311
    for day in range(1, days + 1):
        vendor.now = BEGIN + day * DAY
        live(server, luck, day)
    return Fate(server.book.reviewed_on, server.book.held_on)


# Honest servers


def troubled_day(server: Server, luck: Luck) -> None:
    """Check in once, by a line that fails now and then and on a machine that dies now and then."""
    if luck.happens(OFFLINE):
        return
    answer = server.ask()
    if not luck.happens(LOST_REPLY + KILLED):
        server.take(answer)


def steady(server: Server, luck: Luck, day: int) -> None:
    """Live without snapshots; a backup is restored twice a year, up to two weeks old."""
    if day % 14 == 1:
        luck.snapshots = [server.state]
    if luck.happens(2 / 365):
        server.state = luck.snapshots[-1]
    troubled_day(server, luck)


def reverted_monthly(server: Server, luck: Luck, day: int) -> None:
    """Take a snapshot each month and go back to it once before the next; restore backups as well."""
    if day % MONTH == 1:
        luck.snapshots.append(server.state)
    if day % MONTH == 20:
        server.state = luck.snapshots[-1]
    if luck.happens(2 / 365):
        server.state = luck.snapshots[-2]
    troubled_day(server, luck)


def _back_and_forth(server: Server, luck: Luck, day: int) -> None:
    """Go back to a snapshot, think better of it a day later, and go forth again.

    The worst an honest administrator can do: the state that was left is the head that was given up.
    """
    if day == 1:
        luck.snapshots = [server.state]
    if day == 20:
        luck.snapshots.append(server.state)
        server.state = luck.snapshots[0]
    if day == 21:
        server.state = luck.snapshots[-1]
    troubled_day(server, luck)


def back_and_forth_quarterly(server: Server, luck: Luck, day: int) -> None:
    """Go back and forth every three months."""
    _back_and_forth(server, luck, day % (3 * MONTH))


def back_and_forth_monthly(server: Server, luck: Luck, day: int) -> None:
    """Go back and forth every month: forks come faster than sixty clean check-ins forget them."""
    _back_and_forth(server, luck, day % MONTH)


HONEST_LIVES: dict[str, Day] = {
    "steady servers": steady,
    "servers reverted monthly": reverted_monthly,
    "servers taken back and forth quarterly": back_and_forth_quarterly,
}


# Copies: the second server is made on the first day, and both go on


def _twin(luck: Luck, server: Server) -> Server:
    """Return the copy, which keeps its own state as the last of the snapshots."""
    return Server(server.vendor, server.key, luck.snapshots[-1])


def _copy_checks_in(server: Server, luck: Luck) -> None:
    copy = _twin(luck, server)
    copy.check_in()
    luck.snapshots.append(copy.state)


def _copied(every: int) -> Day:
    def day(server: Server, luck: Luck, today: int) -> None:
        troubled_day(server, luck)
        if today % every == 0:
            _copy_checks_in(server, luck)

    day.__name__ = f"copied_{every}"
    return day


COPIES: dict[str, tuple[Day, int]] = {
    "copy that checks in daily": (_copied(1), 7),
    "copy started weekly": (_copied(7), 30),
    "copy mostly offline, every 30 days": (_copied(30), 130),
}


# Counting


def _of_honest(name: str, found: Sequence[Fate]) -> list[Result]:
    never_held = sum(fate.held_on is None for fate in found) / len(found)
    never_reviewed = sum(fate.reviewed_on is None for fate in found) / len(found)
    return [
        at_least(f"{name}, never held", 100 * never_held, "%", goal=100),
        at_least(f"{name}, never reviewed", 100 * never_reviewed, "%", goal=95),
    ]


def _of_worst(found: Sequence[Fate], days: int) -> list[Result]:
    held = [days if fate.held_on is None else fate.held_on for fate in found]
    reviewed = [days if fate.reviewed_on is None else fate.reviewed_on for fate in found]
    name = "servers taken back and forth monthly"
    return [
        at_least(f"{name}, first day of a review", min(reviewed), "days", goal=50),
        at_least(f"{name}, first day of a hold", min(held), "days", goal=min(days, 150)),
    ]


def _of_copies(name: str, found: Sequence[Fate], days: int, most: int) -> list[Result]:
    held = sorted(days if fate.held_on is None else fate.held_on for fate in found)
    reviewed = sorted(days if fate.reviewed_on is None else fate.reviewed_on for fate in found)
    share = sum(fate.held_on is not None for fate in found) / len(found)
    return [
        at_most(f"{name}, days until review", reviewed[len(found) // 2], "days", goal=most),
        at_most(f"{name}, days until hold", held[len(found) // 2], "days", goal=most),
        at_least(f"{name}, held", 100 * share, "%", goal=100),
    ]
