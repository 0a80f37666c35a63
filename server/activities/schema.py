"""JSON shapes of activities."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from server.activities.models import Activity
from server.activities.rules import MAX_LINKS, MAX_SUBJECT, ActivityDraft, ActivityKind, Target
from server.core.clock import rfc3339
from server.core.kinds import Link
from server.http.rest import Body, Line, ListShown, Paragraphs, RecordId, Shown


def _kind(value: object) -> object:
    # JSON has no enums; a word in a string is one.
    known = {kind.value for kind in ActivityKind}
    return ActivityKind(value) if isinstance(value, str) and value in known else value


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else value
    except (ValueError, OverflowError):
        return value


Kind = Annotated[ActivityKind, BeforeValidator(_kind)]
Moment = Annotated[
    datetime,
    BeforeValidator(
        _moment,
        json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date-time"})],
    ),
]
Subject = Annotated[str, Field(max_length=MAX_SUBJECT)]


class LinkBody(Body):
    """A record that the activity belongs to: `type` is company, person or deal."""

    type: Annotated[str, Field(max_length=40)]
    id: RecordId


class ActivityChange(Body):
    """What to change; members left out stay as they are.

    A task, call or meeting without `done_at` is open. `links` are all the records it belongs to.
    """

    kind: Kind = ActivityKind.TASK
    subject: Subject = ""
    body: Paragraphs = ""
    due_at: Moment | None = None
    done_at: Moment | None = None
    owner_id: RecordId | None = None
    links: Annotated[list[LinkBody], Field(max_length=MAX_LINKS)] = Field(default=[])
    external_source: Annotated[str, Field(max_length=100)] = ""
    external_id: Line | None = None


class NewActivity(ActivityChange):
    """An activity to write down; without an owner it is the caller's."""

    kind: Kind

    def draft(self) -> ActivityDraft:
        """Return the body as the service takes it."""
        return ActivityDraft(**sent(self))


class LinkShown(Shown):
    """A record that the activity belongs to and the caller may see."""

    type: str
    id: int


class ActivityShown(Shown):
    """An activity as the API tells it, with those of its links that lead to records the caller may see."""

    id: int
    version: int
    kind: ActivityKind
    subject: str
    body: str
    due_at: str | None
    done_at: str | None
    done_by_id: int | None
    owner_id: int | None
    links: list[LinkShown]
    external_source: str
    external_id: str | None
    created_at: str
    updated_at: str
    created_by_id: int | None
    deleted_at: str | None


class ActivityList(ListShown):
    """One page of activities."""

    items: list[ActivityShown]


def sent(body: ActivityChange) -> dict[str, Any]:
    """Return the members that the caller sent, as the fields of a draft."""
    members = body.sent()
    if "links" in members:
        members["links"] = tuple(Target(link.type, link.id) for link in members["links"])
    return members


def show_activity(activity: Activity, links: Iterable[Link]) -> dict[str, object]:
    """Return the JSON object of an activity."""
    moments = {
        name: rfc3339(value) if value else None
        for name, value in (
            ("due_at", activity.due_at),
            ("done_at", activity.done_at),
            ("created_at", activity.created_at),
            ("updated_at", activity.updated_at),
            ("deleted_at", activity.deleted_at),
        )
    }
    made = {**moments, "links": [{"type": link.kind, "id": link.record_id} for link in links]}
    plain = {
        name: getattr(activity, name) for name in ActivityShown.model_fields if name not in made
    }
    return {**plain, **made}
