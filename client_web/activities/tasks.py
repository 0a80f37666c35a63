"""The task list: what is to be done, whose it is, and when."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.activities.panel import entries
from client_web.choices import colleagues
from client_web.reading import address_now, page_address
from server.activities import queries
from server.activities.queries import Day, OpenCounts
from server.activities.rules import KIND_LABELS, PLANNED, Chapter
from server.core import clock
from server.core.format import current_display, number, today
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.http.access import current_actor, needs
from server.http.paging import list_query
from server.http.unit_of_work import current_session

if TYPE_CHECKING:
    from server.activities.models import Activity
    from server.core.listing import Page

blueprint = Blueprint("tasks", __name__)

CHAPTERS = {
    Chapter.OPEN: mark("Open"),
    Chapter.OVERDUE: mark("Overdue"),
    Chapter.TODAY: mark("Today"),
    Chapter.UPCOMING: mark("Upcoming"),
    Chapter.DONE: mark("Done"),
}
EMPTY = {
    Chapter.OPEN: mark(
        "Nothing is to be done. Write down the next step, so that nobody forgets it."
    ),
    Chapter.OVERDUE: mark("Nothing is late."),
    Chapter.TODAY: mark("Nothing more is due today."),
    Chapter.UPCOMING: mark("Nothing is planned for the coming days."),
    Chapter.DONE: mark("Nothing has been done yet."),
}


@dataclass(frozen=True)
class Wish:
    """What the address asks of the task list besides filters and paging."""

    chapter: Chapter
    mine: bool


def reader_day() -> Day:
    """Return the reader's day, which ends at midnight of their zone."""
    zone = ZoneInfo(current_display().zone)
    return Day(clock.now(), datetime.combine(today() + timedelta(days=1), time(), zone))


def _wish() -> Wish:
    word = request.args.get("show", "")
    chapter = Chapter(word) if word in {one.value for one in Chapter} else Chapter.OPEN
    return Wish(chapter, mine=request.args.get("who") != "all")


@blueprint.get("/tasks")
@needs("activities.see")
def page() -> ResponseReturnValue:
    """List what is to be done, or was."""
    session, actor = current_session(), current_actor()
    wish, asked, day = _wish(), list_query(), reader_day()
    found = queries.list_tasks(session, actor, asked, chapter=wish.chapter, day=day, mine=wish.mine)
    counts = queries.count_open(session, actor, day, mine=wish.mine)
    return _shown(wish, found, counts)


def _shown(wish: Wish, found: "Page[Activity]", counts: OpenCounts) -> str:
    asked, path = list_query(), url_for("tasks.page")
    return render_template(
        "activities/tasks.html",
        entries=entries(found.items),
        found=found,
        asked=asked,
        wish=wish,
        path=path,
        tabs=_tabs(wish, counts, path),
        empty=_(EMPTY[wish.chapter]),
        kinds=[(kind.value, _(words)) for kind, words in KIND_LABELS.items() if kind in PLANNED],
        owners=colleagues(),
        newer=page_address(path, found.previous_cursor, ""),
        older=page_address(path, found.next_cursor, ""),
    )


def _tabs(wish: Wish, counts: OpenCounts, path: str) -> list[dict[str, object]]:
    known = {
        Chapter.OPEN: counts.open,
        Chapter.OVERDUE: counts.overdue,
        Chapter.TODAY: counts.today,
    }
    kept = address_now(("sort", "cursor", "show"))
    return [
        {
            "label": _(words),
            "url": f"{path}?{urlencode([('show', chapter.value), *kept])}",
            "active": chapter is wish.chapter,
            "count": number(known[chapter]) if chapter in known else None,
        }
        for chapter, words in CHAPTERS.items()
    ]
