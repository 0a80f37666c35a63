"""The tables of activation: a mirror of the licence's local state, and when to speak to the vendor next."""

from datetime import datetime

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
