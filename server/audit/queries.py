"""Reading the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from server.audit.models import ONLY_ROW, AuditEntry, TrailHead
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment

ENTRIES = ListSpec(
    key=AuditEntry.id,
    filters={
        "kind": Field(AuditEntry.kind, operators=("eq", "in")),
        "record_id": Field(AuditEntry.record_id, read_int, ("eq",)),
        "user_id": Field(AuditEntry.user_id, read_int, ("eq",)),
        "action": Field(AuditEntry.action, operators=("eq", "in")),
        "at": Field(AuditEntry.at, read_moment, ("gte", "lte", "gt", "lt")),
    },
    sorts={"id": Field(AuditEntry.id, read_int)},
)


def list_entries(session: Session, actor: Actor, wish: ListQuery) -> Page[AuditEntry]:
    """Return a page of the whole trail, newest first, for those who may see it."""
    actor.must("audit.see")
    return page(session, select(AuditEntry), ENTRIES, wish)


def get_entry(session: Session, actor: Actor, entry_id: int) -> AuditEntry:
    """Return one entry of the trail, or raise NotFound."""
    actor.must("audit.see")
    found = session.get(AuditEntry, entry_id)
    if found is None:
        raise NotFound(_("There is no entry %(id)s in the audit trail.", id=entry_id))
    return found


@dataclass(frozen=True)
class SealState:
    """How far the trail is sealed, and what the last look at the whole chain found."""

    sealed: int
    unsealed: int
    head: str
    verified_at: datetime | None
    verified: int | None
    broken_at: int | None


def count_unsealed(session: Session) -> int:
    """Count the entries that wait for their seal."""
    waiting = select(func.count()).where(AuditEntry.position.is_(None))
    return session.scalar(waiting.select_from(AuditEntry)) or 0


def seal_state(session: Session, actor: Actor) -> SealState:
    """Return how the seal over the trail stands; cheap, it does not walk along the chain."""
    actor.must("audit.see")
    head = session.get(TrailHead, ONLY_ROW)
    return SealState(
        sealed=head.position if head else 0,
        unsealed=count_unsealed(session),
        head=head.link if head else "",
        verified_at=head.verified_at if head else None,
        verified=head.verified_position if head else None,
        broken_at=head.broken_at if head else None,
    )


def kinds_in_trail(session: Session, actor: Actor) -> list[str]:
    """Return the kinds of record that the trail speaks of, in alphabetical order."""
    actor.must("audit.see")
    return _distinct(session, AuditEntry.kind)


def actions_in_trail(session: Session, actor: Actor) -> list[str]:
    """Return what was done according to the trail, in alphabetical order."""
    actor.must("audit.see")
    return _distinct(session, AuditEntry.action)


def _distinct(session: Session, column: InstrumentedAttribute[str]) -> list[str]:
    """Return the different words of an indexed column by hopping along its index, in one query.

    DISTINCT would read every entry of a long trail to find a dozen words.
    """
    hops = select(func.min(column).label("word")).cte("hops", recursive=True)
    other: Any = aliased(AuditEntry)
    further = (
        select(func.min(getattr(other, column.key)))
        .where(getattr(other, column.key) > hops.c.word)
        .scalar_subquery()
    )
    hops = hops.union_all(select(further).where(hops.c.word.is_not(None)))
    return [str(word) for word in session.scalars(select(hops.c.word)) if word is not None]


def history_of(session: Session, kind: str, record_id: int, limit: int = 50) -> list[AuditEntry]:
    """Return the newest changes of one record; the caller has already shown that it is visible."""
    query = select(AuditEntry).where(AuditEntry.kind == kind, AuditEntry.record_id == record_id)
    return list(session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))


def creation_of(session: Session, kind: str, record_id: int) -> AuditEntry | None:
    """Return who wrote the record down and when; the caller has already shown that it is visible."""
    query = select(AuditEntry).where(
        AuditEntry.kind == kind, AuditEntry.record_id == record_id, AuditEntry.action == "create"
    )
    return session.scalar(query.order_by(AuditEntry.id).limit(1))
