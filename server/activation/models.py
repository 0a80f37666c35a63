"""The tables of activation: a mirror of the licence's local state, and when to speak to the vendor next."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import Base, UtcDateTime

ONLY_ROW = 1


class LicenseMirror(Base):
    """The MACed local state once more, for the case that its file is lost (licensing.md §6)."""

    __tablename__ = "license_mirror"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now, onupdate=clock.now)


class CheckInPlan(Base):
    """When the next check-in is due, and how many failed in a row."""

    __tablename__ = "check_in_plan"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(default=0)


class OutsideVisit(Base):
    """Requests of one day from one address outside the networks of the licence, let in or refused."""

    __tablename__ = "outside_visits"

    day: Mapped[date] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    refused: Mapped[bool] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_user_id: Mapped[int | None]
