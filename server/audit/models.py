"""The table of the audit trail: who changed what, when, before and after. Append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import Base, JsonColumn, UtcDateTime


class AuditEntry(Base):
    """One change of one record. `changes` maps a field to its value before and after."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_record", "kind", "record_id", "id"),
        Index("ix_audit_entries_user", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now, index=True)
    user_id: Mapped[int | None]
    user_name: Mapped[str]
    action: Mapped[str]
    kind: Mapped[str]
    record_id: Mapped[int | None]
    changes: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
