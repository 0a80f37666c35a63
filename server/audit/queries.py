"""Reading the audit trail."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.audit.models import AuditEntry
from server.core.actor import Actor
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
