"""The tables of warnings: who answers for the licence, who wants to hear how, and what is being told."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import Base, UtcDateTime

ONLY_ROW = 1


class Representative(Base):
    """The buyer's representative, who has to be told before the term ends (R-LIC-7)."""

    __tablename__ = "representative"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    locale: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now, onupdate=clock.now)


class NoticePreference(Base):
    """By which ways a user wants to hear of notices (R-CRM-8); without a row, by all of them."""

    __tablename__ = "notice_preferences"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    by_email: Mapped[bool]
    by_sms: Mapped[bool]
    phone: Mapped[str]


class LicenseMatter(Base):
    """Something about the licence that holds: since when, and on which day it was told last."""

    __tablename__ = "license_matters"

    code: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    told_on: Mapped[date | None]
