"""The tables of the audit trail: who changed what, when, before and after, and the seal over it.

Append-only. A seal adds to an entry what proves it; only an erasure takes values away, and says so.
"""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import Base, JsonColumn, UtcDateTime

ONLY_ROW = 1
_UNSEALED = text("position IS NULL")


def _salt() -> str:
    return secrets.token_hex(16)


class AuditEntry(Base):
    """One change of one record. `changes` maps a field to its value before and after.

    `position`, `digest` and `link` come with the seal; `salt` is gone after an erasure.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_record", "kind", "record_id", "id"),
        Index("ix_audit_entries_kind", "kind", "id"),
        Index("ix_audit_entries_action", "action", "id"),
        Index("ix_audit_entries_user", "user_id", "id"),
        Index("uq_audit_entries_position", "position", unique=True),
        Index(
            "ix_audit_entries_unsealed",
            "id",
            sqlite_where=_UNSEALED,
            postgresql_where=_UNSEALED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now, index=True)
    user_id: Mapped[int | None]
    user_name: Mapped[str]
    action: Mapped[str]
    kind: Mapped[str]
    record_id: Mapped[int | None]
    changes: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    salt: Mapped[str | None] = mapped_column(default=_salt)
    position: Mapped[int | None]
    digest: Mapped[str | None]
    link: Mapped[str | None]


class TrailHead(Base):
    """The newest sealed entry, and what the last look at the whole chain found."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(default=0)
    link: Mapped[str] = mapped_column(default="")
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verified_position: Mapped[int | None]
    broken_at: Mapped[int | None]
