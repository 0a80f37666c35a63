"""The tables of activities and of the records they belong to."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from server.activities.rules import ActivityKind
from server.core.db import NEVER_REUSED, Base, Record, UtcDateTime, words


class Activity(Record, Base):
    """Something that is to be done or has happened. `at` is where it stands in time (rules.stands_at)."""

    __tablename__ = "activities"
    __kind__: ClassVar[str] = "activity"
    __table_args__ = (
        CheckConstraint("NOT is_open OR done_at IS NULL", name="open"),
        NEVER_REUSED,
    )

    kind: Mapped[ActivityKind] = mapped_column(words(ActivityKind))
    subject: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    is_open: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    external_source: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None]
    search_text: Mapped[str]


_not_binned = Activity.deleted_at.is_(None)
_binned = Activity.deleted_at.is_not(None)


def _live(name: str, *columns: InstrumentedAttribute[Any], unique: bool = False) -> None:
    """Add an index over the records outside the bin, which is all that lists ever ask for."""
    Index(name, *columns, unique=unique, sqlite_where=_not_binned, postgresql_where=_not_binned)


_live("ix_activities_mine", Activity.owner_id, Activity.is_open, Activity.at, Activity.id)
_live("ix_activities_written", Activity.created_by_id, Activity.is_open, Activity.at, Activity.id)
_live("ix_activities_open", Activity.is_open, Activity.at, Activity.id)
_live("ix_activities_at", Activity.at, Activity.id)
_live("ix_activities_kind", Activity.kind, Activity.at, Activity.id)
_live("ix_activities_my_due", Activity.owner_id, Activity.due_at, Activity.id)
_live("ix_activities_due_at", Activity.due_at, Activity.id)
_live("ix_activities_done_at", Activity.done_at, Activity.id)
_live("ix_activities_created_at", Activity.created_at, Activity.id)
_live("ix_activities_updated_at", Activity.updated_at, Activity.id)
_live("ix_activities_external_id", Activity.external_id)
_live("uq_activities_external_id", Activity.external_source, Activity.external_id, unique=True)
# Only the bin looks here: an index over everything would lure the planner away from the others.
Index(
    "ix_activities_binned",
    Activity.deleted_at,
    Activity.id,
    sqlite_where=_binned,
    postgresql_where=_binned,
)


class ActivityLink(Base):
    """A record that an activity belongs to; it repeats where that stands, so that a timeline is one index."""

    __tablename__ = "activity_links"
    __table_args__ = (
        Index("ix_activity_links_timeline", "kind", "record_id", "is_open", "at", "activity_id"),
    )

    activity_id: Mapped[int] = mapped_column(
        ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(primary_key=True)
    is_open: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
