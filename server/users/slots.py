"""Slots of client devices: one for each user signed in on one device (R-LIC-3, licensing.md §8).

The caller opens the transaction; nothing here commits. Whoever changes a slot first locks the counter, so
that those who arrive, those who leave and the sweep meet in one order. Silence is counted in running time
(DeviceCounter.running_s), which no clock of the server can move.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.audit.service import note
from server.core import clock
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.users.models import ONLY_ROW, DeviceCounter, UserSighting, WebSession
from server.users.rules import SILENT_MINUTES, Slot

SILENT_S = SILENT_MINUTES * 60
BEATS_MISSED = timedelta(minutes=2)  # without a beat for so long, nobody served


def hold_counter(session: Session) -> DeviceCounter:
    """Return the counter, locked until the transaction ends."""
    found = session.get(DeviceCounter, ONLY_ROW, with_for_update=True, populate_existing=True)
    if found is None:
        try:
            with session.begin_nested():
                session.execute(insert(DeviceCounter).values(id=ONLY_ROW))
        except IntegrityError:
            session.expire_all()  # another process wrote the same row a moment earlier
    return found or session.get_one(
        DeviceCounter, ONLY_ROW, with_for_update=True, populate_existing=True
    )


def connect(session: Session, sign_in_id: int, *, is_admin: bool) -> bool:
    """Take a slot for this sign-in unless it has one; tell whether it has one now.

    Slots of silent devices are given back first. When all are taken, an administrator may have the
    reserved one, so that somebody who can make room always comes in.
    """
    counter = hold_counter(session)
    counter.beat_at = clock.now()
    found = session.get(WebSession, sign_in_id, populate_existing=True)
    if found is None or found.slot is not None:
        return found is not None
    _release_silent(session, counter)
    slot = _take(session, counter, is_admin=is_admin)
    if slot is None:
        return False
    found.slot, found.connected_at = slot, clock.now()
    found.seen_at, found.seen_s = found.connected_at, counter.running_s
    session.flush()
    return True


def _take(session: Session, counter: DeviceCounter, *, is_admin: bool) -> Slot | None:
    more = DeviceCounter.used + 1
    if _count(
        session,
        or_(DeviceCounter.cap.is_(None), DeviceCounter.used < DeviceCounter.cap),
        used=more,
        peak=case((more > DeviceCounter.peak, more), else_=DeviceCounter.peak),
        day_peak=case((more > DeviceCounter.day_peak, more), else_=DeviceCounter.day_peak),
    ):
        session.refresh(counter)
        return Slot.LICENSED
    if is_admin and _count(session, DeviceCounter.reserved == 0, reserved=1):
        session.refresh(counter)
        return Slot.RESERVED
    return None


def _count(session: Session, condition: object, **values: object) -> bool:
    taken = session.execute(
        update(DeviceCounter)
        .where(DeviceCounter.id == ONLY_ROW, condition)  # type: ignore[arg-type] # an expression
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined] # a cursor result


def _release_silent(session: Session, counter: DeviceCounter) -> None:
    silent = select(WebSession).where(
        WebSession.slot.is_not(None), WebSession.seen_s <= counter.running_s - SILENT_S
    )
    _release(session, counter, session.scalars(silent.order_by(WebSession.id)))


def _release(session: Session, counter: DeviceCounter, devices: Iterable[WebSession]) -> None:
    """Give back what these devices hold; they stay signed in."""
    for device in devices:
        if device.slot is Slot.LICENSED:
            counter.used -= 1
        elif device.slot is Slot.RESERVED:
            counter.reserved = 0
        device.slot = device.connected_at = device.seen_s = None
    session.flush()
    _settle(session, counter)


def _settle(session: Session, counter: DeviceCounter) -> None:
    """Bring the ceiling down to what is left, and free the reserved slot as soon as there is room."""
    if counter.cap is not None:
        counter.ceiling = max(counter.cap, counter.used)
    if counter.reserved and (counter.cap is None or counter.used < counter.cap):
        holder = session.scalar(select(WebSession).where(WebSession.slot == Slot.RESERVED))
        counter.reserved = 0
        if holder is not None:
            holder.slot = Slot.LICENSED
            counter.used += 1
    session.flush()


def end_sign_ins(session: Session, devices: Iterable[WebSession]) -> int:
    """Sign these devices out and give their slots back; return how many there were."""
    ids = [device.id for device in devices]
    if not ids:
        return 0
    counter = hold_counter(session)
    # What was read before the counter was ours may have lost its slot, or be gone, since.
    still = select(WebSession).where(WebSession.id.in_(ids)).order_by(WebSession.id)
    ended = session.scalars(still.execution_options(populate_existing=True)).all()
    _release(session, counter, ended)
    for device in ended:
        session.delete(device)
    session.flush()
    return len(ended)


def end_device(session: Session, actor: Actor, sign_in_id: int) -> WebSession:
    """Sign out a device of the actor's own, or any when the actor manages users; return which it was."""
    found = session.get(WebSession, sign_in_id)
    if found is None or (found.user_id != actor.user_id and not actor.may("users.manage")):
        raise NotFound(_("This device is signed out already."), code="device_gone")
    what = {"device": found.device, "address": found.address}
    note(session, actor, "end_device", kind="user", record_id=found.user_id, changes=what)
    end_sign_ins(session, [found])
    return found


def set_device_cap(session: Session, cap: int) -> None:
    """Take over how many devices the licence sells. A lower cap disconnects nobody (licensing.md §8)."""
    counter = hold_counter(session)
    if counter.cap != cap:
        counter.cap = cap
        _settle(session, counter)


def begin_peak(session: Session) -> None:
    """Forget the peak that the vendor has accepted; the next one begins with the devices of this moment."""
    counter = hold_counter(session)
    counter.peak = counter.used
    session.flush()


@dataclass(frozen=True)
class Sight:
    """When a device was heard of: for people, and in seconds before the beat that tells it."""

    at: datetime
    ago_s: float


@dataclass(frozen=True)
class Beat:
    """What one process has to tell: who was there since its last beat, and how time passed for it.

    `since` is the running time at its last beat, None at its first, and `passed_s` the whole seconds since.
    """

    since: int | None
    passed_s: int
    devices: Mapping[int, Sight]
    users: Mapping[int, datetime]


def write_beat(session: Session, beat: Beat) -> int:
    """Write down who was there, let the running time go on, free silent slots; return the running time."""
    counter = hold_counter(session)
    counter.running_s = max(counter.running_s, _running(counter, beat))
    counter.beat_at = clock.now()
    seen = select(WebSession).where(WebSession.id.in_(beat.devices)).order_by(WebSession.id)
    for device in session.scalars(seen) if beat.devices else ():
        sight = beat.devices[device.id]
        device.seen_at = sight.at
        if device.seen_s is not None:
            device.seen_s = max(device.seen_s, counter.running_s - int(sight.ago_s))
    _write_sightings(session, beat.users)
    session.flush()
    _release_silent(session, counter)
    return counter.running_s


def _running(counter: DeviceCounter, beat: Beat) -> int:
    if beat.since is not None:
        return beat.since + beat.passed_s
    # The first beat of a process: when nobody has served for a while, nobody was connected either.
    gap = clock.now() - counter.beat_at if counter.beat_at else timedelta()
    return counter.running_s + (
        min(int(gap.total_seconds()), SILENT_S) if gap > BEATS_MISSED else 0
    )


def _write_sightings(session: Session, users: Mapping[int, datetime]) -> None:
    if not users:
        return
    known = {
        one.user_id: one
        for one in session.scalars(select(UserSighting).where(UserSighting.user_id.in_(users)))
    }
    for user_id, at in sorted(users.items()):
        if user_id in known:
            known[user_id].seen_at = at
        else:
            session.add(UserSighting(user_id=user_id, seen_at=at))


def count_slots(session: Session, slot: Slot) -> int:
    """Count the devices that hold a slot of this kind, from the devices themselves."""
    holding = select(func.count()).select_from(WebSession).where(WebSession.slot == slot)
    return session.scalar(holding) or 0


def reconcile_devices(session: Session) -> dict[Slot, int]:
    """Set the counter to what the devices themselves say; return the differences that were found."""
    counter = hold_counter(session)
    licensed, reserved = (count_slots(session, slot) for slot in (Slot.LICENSED, Slot.RESERVED))
    found = {Slot.LICENSED: licensed - counter.used, Slot.RESERVED: reserved - counter.reserved}
    if any(found.values()):
        counter.ceiling = None if counter.cap is None else max(counter.cap, licensed)
        counter.used, counter.reserved = licensed, min(reserved, 1)
        session.flush()
    return {slot: difference for slot, difference in found.items() if difference}
