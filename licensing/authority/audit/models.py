"""The tables of what the vendor's people and the protocol did, and the seal over it. Only ever added to."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.db.base import Base
from server.core import clock
from server.core.db import JsonColumn, UtcDateTime

_UNSEALED = text("position IS NULL")


def _salt() -> str:
    return secrets.token_hex(16)


class AuditEntry(Base):
    """One action: who, when, what, on what, with which particulars.

    `position`, `digest` and `link` come with the seal. An entry of before there were seals has no salt.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "subject", "id"),
        Index(None, "operator", "id"),
        Index(None, "action", "id"),
        Index(None, "at", "id"),
        Index("uq_audit_entries_position", "position", unique=True),
        Index(
            "ix_audit_entries_unsealed",
            "id",
            sqlite_where=_UNSEALED,
            postgresql_where=_UNSEALED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    operator: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
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
    broken_at: Mapped[int | None]
