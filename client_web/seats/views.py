"""Seats explained: who holds each and why, what does not count, and how it was day by day.

Every route is open in every licence mode: too many users must never lock away the page that shows them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.reading import address_now, page_address, say
from client_web.seats.sheets import history_sheet, holders_sheet
from server.core import clock
from server.core.format import number
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session
from server.users import holders, queries, seat_history, slots
from server.users.agents import device_name
from server.users.holders import SeatKind
from server.users.rules import HISTORY_DAYS, SILENT_MINUTES

if TYPE_CHECKING:  # a template shows days, and only their type is needed here
    from collections.abc import Sequence

    from server.users.models import SeatDay

blueprint = Blueprint("seats", __name__)

CHART_DAYS = 90
WIDTH, HEIGHT = 600, 90

TABS = {
    SeatKind.NAMED: (mark("Users"), "users"),
    SeatKind.SERVICE: (mark("Service accounts"), "robot"),
    SeatKind.CONCURRENT: (mark("Devices"), "device-laptop"),
}
RULES = {
    SeatKind.NAMED: (
        mark("Every active user takes one seat, whether signed in or not."),
        mark("Invited, deactivated and anonymised users and former colleagues take none."),
        mark("Signing in never takes a seat: creating, inviting and reactivating do."),
    ),
    SeatKind.SERVICE: (
        mark("Every active service account takes one seat of its own kind, and none of a user."),
        mark("Tokens are not counted: an account may have several."),
    ),
    SeatKind.CONCURRENT: (
        mark("One user signed in on one device, that is, in one browser, takes one slot."),
        mark("Signing out gives it back at once, 15 minutes of silence do so by themselves."),
        mark("A page that is open and visible counts as somebody being there."),
        mark(
            "Programs with tokens take no slot. One slot above the cap is kept for an administrator."
        ),
    ),
}
COUNTED = {
    "named": mark("users"),
    "human": mark("users"),
    "service": mark("service accounts"),
    "concurrent": mark("devices"),
    "reserved": mark("the slot of administrators"),
}


def _kind() -> SeatKind:
    text = request.args.get("kind", "")
    return SeatKind(text) if text in set(SeatKind) else SeatKind.NAMED


def _tabs(here: SeatKind | None) -> list[dict[str, object]]:
    session = current_session()
    tabs: list[dict[str, object]] = [
        {
            "label": _(words),
            "icon": icon,
            "count": number(holders.seats_of(session, kind).used),
            "url": url_for("seats.page", kind=kind.value),
            "active": kind is here,
        }
        for kind, (words, icon) in TABS.items()
    ]
    history = {"label": _("History"), "icon": "history", "url": url_for("seats.history")}
    return [*tabs, {**history, "active": here is None}]


@blueprint.get("/license/seats")
@needs("users.manage", always=True)
def page() -> ResponseReturnValue:
    """Show who holds the seats of one kind, and who does not and why."""
    session, actor, wish, kind = current_session(), current_actor(), list_query(), _kind()
    found = holders.list_holders(session, actor, kind, wish)
    path = url_for("seats.page")
    spec = holders.DEVICES if kind is SeatKind.CONCURRENT else holders.ACCOUNTS
    return render_template(
        "seats/page.html",
        kind=kind.value,
        found=found,
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or spec.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        rules=[_(rule) for rule in RULES[kind]],
        sheet=f"{url_for('seats.download')}?{urlencode(_asked(kind))}",
        device_name=device_name,
        **_frame(kind),
    )


def _asked(kind: SeatKind) -> list[tuple[str, str]]:
    """Return what the page shows of which kind, for the file that holds the same."""
    asked = address_now(leave_out=("cursor", "kind", "lang"))
    return [("kind", kind.value), *asked]


def _frame(kind: SeatKind | None) -> dict[str, object]:
    session = current_session()
    return {
        "tabs": _tabs(kind),
        "seats": queries.seats(session),
        "service_seats": queries.service_seats(session),
        "device_seats": queries.device_seats(session),
        "reserved": queries.reserved_slots(session),
        "peak": queries.peak_devices(session),
        "corrections": [
            (one, _counted(one.kind)) for one in seat_history.corrections(session, clock.now())
        ],
        "silent": SILENT_MINUTES,
    }


def _counted(kind: str) -> str:
    name = COUNTED.get(kind, kind)
    return _(name)


@blueprint.get("/license/seats.csv")
@needs("users.manage", always=True)
def download() -> ResponseReturnValue:
    """Download the list as it is filtered, all of it."""
    kind = _kind()
    lines = holders.every_holder(current_session(), current_actor(), kind, list_query())
    devices = kind is SeatKind.CONCURRENT
    return holders_sheet(f"daftar-seats-{kind.value}", lines, devices=devices)


@blueprint.post("/license/seats/devices/<int:device_id>/end")
@needs("users.manage", always=True)
def end(device_id: int) -> ResponseReturnValue:
    """Sign a device out and free its slot."""
    slots.end_device(current_session(), current_actor(), device_id)
    say(_("That device is signed out, and its slot is free."))
    return redirect(url_for("seats.page", kind=SeatKind.CONCURRENT.value))


@blueprint.get("/license/seats/devices/<int:device_id>/end", endpoint="after_end")
@needs("users.manage", always=True)
def asked_again(device_id: int) -> ResponseReturnValue:
    """Lead to the devices whoever opens the address of a refusal again."""
    return redirect(url_for("seats.page", kind=SeatKind.CONCURRENT.value))


@dataclass(frozen=True)
class Chart:
    """One line of what was taken and one of what was covered, as points of an SVG, oldest first."""

    label: str
    used: str
    cap: str
    most: int


def _points(values: "Sequence[int | None]", most: int) -> str:
    step = WIDTH / max(1, len(values) - 1)
    return " ".join(
        f"{round(at * step, 1)},{round(HEIGHT - 2 - (value or 0) * (HEIGHT - 4) / most, 1)}"
        for at, value in enumerate(values)
    )


def _chart(label: str, used: "Sequence[int]", cap: "Sequence[int | None]") -> Chart:
    most = max(1, *used, *(value or 0 for value in cap))
    return Chart(label, _points(used, most), _points(cap, most), most)


def _charts(days: "Sequence[SeatDay]") -> list[Chart]:
    if len(days) < 2:
        return []
    return [
        _chart(_("Users"), [day.named_used for day in days], [day.named_cap for day in days]),
        _chart(
            _("Devices, most at once"),
            [day.devices_peak for day in days],
            [day.devices_cap for day in days],
        ),
    ]


@blueprint.get("/license/seats/history")
@needs("users.manage", always=True)
def history() -> ResponseReturnValue:
    """Show how many seats were taken and covered on each day."""
    session, actor, wish = current_session(), current_actor(), list_query()
    found = seat_history.list_days(session, actor, wish)
    charted = seat_history.last_days(session, actor, CHART_DAYS)
    path = url_for("seats.history")
    return render_template(
        "seats/history.html",
        found=found,
        wish=wish,
        path=path,
        query=address_now(),
        sort=wish.sort or seat_history.DAYS.default_sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        charts=_charts(charted),
        first=charted[0].day if charted else None,
        last=charted[-1].day if charted else None,
        width=WIDTH,
        height=HEIGHT,
        years=HISTORY_DAYS // 365,
        **_frame(None),
    )


@blueprint.get("/license/seats/history.csv")
@needs("users.manage", always=True)
def download_history() -> ResponseReturnValue:
    """Download the whole history."""
    return history_sheet(seat_history.last_days(current_session(), current_actor(), HISTORY_DAYS))
