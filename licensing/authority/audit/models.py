"""The table of what the vendor's people did."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.db.base import Base
from server.core import clock
from server.core.db import JsonColumn, UtcDateTime


class AuditEntry(Base):
    """One action: who, when, what, on what, with which particulars. Only ever added."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "subject", "id"),
        Index(None, "operator", "id"),
        Index(None, "action", "id"),
        Index(None, "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    operator: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
