"""Seats as CSV files for spreadsheets: with a mark of their encoding, and without anything that runs there."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Response

from server.core.cells import harmless
from server.core.format import local
from server.core.i18n import gettext as _
from server.users.agents import device_name
from server.users.holders import Holder

if TYPE_CHECKING:  # the shape of a row that is handed over
    from server.users.models import SeatDay

BOM = "\ufeff"


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a CSV file to download."""
    written = io.StringIO(newline="")
    written.write(BOM)
    lines = csv.writer(written)
    lines.writerow([harmless(cell) for cell in head])
    lines.writerows([_text(cell) for cell in row] for row in rows)
    answer = Response(written.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _text(cell: object) -> str:
    return "" if cell is None else harmless(str(cell))


def _moment(value: datetime | None) -> str:
    return local(value).strftime("%Y-%m-%d %H:%M %z") if value else ""


def holders_sheet(name: str, holders: Iterable[Holder], *, devices: bool) -> Response:
    """Return the list of who holds seats, with the devices' columns where it is about devices."""
    head = [_("Name"), _("Email"), _("Takes a seat"), _("Why"), _("Since"), _("Last seen")]
    if devices:
        head += [_("Device"), _("Address"), _("Number of the device")]
    return sheet(name, head, (_row(holder, devices=devices) for holder in holders))


def _row(holder: Holder, *, devices: bool) -> list[object]:
    row: list[object] = [
        holder.name,
        holder.email,
        _("Yes") if holder.counts else _("No"),
        _(holder.why),
        _moment(holder.since),
        _moment(holder.last_seen_at),
    ]
    return [*row, device_name(holder.agent)[0], holder.address, holder.id] if devices else row


def history_sheet(days: Iterable["SeatDay"]) -> Response:
    """Return the history, one line a day."""
    head = [
        _("Day"),
        _("Users, most at once"),
        _("Users covered"),
        _("Service accounts, most at once"),
        _("Service accounts covered"),
        _("Devices, most at once"),
        _("Devices covered"),
    ]
    rows = (
        (
            day.day.isoformat(),
            day.named_used,
            day.named_cap,
            day.service_used,
            day.service_cap,
            day.devices_peak,
            day.devices_cap,
        )
        for day in days
    )
    return sheet("daftar-seats-history", head, rows)
