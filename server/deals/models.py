"""The tables of deals: pipelines, their stages, the deals, who is involved, and every move of a deal."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from server.core import clock
from server.core.db import NEVER_REUSED, Base, Record, UtcDateTime, words
from server.deals.rules import DealStatus, StageType


def _live(
    name: str,
    *columns: "str | ColumnElement[Any] | InstrumentedAttribute[Any]",
    unique: bool = False,
) -> Index:
    """Return an index over the records outside the bin, which is all that lists ever ask for."""
    where = text("deleted_at IS NULL")
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _only_one(name: str, *columns: str, among: str) -> Index:
    """Return the index by which the database refuses a second one among the living."""
    where = text(f"{among} AND deleted_at IS NULL")
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


class Pipeline(Record, Base):
    """A way of selling. The database itself allows one default."""

    __tablename__ = "pipelines"
    __kind__: ClassVar[str] = "pipeline"
    __table_args__ = (
        _only_one("uq_pipelines_default", "is_default", among="is_default"),
        NEVER_REUSED,
    )

    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    is_default: Mapped[bool] = mapped_column(default=False)


class Stage(Record, Base):
    """One step of a pipeline. Each pipeline has one won and one lost stage, the database sees to it."""

    __tablename__ = "stages"
    __kind__: ClassVar[str] = "stage"
    __table_args__ = (
        UniqueConstraint("pipeline_id", "id"),
        _only_one("uq_stages_closed", "pipeline_id", "type", among="type IN ('won', 'lost')"),
        CheckConstraint("probability BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("rot_days IS NULL OR rot_days > 0", name="rot_days"),
        NEVER_REUSED,
    )

    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id", ondelete="RESTRICT"))
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    type: Mapped[StageType] = mapped_column(words(StageType))
    probability: Mapped[int]
    rot_days: Mapped[int | None]


class Deal(Record, Base):
    """A sale that may happen. `amount` is in minor units of `currency`.

    `board_position` orders a column of the board for everybody, `stage_since` is when it came there.
    """

    __tablename__ = "deals"
    __kind__: ClassVar[str] = "deal"
    __table_args__ = (
        # A deal can stand only in a stage of its own pipeline.
        ForeignKeyConstraint(
            ["pipeline_id", "stage_id"], ["stages.pipeline_id", "stages.id"], ondelete="RESTRICT"
        ),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("probability BETWEEN 0 AND 100", name="percent"),
        _live("uq_deals_external_id", "external_source", "external_id", unique=True),
        _live("ix_deals_column", "stage_id", "board_position", "id"),
        _live("ix_deals_own_column", "owner_id", "stage_id", "board_position", "id"),
        _live("ix_deals_sums", "pipeline_id", "stage_id", "currency", "amount", "probability"),
        _live("ix_deals_own_status", "owner_id", "status", "id"),
        _live("ix_deals_status", "status", "id"),
        _live("ix_deals_amount", "amount", "id"),
        _live("ix_deals_currency", "currency", "amount", "id"),
        _live("ix_deals_title", "title", "id"),
        _live("ix_deals_updated_at", "updated_at", "id"),
        _live("ix_deals_created_at", "created_at", "id"),
        _live("ix_deals_expected", "expected_close_on", "id"),
        _live("ix_deals_closed_on", "closed_on", "id"),
        _live("ix_deals_product", "product", "id"),
        _live("ix_deals_external_id", "external_id"),
        Index("ix_deals_company_id", "company_id", "id"),
        Index("ix_deals_pipeline_stage", "pipeline_id", "stage_id"),
        # Only the bin looks here: an index over everything would lure the planner away from the others.
        Index(
            "ix_deals_binned",
            "deleted_at",
            "id",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        NEVER_REUSED,
    )

    title: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str]
    pipeline_id: Mapped[int]
    stage_id: Mapped[int]
    status: Mapped[DealStatus] = mapped_column(words(DealStatus))
    probability: Mapped[int]
    expected_close_on: Mapped[date | None]
    engaged_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    lost_reason: Mapped[str] = mapped_column(default="")
    product: Mapped[str] = mapped_column(default="")
    company_id: Mapped[int | None] = mapped_column(ForeignKey("companies.id", ondelete="RESTRICT"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    external_source: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str | None]
    stage_since: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    board_position: Mapped[int] = mapped_column(BigInteger, default=0)
    search_text: Mapped[str] = mapped_column(default="")


def closing_order() -> ColumnElement[date]:
    """Return the expected date of closing as it is sorted: deals without one come last."""
    # Written out, not bound: an index matches only the very same expression.
    return func.coalesce(Deal.expected_close_on, literal_column("'9999-12-31'"))


_live("ix_deals_closing", closing_order(), Deal.id)


class DealPerson(Base):
    """A person who is involved in a deal."""

    __tablename__ = "deal_people"

    deal_id: Mapped[int] = mapped_column(
        ForeignKey("deals.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        ForeignKey("people.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(default=0)


class StageMove(Base):
    """A deal went from one stage to another. The first move of a deal comes from nowhere."""

    __tablename__ = "stage_moves"
    __table_args__ = (
        Index("ix_stage_moves_deal", "deal_id", "id"),
        Index("ix_stage_moves_to", "to_stage_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deals.id", ondelete="CASCADE"))
    from_stage_id: Mapped[int | None] = mapped_column(ForeignKey("stages.id", ondelete="RESTRICT"))
    to_stage_id: Mapped[int] = mapped_column(ForeignKey("stages.id", ondelete="RESTRICT"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    seconds_in_from: Mapped[int | None] = mapped_column(BigInteger)
