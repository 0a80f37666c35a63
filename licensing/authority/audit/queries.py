"""Reading what the vendor's people did."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.audit.models import AuditEntry
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment

ENTRIES = ListSpec(
    key=AuditEntry.id,
    filters={
        "subject": Field(AuditEntry.subject, operators=("eq", "in")),
        "operator": Field(AuditEntry.operator, operators=("eq", "in")),
        "action": Field(AuditEntry.action, operators=("eq", "in")),
        "at": Field(AuditEntry.at, read_moment, ("gte", "lte", "gt", "lt")),
    },
    sorts={"id": Field(AuditEntry.id, read_int), "at": Field(AuditEntry.at, read_moment)},
    default_sort="-id",
)


def list_entries(session: Session, wish: ListQuery) -> Page[AuditEntry]:
    """Return one page of the audit trail, the newest first; narrow it by `subject` for one record."""
    return page(session, select(AuditEntry), ENTRIES, wish)
