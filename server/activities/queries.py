"""Reading activities: the rule of who may see which one, lists, and the timeline of a record.

With `activities.see_all`, everything. Without it, what one owns or wrote, and on the timeline of a record
that one may see, everything that belongs to this record. Links to hidden records are never named.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from server.activities.models import Activity, ActivityLink
from server.activities.rules import KIND_LABELS, PLANNED, ActivityKind, Chapter, Target
from server.core import kinds
from server.core.actor import Actor
from server.core.errors import Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.kinds import Link
from server.core.listing import (
    Field,
    ListQuery,
    ListSpec,
    Page,
    page,
    read_int,
    read_moment,
)
from server.core.search_index import search_in

LINK_FILTER = "link"
MAX_OPEN_ON_TIMELINE = 100
MAX_DUE = 500
_IDS = ("eq", "ne", "in", "empty")
_MOMENTS = ("gte", "lte", "gt", "lt")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def _truth(text: str, field: str) -> bool:
    if text.lower() not in _TRUTH:
        raise Invalid(
            _("“%(value)s” is neither true nor false.", value=text), field=f"filter[{field}]"
        )
    return _TRUTH[text.lower()]


def _done(text: str) -> ColumnElement[bool]:
    """Done, or still to be done; notes and messages are neither."""
    return Activity.done_at.is_not(None) if _truth(text, "done") else Activity.is_open.is_(True)


def _linked_to(text: str) -> ColumnElement[bool]:
    target = target_of(text, "filter[link]")
    return Activity.id.in_(
        select(ActivityLink.activity_id).where(
            ActivityLink.kind == target.kind, ActivityLink.record_id == target.record_id
        )
    )


ACTIVITIES = ListSpec(
    key=Activity.id,
    filters={
        "kind": Field(Activity.kind, ActivityKind, ("eq", "ne", "in")),
        "owner_id": Field(Activity.owner_id, read_int, _IDS),
        "created_by_id": Field(Activity.created_by_id, read_int, _IDS),
        "due_at": Field(Activity.due_at, read_moment, (*_MOMENTS, "empty")),
        "done_at": Field(Activity.done_at, read_moment, (*_MOMENTS, "empty")),
        "at": Field(Activity.at, read_moment, _MOMENTS),
        "external_id": Field(Activity.external_id, operators=("eq", "in", "empty")),
        "external_source": Field(Activity.external_source, operators=("eq", "in")),
        "created_at": Field(Activity.created_at, read_moment, _MOMENTS),
        "updated_at": Field(Activity.updated_at, read_moment, _MOMENTS),
    },
    conditions={"done": _done, LINK_FILTER: _linked_to},
    sorts={
        "at": Field(Activity.at, read_moment),
        "created_at": Field(Activity.created_at, read_moment),
        "updated_at": Field(Activity.updated_at, read_moment),
        "id": Field(Activity.id, read_int),
    },
    default_sort="-id",
    search=search_in(Activity.search_text),
)
_TIMELINE = ListSpec(
    key=Activity.id, sorts={"at": Field(ActivityLink.at, read_moment)}, default_sort="-at"
)


def target_of(text: str, field: str) -> Target:
    """Read a record as it is named in addresses and forms: `company:5`."""
    kind, _colon, number = text.partition(":")
    kinds.kind_of(kind)
    try:
        record_id = read_int(number)
    except ValueError as error:
        raise Invalid(
            _("“%(value)s” names no record. Write it like company:5.", value=text), field=field
        ) from error
    return Target(kind, record_id)


def title_of(activity: Activity) -> str:
    """Return what stands for the activity in a list: its subject, else the word of its kind."""
    return activity.subject or _(KIND_LABELS[activity.kind])


def _own(actor: Actor) -> ColumnElement[bool]:
    return or_(Activity.owner_id == actor.user_id, Activity.created_by_id == actor.user_id)


def visible_to(actor: Actor) -> Select[Activity]:
    """Return the activities this actor finds in lists, as a query to narrow further."""
    actor.must("activities.see")
    query = select(Activity).where(Activity.deleted_at.is_(None))
    return query if actor.may("activities.see_all") else query.where(_own(actor))


def binned_for(actor: Actor) -> Select[Activity]:
    """Return the activities in the bin that this actor may take out again."""
    actor.must("activities.edit")
    query = select(Activity).where(Activity.deleted_at.is_not(None))
    return query if actor.may("activities.edit_all") else query.where(_own(actor))


def list_activities(session: Session, actor: Actor, wish: ListQuery) -> Page[Activity]:
    """Return one page of activities; narrowed to a visible record, everything that belongs to it."""
    query = visible_to(actor)
    for condition in wish.filters:
        if condition.name == LINK_FILTER:
            target = target_of(condition.value, "filter[link]")
            visible_record(session, actor, target.kind, target.record_id)
            query = select(Activity).where(Activity.deleted_at.is_(None))
    return page(session, query, ACTIVITIES, wish)


def list_binned_activities(session: Session, actor: Actor, wish: ListQuery) -> Page[Activity]:
    """Return one page of the bin."""
    return page(session, binned_for(actor), ACTIVITIES, wish)


def get_activity(session: Session, actor: Actor, activity_id: int) -> Activity:
    """Return the activity, or raise NotFound when it is missing or hidden."""
    actor.must("activities.see")
    query = select(Activity).where(Activity.id == activity_id, Activity.deleted_at.is_(None))
    activity = session.scalar(query)
    if activity is not None:
        own = actor.user_id in {activity.owner_id, activity.created_by_id}
        if own or actor.may("activities.see_all"):
            return activity
        if links_of(session, actor, [activity_id])[activity_id]:
            return activity
    raise NotFound(_("There is no activity %(id)s.", id=activity_id))


def get_binned_activity(session: Session, actor: Actor, activity_id: int) -> Activity:
    """Return the activity in the bin, or raise NotFound."""
    activity = session.scalar(binned_for(actor).where(Activity.id == activity_id))
    if activity is None:
        raise NotFound(_("There is no activity %(id)s in the bin.", id=activity_id))
    return activity


def targets_of(session: Session, activity_ids: Collection[int]) -> dict[int, tuple[Target, ...]]:
    """Return every record that these activities belong to, hidden ones included; one query."""
    found: dict[int, list[Target]] = {activity_id: [] for activity_id in activity_ids}
    if found:
        rows = session.execute(
            select(ActivityLink.activity_id, ActivityLink.kind, ActivityLink.record_id)
            .where(ActivityLink.activity_id.in_(found))
            .order_by(ActivityLink.activity_id, ActivityLink.kind, ActivityLink.record_id)
        )
        for activity_id, kind, record_id in rows:
            found[activity_id].append(Target(kind, record_id))
    return {activity_id: tuple(targets) for activity_id, targets in found.items()}


def links_of(
    session: Session, actor: Actor, activity_ids: Collection[int]
) -> dict[int, tuple[Link, ...]]:
    """Return the records that these activities belong to and this actor may see, with their titles."""
    targets = targets_of(session, activity_ids)
    wanted = {(one.kind, one.record_id) for found in targets.values() for one in found}
    known = kinds.links(session, actor, wanted)
    return {
        activity_id: tuple(
            known[one.kind, one.record_id] for one in found if (one.kind, one.record_id) in known
        )
        for activity_id, found in targets.items()
    }


def visible_record(session: Session, actor: Actor, kind: str, record_id: int) -> Link:
    """Return the record as links show it, or raise NotFound when it is missing or hidden."""
    known = kinds.links(session, actor, [(kind, record_id)])
    if (kind, record_id) not in known:
        raise NotFound(_("There is no such record: %(kind)s %(id)s.", kind=kind, id=record_id))
    return known[kind, record_id]


@dataclass(frozen=True)
class Timeline:
    """One page of what belongs to a record. `planned` is open, soonest first; only the first page has it."""

    planned: tuple[Activity, ...]
    past: tuple[Activity, ...]
    next_cursor: str | None

    @property
    def activities(self) -> tuple[Activity, ...]:
        """Return everything on this page."""
        return self.planned + self.past


def timeline_of(
    session: Session,
    actor: Actor,
    kind: str,
    record_id: int,
    *,
    cursor: str | None = None,
    limit: int = 30,
) -> Timeline:
    """Return a page of the timeline of a record this actor may see, newest first."""
    actor.must("activities.see")
    visible_record(session, actor, kind, record_id)
    query = (
        select(Activity)
        .join(ActivityLink, ActivityLink.activity_id == Activity.id)
        .where(
            ActivityLink.kind == kind,
            ActivityLink.record_id == record_id,
            Activity.deleted_at.is_(None),
        )
    )
    planned: tuple[Activity, ...] = ()
    if cursor is None:
        waiting = query.where(ActivityLink.is_open).order_by(ActivityLink.at, Activity.id)
        planned = tuple(session.scalars(waiting.limit(MAX_OPEN_ON_TIMELINE)))
    past = page(
        session,
        query.where(ActivityLink.is_open.is_(False)),
        _TIMELINE,
        ListQuery(cursor=cursor, limit=limit),
    )
    return Timeline(planned, past.items, past.next_cursor)


@dataclass(frozen=True)
class Day:
    """The reader's present moment, and the one when their day ends."""

    now: datetime
    ends: datetime


@dataclass(frozen=True)
class OpenCounts:
    """How many open activities there are: all of them, the overdue ones, and those due later today."""

    open: int
    overdue: int
    today: int


def planned_for(actor: Actor, *, mine: bool) -> Select[Activity]:
    """Return the tasks, calls and meetings that are the actor's to do, or all that the actor finds in lists."""
    query = visible_to(actor).where(Activity.kind.in_(PLANNED))
    return query.where(Activity.owner_id == actor.user_id) if mine else query


def _open_for(actor: Actor, *, mine: bool) -> Select[Activity]:
    """Return what is still to be done; only what was planned is ever open."""
    query = visible_to(actor).where(Activity.is_open)
    return query.where(Activity.owner_id == actor.user_id) if mine else query


def list_tasks(
    session: Session, actor: Actor, wish: ListQuery, *, chapter: Chapter, day: Day, mine: bool
) -> Page[Activity]:
    """Return one page of a task list: what is due first comes first, what was done last likewise."""
    if chapter is Chapter.DONE:
        done = planned_for(actor, mine=mine).where(Activity.is_open.is_(False))
        return page(session, done, ACTIVITIES, replace(wish, sort="-at"))
    query = _open_for(actor, mine=mine)
    parts = {
        Chapter.OVERDUE: Activity.at < day.now,
        Chapter.TODAY: (Activity.at >= day.now) & (Activity.at < day.ends),
        Chapter.UPCOMING: Activity.at >= day.ends,
    }
    if chapter in parts:
        query = query.where(parts[chapter])
    return page(session, query, ACTIVITIES, replace(wish, sort="at"))


def my_open_activities(
    session: Session, actor: Actor, *, before: datetime, limit: int = 10
) -> list[Activity]:
    """Return what the actor has to do and is due before that moment, longest overdue first."""
    query = _open_for(actor, mine=True).where(Activity.at < before)
    return list(session.scalars(query.order_by(Activity.at, Activity.id).limit(limit)))


def due_between(
    session: Session, actor: Actor, start: datetime, end: datetime, *, mine: bool
) -> list[Activity]:
    """Return what is or was due from `start` until before `end`, in its order, at most MAX_DUE."""
    query = visible_to(actor).where(Activity.due_at >= start, Activity.due_at < end)
    if mine:
        query = query.where(Activity.owner_id == actor.user_id)
    return list(session.scalars(query.order_by(Activity.due_at, Activity.id).limit(MAX_DUE)))


def count_open(session: Session, actor: Actor, day: Day, *, mine: bool) -> OpenCounts:
    """Count what is to be done; one query over the open activities."""
    query = _open_for(actor, mine=mine)
    late = case((Activity.at < day.now, 1), else_=0)
    soon = case(((Activity.at >= day.now) & (Activity.at < day.ends), 1), else_=0)
    sums = query.with_only_columns(func.count(), func.sum(late), func.sum(soon))
    row = session.execute(sums).one()
    return OpenCounts(int(row[0]), int(row[1] or 0), int(row[2] or 0))


def recent_activities(session: Session, actor: Actor, limit: int = 10) -> list[Activity]:
    """Return what has happened last of what the actor finds in lists."""
    query = visible_to(actor).where(Activity.is_open.is_(False))
    return list(
        session.scalars(query.order_by(Activity.at.desc(), Activity.id.desc()).limit(limit))
    )


def activities_by_external_id(
    session: Session, actor: Actor, source: str, external_ids: Collection[str]
) -> dict[str, int]:
    """Return the id of each visible activity that is known under one of these ids of the source."""
    query = visible_to(actor).with_only_columns(Activity.external_id, Activity.id)
    rows = session.execute(
        query.where(Activity.external_source == source, Activity.external_id.in_(external_ids))
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}


def activity_titles(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """Return the titles of those of the activities that this actor finds in lists; one query."""
    if not ids or not actor.may("activities.see"):
        return {}
    found = session.scalars(visible_to(actor).where(Activity.id.in_(ids)))
    return {activity.id: title_of(activity) for activity in found}


kinds.register(kinds.Kind("activity", mark("Activity"), "/activities/{id}", activity_titles))
