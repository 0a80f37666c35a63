"""`daftar seats`: who holds which seat and why, how it was day by day, and ending a device."""

import click

from installer.commands.home import open_home
from installer.commands.screen import table
from server.core.command_line import HomeGroup, json_option, report
from server.core.format import date, zoned
from server.core.i18n import gettext as _
from server.core.listing import ListQuery
from server.users import holders, seat_history
from server.users.agents import device_name
from server.users.holders import Holder, SeatKind
from server.users.models import SeatDay
from server.users.rules import Seats
from server.users.seats_schema import show_day, show_holder
from server.users.slots import end_device

KINDS = [kind.value for kind in SeatKind]


@click.group(name="seats", cls=HomeGroup)
def group() -> None:
    """Explain who holds the seats of the licence, and end a device."""


@group.command()
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind of seat; by default all.")
@json_option
def explain(kind: str | None, as_json: bool) -> None:
    """Show who holds each seat since when, and who does not and why."""
    opened = open_home()
    kinds = [SeatKind(kind)] if kind else list(SeatKind)
    with opened.database.read() as session:
        found = {
            each: (
                holders.seats_of(session, each),
                list(holders.every_holder(session, opened.actor, each, ListQuery())),
            )
            for each in kinds
        }
    document: dict[str, object] = {
        each.value: {
            "used": counted.used,
            "cap": counted.cap,
            "items": [show_holder(one) for one in ones],
        }
        for each, (counted, ones) in found.items()
    }
    lines = [_explained(each, counted, ones) for each, (counted, ones) in found.items()]
    report(document, "\n\n".join(lines), as_json=as_json)


def _explained(kind: SeatKind, counted: Seats, ones: list[Holder]) -> str:
    heads = {
        SeatKind.NAMED: _("Users: %(used)s of %(cap)s seats are taken."),
        SeatKind.SERVICE: _("Service accounts: %(used)s of %(cap)s seats are taken."),
        SeatKind.CONCURRENT: _("Devices: %(used)s of %(cap)s are connected."),
    }
    head = heads[kind] % {"used": counted.used, "cap": counted.cap}
    if not ones:
        return head
    return f"{head}\n{_devices(ones) if kind is SeatKind.CONCURRENT else _accounts(ones)}"


def _mark(one: Holder) -> str:
    return _("Yes") if one.counts else _("No")


def _accounts(ones: list[Holder]) -> str:
    rows = [
        (one.name, one.email or "–", _mark(one), zoned(one.since) or "–", _(one.why))
        for one in ones
    ]
    return table((_("Name"), _("Email"), _("Takes a seat"), _("Since"), _("Why")), rows)


def _devices(ones: list[Holder]) -> str:
    rows = [
        (
            str(one.id),
            one.name,
            device_name(one.agent)[0],
            one.address or "–",
            _mark(one),
            zoned(one.last_seen_at),
            _(one.why),
        )
        for one in ones
    ]
    heads = (_("Number"), _("Name"), _("Device"), _("Address"), _("Takes a seat"))
    return table((*heads, _("Last seen"), _("Why")), rows)


@group.command()
@click.option("--days", type=click.IntRange(1, 1_096), default=30, show_default=True)
@json_option
def history(days: int, as_json: bool) -> None:
    """Show the most that was taken on each of the last days; three years are kept."""
    opened = open_home()
    with opened.database.read() as session:
        found = seat_history.last_days(session, opened.actor, days)
    document: dict[str, object] = {"items": [show_day(day) for day in found]}
    report(document, _history(found), as_json=as_json)


def _history(days: list[SeatDay]) -> str:
    if not days:
        return _("The first day is written down a minute after the server starts.")
    heads = (_("Day"), _("Users"), _("Service accounts"), _("Devices, most at once"))
    rows = [
        (
            date(day.day),
            _use(day.named_used, day.named_cap),
            _use(day.service_used, day.service_cap),
            _use(day.devices_peak, day.devices_cap),
        )
        for day in days
    ]
    return table(heads, rows)


def _use(used: int, cap: int | None) -> str:
    return str(used) if cap is None else _("%(used)s of %(cap)s", used=used, cap=cap)


@group.command()
@click.argument("device", type=int)
@json_option
def end(device: int, as_json: bool) -> None:
    """Sign out the DEVICE of this number, as “daftar seats explain” shows it; its slot is free at once."""
    opened = open_home()
    with opened.database.write(opened.actor) as session:
        ended = end_device(session, opened.actor, device)
        document: dict[str, object] = {"id": device, "user_id": ended.user_id}
    report(document, _("That device is signed out, and its slot is free."), as_json=as_json)
