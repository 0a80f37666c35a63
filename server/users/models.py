"""The tables of users: accounts, sign-ins, tokens and the counter that holds the seat cap."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import NEVER_REUSED, Base, Record, UtcDateTime, words
from server.users.rules import Role, UserKind, UserStatus


class User(Record, Base):
    """A colleague, a service account, or a former colleague who only owns history.

    `email_key` is the folded address by which nobody exists twice; a former user may have none.
    """

    __tablename__ = "users"
    __kind__: ClassVar[str] = "user"
    __table_args__ = (
        Index("uq_users_email_key", "email_key", unique=True),
        Index("ix_users_status_name", "status", "display_name", "id"),
        Index("ix_users_name", "display_name", "id"),
        NEVER_REUSED,
    )

    email: Mapped[str | None]
    email_key: Mapped[str | None]
    display_name: Mapped[str]
    role: Mapped[Role] = mapped_column(words(Role))
    kind: Mapped[UserKind] = mapped_column(words(UserKind))
    status: Mapped[UserStatus] = mapped_column(words(UserStatus))
    locale: Mapped[str] = mapped_column(default="fa")
    password_hash: Mapped[str | None]
    active_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    external_id: Mapped[str | None] = mapped_column(index=True)


class WebSession(Base):
    """One signed-in browser. Only a hash of its cookie is kept."""

    __tablename__ = "web_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    address: Mapped[str] = mapped_column(default="")
    device: Mapped[str] = mapped_column(default="")


class ApiToken(Base):
    """A key for programs. Only its hash is kept; `hint` is what a person recognises it by."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]
    name: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SeatCounter(Base):
    """The seats of one kind, taken and sold; the database itself refuses one too many.

    `ceiling` is the cap, or the seats taken when the cap was lowered below them: nobody is thrown out,
    nobody new comes in (licensing.md §8).
    """

    __tablename__ = "seat_counters"
    __table_args__ = (
        CheckConstraint("used >= 0", name="not_negative"),
        CheckConstraint("used <= ceiling", name="within_ceiling"),
    )

    kind: Mapped[UserKind] = mapped_column(words(UserKind), primary_key=True)
    used: Mapped[int] = mapped_column(default=0)
    cap: Mapped[int] = mapped_column(default=0)
    ceiling: Mapped[int] = mapped_column(default=0)


class SignInFailure(Base):
    """A failed sign-in, kept for a while to slow down guessing."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (
        Index("ix_sign_in_failures_key_at", "email_key", "at"),
        Index("ix_sign_in_failures_address_at", "address", "at"),
        Index("ix_sign_in_failures_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email_key: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
