"""JSON shapes of seats: who holds them, and the history."""

from typing import Literal

from server.core.clock import rfc3339
from server.core.i18n import gettext as _
from server.http.rest import ListShown, Shown
from server.users.agents import device_name
from server.users.holders import Holder, SeatKind
from server.users.models import SeatDay
from server.users.rules import Seats


class HolderShown(Shown):
    """An account or a device, whether it holds a seat, and why. `id` numbers the account or the device."""

    id: int
    user_id: int
    name: str
    email: str | None
    status: str
    counts: bool
    why: str
    since: str | None
    last_seen_at: str | None
    device: str | None
    address: str | None


class HolderList(ListShown):
    """One page of one kind of seat, with what is taken and sold."""

    kind: Literal["named", "service", "concurrent"]
    used: int
    cap: int
    items: list[HolderShown]


class SeatDayShown(Shown):
    """The most seats that were taken on one day, and what the licence covered. Null: no licence said."""

    day: str
    named_used: int
    named_cap: int
    service_used: int
    service_cap: int
    concurrent_peak: int
    concurrent_cap: int | None


class SeatDayList(ListShown):
    """One page of the history."""

    items: list[SeatDayShown]


def show_holder(holder: Holder) -> dict[str, object]:
    """Return the JSON object of one line of the explanation."""
    return {
        "id": holder.id,
        "user_id": holder.user_id,
        "name": holder.name,
        "email": holder.email,
        "status": holder.word,
        "counts": holder.counts,
        "why": _(holder.why),
        "since": rfc3339(holder.since) if holder.since else None,
        "last_seen_at": rfc3339(holder.last_seen_at) if holder.last_seen_at else None,
        "device": device_name(holder.agent)[0] if holder.is_device else None,
        "address": holder.address or None,
    }


def show_seats(kind: SeatKind, seats: Seats) -> dict[str, object]:
    """Return the members that a list of holders has beside its items."""
    return {"kind": kind.value, "used": seats.used, "cap": seats.cap}


def show_day(day: SeatDay) -> dict[str, object]:
    """Return the JSON object of one day of the history."""
    return {
        "day": day.day.isoformat(),
        "named_used": day.named_used,
        "named_cap": day.named_cap,
        "service_used": day.service_used,
        "service_cap": day.service_cap,
        "concurrent_peak": day.devices_peak,
        "concurrent_cap": day.devices_cap,
    }
