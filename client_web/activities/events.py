"""What a timeline shows besides activities: that the record was written down, and what its slice registers.

A room registers a source for its kind at import; the panel merges what it returns by its moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from server.audit.queries import creation_of
from server.core.actor import Actor
from server.core.i18n import gettext as _

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Event:
    """Something that happened to a record and is no activity. `who` is a name or None."""

    at: datetime
    title: str
    icon: str
    tone: str = "gray"
    who: str | None = None


# A source returns the newest events of a record that the actor has been shown to see.
Source = Callable[["Session", Actor, int], Sequence[Event]]

_sources: dict[str, list[Source]] = {}


def register(kind: str, source: Source) -> None:
    """Let the timeline of every record of this kind show what the source returns."""
    known = _sources.setdefault(kind, [])
    if source not in known:
        known.append(source)


def events_of(session: "Session", actor: Actor, kind: str, record_id: int) -> list[Event]:
    """Return what happened to the record besides its activities, newest first."""
    found = [
        event for source in _sources.get(kind, []) for event in source(session, actor, record_id)
    ]
    first = creation_of(session, kind, record_id)
    if first is not None:
        found.append(
            Event(first.at, _("The record was written down"), "plus", who=first.user_name or None)
        )
    return sorted(found, key=lambda event: event.at, reverse=True)
