"""The seats of each day, and what the nightly count found. The caller opens the transaction."""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.audit.queries import list_entries
from server.audit.service import note
from server.core.actor import SYSTEM, Actor
from server.core.listing import Field, Filter, ListQuery, ListSpec, Page, page, read_date, read_int
from server.users.models import SeatDay
from server.users.queries import seats, service_seats
from server.users.rules import HISTORY_DAYS, Slot, UserKind
from server.users.service import reconcile_seats
from server.users.slots import hold_counter, reconcile_devices

log = logging.getLogger(__name__)

RECONCILED = "reconcile_seats"
COUNTERS: dict[UserKind | Slot, str] = {
    UserKind.HUMAN: "named",
    UserKind.SERVICE: "service",
    Slot.LICENSED: "concurrent",
    Slot.RESERVED: "reserved",
}
SHOWN_DAYS = 30  # for which a difference stays on the page

DAYS = ListSpec(
    key=SeatDay.id,
    filters={"day": Field(SeatDay.day, read_date, ("gte", "lte", "gt", "lt", "eq"))},
    sorts={"day": Field(SeatDay.day, read_date), "id": Field(SeatDay.id, read_int)},
    default_sort="-day",
)


def note_day(session: Session, today: date) -> None:
    """Write down what was taken and sold today, at most, up to now; once a minute."""
    counter = hold_counter(session)
    if counter.day is not None and counter.day != today:
        before = _row(session, counter.day)
        before.devices_peak = max(before.devices_peak, counter.day_peak)
        counter.day_peak = counter.used
    counter.day = today
    counter.day_peak = max(counter.day_peak, counter.used)
    named, service, row = seats(session), service_seats(session), _row(session, today)
    row.named_used, row.named_cap = max(row.named_used, named.used), named.cap
    row.service_used, row.service_cap = max(row.service_used, service.used), service.cap
    row.devices_peak = max(row.devices_peak, counter.day_peak)
    row.devices_cap = counter.cap
    session.flush()


def _row(session: Session, day: date) -> SeatDay:
    row = session.scalar(select(SeatDay).where(SeatDay.day == day))
    if row is None:
        row = SeatDay(day=day, named_used=0, service_used=0, devices_peak=0)
        row.named_cap = row.service_cap = 0
        session.add(row)
    return row


def forget_old_days(session: Session, today: date) -> None:
    """Remove what is older than the three years for which the history is kept."""
    session.execute(delete(SeatDay).where(SeatDay.day < today - timedelta(days=HISTORY_DAYS)))


def list_days(session: Session, actor: Actor, wish: ListQuery) -> Page[SeatDay]:
    """Return one page of the history, newest first."""
    actor.must("users.manage")
    return page(session, select(SeatDay), DAYS, wish)


def last_days(session: Session, actor: Actor, most: int) -> list[SeatDay]:
    """Return the newest days, in order of time."""
    actor.must("users.manage")
    found = session.scalars(select(SeatDay).order_by(SeatDay.day.desc()).limit(most))
    return list(found)[::-1]


def count_anew(session: Session) -> dict[str, int]:
    """Set every counter to what users and devices say; note each difference in the trail and return them."""
    found = {
        **{COUNTERS[kind]: wrong for kind, wrong in reconcile_seats(session).items()},
        **{COUNTERS[slot]: wrong for slot, wrong in reconcile_devices(session).items()},
    }
    for counter, difference in found.items():
        changes = {"kind": counter, "difference": difference}
        note(session, SYSTEM, RECONCILED, kind="license", changes=changes)
        log.warning("The counter of %s was wrong by %s and was set right.", counter, difference)
    session.flush()
    return found


@dataclass(frozen=True)
class Correction:
    """A counter that differed from what it counts, and was set right."""

    at: datetime
    kind: str
    difference: int


def corrections(session: Session, now: datetime) -> list[Correction]:
    """Return what the nightly count set right in the last 30 days, newest first."""
    since = Filter("at", "gte", (now - timedelta(days=SHOWN_DAYS)).isoformat())
    wish = ListQuery(filters=(Filter("action", "eq", RECONCILED), since), limit=20)
    return [
        Correction(entry.at, str(entry.changes.get("kind")), int(entry.changes["difference"]))
        for entry in list_entries(session, SYSTEM, wish).items
        if "difference" in entry.changes  # an erasure leaves nothing behind
    ]
