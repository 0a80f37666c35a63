"""The calendar: a week of what is due, which begins as the reader's calendar has it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.panel import Entry, entries
from client_web.reading import address_now
from server.activities import queries
from server.core.errors import Invalid
from server.core.format import calendar, current_display, local, today
from server.core.i18n import current_locale
from server.core.i18n import gettext as _
from server.core.text import ascii_digits
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session

blueprint = Blueprint("calendar", __name__)

WEEK = 7
SATURDAY = 5
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2900, 1, 1)
MORNING = time(9)


@dataclass(frozen=True)
class DayShown:
    """One day and what is due on it."""

    day: date
    weekday: str
    is_today: bool
    new_url: str
    entries: tuple[Entry, ...]


@blueprint.get("/calendar")
@needs("activities.see")
def page() -> ResponseReturnValue:
    """Show one week."""
    start = _week_of(_asked_day())
    mine = request.args.get("who") != "all"
    days = [start + timedelta(days=step) for step in range(WEEK)]
    found = entries(
        queries.due_between(
            current_session(),
            current_actor(),
            _midnight(start),
            _midnight(start + timedelta(days=WEEK)),
            mine=mine,
        )
    )
    return render_template(
        "activities/calendar.html",
        days=[_shown(day, found) for day in days],
        mine=mine,
        full=len(found) == queries.MAX_DUE,
        before=_address(start - timedelta(days=WEEK)),
        after=_address(start + timedelta(days=WEEK)),
        this_week=_address(today()) if start != _week_of(today()) else None,
        whose=[
            {"label": _("Mine"), "url": _address(start, who=""), "active": mine},
            {"label": _("All I may see"), "url": _address(start, who="all"), "active": not mine},
        ],
    )


def _asked_day() -> date:
    text = ascii_digits(request.args.get("day", "")).strip()
    if not text:
        return today()
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(_("“%(text)s” is no date.", text=text), field="day") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid(_("This date lies too far away."), field="day")
    return day


def _week_of(day: date) -> date:
    first = SATURDAY if calendar() == "jalali" else 0
    return day - timedelta(days=(day.weekday() - first) % WEEK)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(current_display().zone))


def _address(day: date, who: str | None = None) -> str:
    kept = address_now(("day", "who", "cursor", "sort"))
    wanted = request.args.get("who", "") if who is None else who
    asked = [("day", day.isoformat()), *([("who", wanted)] if wanted else []), *kept]
    return f"{url_for('calendar.page')}?{urlencode(asked)}"


def _shown(day: date, found: list[Entry]) -> DayShown:
    nine = datetime.combine(day, MORNING).isoformat(timespec="minutes")
    return DayShown(
        day=day,
        weekday=format_date(day, "EEEE", locale=current_locale()),
        is_today=day == today(),
        new_url=url_for("activities.new", due_at=nine),
        entries=tuple(
            entry
            for entry in found
            if entry.activity.due_at is not None and local(entry.activity.due_at).date() == day
        ),
    )
