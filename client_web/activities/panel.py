"""The timeline of a record, for every room to include: `activities/_panel.html` shows what this returns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import url_for

from client_web.activities import moves  # noqa: F401 - registers the moves of deals
from client_web.activities.events import Event, events_of
from server.activities import queries
from server.activities.rules import KIND_LABELS, PLANNED, ActivityKind, can_be_ticked, may_change
from server.core import clock
from server.core.i18n import gettext as _
from server.core.kinds import Link
from server.http.access import current_actor
from server.http.unit_of_work import current_session
from server.users.queries import names_of

if TYPE_CHECKING:
    from server.activities.models import Activity

PAGE = 30
ICONS = {
    ActivityKind.TASK: "square-check",
    ActivityKind.CALL: "phone-call",
    ActivityKind.MEETING: "users-group",
    ActivityKind.NOTE: "note",
    ActivityKind.EMAIL: "mail",
    ActivityKind.SMS: "message-2",
}
TONES = {
    ActivityKind.TASK: "blue",
    ActivityKind.CALL: "green",
    ActivityKind.MEETING: "violet",
    ActivityKind.NOTE: "amber",
    ActivityKind.EMAIL: "teal",
    ActivityKind.SMS: "pink",
}
COMPOSED = (ActivityKind.NOTE, ActivityKind.TASK, ActivityKind.CALL, ActivityKind.MEETING)


@dataclass(frozen=True)
class Entry:
    """One activity as a list shows it. `owner` and `who` are names; `may` is whether the reader may change it."""

    activity: "Activity"
    title: str
    label: str
    icon: str
    tone: str
    owner: str | None
    who: str | None
    links: tuple[Link, ...]
    overdue: bool
    mine: bool
    may: bool

    @property
    def ticks(self) -> bool:
        """Tell whether it was planned, so that it is done one day."""
        one = self.activity
        return can_be_ticked(one.kind, one.due_at, one.done_at)

    @property
    def tickable(self) -> bool:
        """Tell whether the reader can tick it off."""
        return self.ticks and self.may

    @property
    def done(self) -> bool:
        """Tell whether it was planned and is done."""
        return self.ticks and self.activity.done_at is not None


@dataclass(frozen=True)
class TimelinePanel:
    """One page of a record's timeline and what its composer needs."""

    here: str
    planned: tuple[Entry, ...]
    past: tuple[Entry | Event, ...]
    more: str | None
    composer: tuple[dict[str, object], ...]


def timeline_panel(kind: str, record_id: int) -> dict[str, Any]:
    """Return what `activities/_panel.html` shows for this record; spread it into render_template."""
    if not current_actor().may("activities.see"):
        return {"timeline": None}
    return {"timeline": timeline_page(kind, record_id)}


def timeline_page(
    kind: str, record_id: int, *, cursor: str | None = None, until: datetime | None = None
) -> TimelinePanel:
    """Return one page; `until` is the moment where the page before ended."""
    session, actor = current_session(), current_actor()
    found = queries.timeline_of(session, actor, kind, record_id, cursor=cursor, limit=PAGE)
    since = found.past[-1].at if found.next_cursor else None
    besides = [
        event
        for event in events_of(session, actor, kind, record_id)
        if (until is None or event.at < until) and (since is None or event.at >= since)
    ]
    shown = {
        entry.activity.id: entry
        for entry in entries(found.activities, besides_link=(kind, record_id))
    }
    past: list[Entry | Event] = [shown[one.id] for one in found.past]
    past = sorted([*past, *besides], key=_moment, reverse=True)
    return TimelinePanel(
        here=f"{kind}:{record_id}",
        planned=tuple(shown[one.id] for one in found.planned),
        past=tuple(past),
        more=_more(kind, record_id, found.next_cursor, since),
        composer=composer_kinds() if actor.may("activities.create") else (),
    )


def _moment(entry: Entry | Event) -> datetime:
    return entry.activity.at if isinstance(entry, Entry) else entry.at


def _more(kind: str, record_id: int, cursor: str | None, until: datetime | None) -> str | None:
    if cursor is None or until is None:
        return None
    return url_for(
        "activities.timeline",
        kind=kind,
        record_id=record_id,
        cursor=cursor,
        until=until.isoformat(),
    )


def composer_kinds(first: ActivityKind | None = None) -> tuple[dict[str, object], ...]:
    """Return the kinds that a composer offers, as the kit's macro takes them."""
    order = sorted(COMPOSED, key=lambda kind: kind is not first)
    return tuple(
        {
            "value": kind.value,
            "label": _(KIND_LABELS[kind]),
            "icon": ICONS[kind],
            "subject": kind is not ActivityKind.NOTE,
            "due": kind in PLANNED,
        }
        for kind in order
    )


def entries(
    activities: Sequence["Activity"], *, besides_link: tuple[str, int] | None = None
) -> list[Entry]:
    """Return the activities as lists show them: three queries and one for each kind of linked record."""
    session, actor, now = current_session(), current_actor(), clock.now()
    names = names_of(session, _people(activities))
    links = queries.links_of(session, actor, [one.id for one in activities])
    return [
        Entry(
            activity=one,
            title=queries.title_of(one),
            label=_(KIND_LABELS[one.kind]),
            icon=ICONS[one.kind],
            tone=TONES[one.kind],
            owner=names.get(one.owner_id or 0),
            who=names.get(one.done_by_id or one.created_by_id or 0),
            links=tuple(
                link for link in links[one.id] if (link.kind, link.record_id) != besides_link
            ),
            overdue=one.is_open and one.at < now,
            mine=one.owner_id == actor.user_id,
            may=may_change(actor, (one.owner_id, one.created_by_id)),
        )
        for one in activities
    ]


def _people(activities: Iterable["Activity"]) -> set[int | None]:
    return {
        user_id
        for one in activities
        for user_id in (one.owner_id, one.done_by_id, one.created_by_id)
    }
