"""The tables of backups: a mirror of the sets on disk, the log of runs, and the last look at the place.

The sets on disk are the truth. The mirror lets pages sort and count them without touching the disk.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backup.plan import Kind, State
from server.backups.rules import Action, RunState
from server.core import clock
from server.core.db import Base, JsonColumn, UtcDateTime, words

ONLY_ROW = 1


class BackupSet(Base):
    """One backup as the last look at the disk saw it. `name` is its id on disk."""

    __tablename__ = "backup_sets"
    __table_args__ = (
        Index("ix_backup_sets_created_at", "created_at", "id"),
        Index("ix_backup_sets_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[Kind | None] = mapped_column(words(Kind))
    bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[State] = mapped_column(words(State))
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    restore_seconds: Mapped[float | None]
    tables: Mapped[int | None]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    files: Mapped[int | None] = mapped_column(BigInteger)
    choice: Mapped[str | None]
    said_by: Mapped[str | None]
    said_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None]
    shown: Mapped[dict[str, Any]] = mapped_column(JsonColumn)


class BackupRun(Base):
    """One run: asked for, under way, ended. The database lets the same wish wait only once.

    `ticket` names the lock that the process at work holds, so that a killed one is found out.
    """

    __tablename__ = "backup_runs"
    __table_args__ = (
        Index(
            "uq_backup_runs_queued",
            "action",
            "set_name",
            unique=True,
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_backup_runs_state", "state", "id"),
        CheckConstraint("done >= 0 AND total >= 0", name="progress"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[Action] = mapped_column(words(Action))
    kind: Mapped[Kind | None] = mapped_column(words(Kind))
    state: Mapped[RunState] = mapped_column(words(RunState))
    set_name: Mapped[str] = mapped_column(default="")
    asked_by_id: Mapped[int | None]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ticket: Mapped[str] = mapped_column(default="")
    stage: Mapped[str | None]
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    outcome: Mapped[str] = mapped_column(default="")


class BackupPlace(Base):
    """The last look at the place of backups: what was wrong with it, and whether drills can open.

    At `keys_due_at` somebody has to prove that an offline key is still held; None while nothing is known.
    """

    __tablename__ = "backup_place"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    problem: Mapped[str] = mapped_column(default="")
    drill_key: Mapped[bool] = mapped_column(default=True)
    keys_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
