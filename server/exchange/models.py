"""The tables of imports: each file that was brought in, every row of it, and what came into being on the side."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import Base, JsonColumn, UtcDateTime, words
from server.exchange.rules import ImportKind, ImportStatus, Outcome, UndoOutcome


class Import(Base):
    """One file and what became of it.

    `cursor` is the first line of the row that was worked on last: it moves in the transaction of the
    rows themselves, so that a killed run goes on where it was. Whoever works holds `claimed_by` until
    `claimed_until`, and acts for the user `acting_id`, who asked for the present run or its undoing.
    """

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_status", "status", "id"),
        Index("ix_imports_sha256", "sha256", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImportKind] = mapped_column(words(ImportKind))
    status: Mapped[ImportStatus] = mapped_column(words(ImportStatus))
    file_name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    profile: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    mapping: Mapped[dict[str, Any]] = mapped_column(JsonColumn)
    rows: Mapped[int]
    cursor: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JsonColumn, default=dict)
    undo_counts: Mapped[dict[str, int]] = mapped_column(JsonColumn, default=dict)
    error: Mapped[str] = mapped_column(default="")
    claimed_by: Mapped[str] = mapped_column(default="")
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acting_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_by_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportRow(Base):
    """One row of the file: every cell as it was written, and what became of it.

    `changes` maps a field of an updated record to its value before and after, `version` is that of the
    record when the import had written it, `later` the parent company that is looked for at the end.
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        Index("ix_import_rows_outcome", "import_id", "outcome", "line"),
        Index("ix_import_rows_key", "key", "import_id"),
    )

    import_id: Mapped[int] = mapped_column(
        ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(words(Outcome))
    record_id: Mapped[int | None]
    key: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(default="")
    raw: Mapped[list[str]] = mapped_column(JsonColumn)
    changes: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)
    version: Mapped[int] = mapped_column(default=1)
    later: Mapped[str | None]
    undone: Mapped[UndoOutcome | None] = mapped_column(words(UndoOutcome))
    undo_message: Mapped[str] = mapped_column(default="")


class ImportExtra(Base):
    """What an import wrote down besides its rows: companies that rows name, former colleagues, stages."""

    __tablename__ = "import_extras"

    import_id: Mapped[int] = mapped_column(
        ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    undone: Mapped[UndoOutcome | None] = mapped_column(words(UndoOutcome))
