"""What the lists of the console are asked, and how their pages follow each other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import render_template, request, url_for
from sqlalchemy.orm import Session

from server.core.clock import rfc3339
from server.core.errors import Invalid
from server.core.format import current_display
from server.core.i18n import gettext as _
from server.core.listing import Filter, ListQuery, Page
from server.core.text import ascii_digits
from server.http.forms import address_now, page_address
from server.http.paging import list_query
from server.http.unit_of_work import current_session

T = TypeVar("T")


def show_list(
    template: str,
    endpoint: str,
    find: Callable[[Session, ListQuery], Page[T]],
    *,
    sort: str = "-id",
    filters: tuple[Filter, ...] = (),
    **more: Any,
) -> str:
    """Render a list: what was asked of it, its page, and the addresses of the neighbouring pages."""
    wish = list_query()
    asked = replace(wish, filters=(*wish.filters, *filters), sort=wish.sort or sort)
    found = find(current_session(), asked)
    path = url_for(endpoint, **(request.view_args or {}))
    return render_template(
        template,
        found=found,
        wish=wish,
        path=path,
        query=address_now(),
        sort=asked.sort,
        newer=page_address(path, found.previous_cursor, wish.sort),
        older=page_address(path, found.next_cursor, wish.sort),
        asked=lambda name: request.args.get(name, ""),
        **more,
    )


def day_filters(name: str, first: str = "from", last: str = "until") -> tuple[Filter, ...]:
    """Return the filters for whole days that stand in the address as `from` and `until`."""
    found = []
    begin, end = _day(request.args.get(first, ""), first), _day(request.args.get(last, ""), last)
    if begin is not None:
        found.append(Filter(name, "gte", rfc3339(_midnight(begin))))
    if end is not None:
        found.append(Filter(name, "lt", rfc3339(_midnight(end + timedelta(days=1)))))
    return tuple(found)


def _day(text: str, field: str) -> date | None:
    typed = ascii_digits(text.strip())
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
        return day if date.min < day < date(9999, 1, 1) else None
    except ValueError as error:
        raise Invalid(_("“%(text)s” is no date.", text=text), field=field) from error


def typed_day(text: str | None, field: str) -> date | None:
    """Return the date that was typed into a field of dates; None for nothing."""
    return _day(text or "", field)


def _midnight(day: date) -> datetime:
    place = ZoneInfo(current_display().zone)
    return datetime.combine(day, time(), place).astimezone(UTC)
