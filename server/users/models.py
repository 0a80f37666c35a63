"""The tables of users: accounts, sign-ins, tokens, and the counters that hold the caps of seats and devices."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.core import clock
from server.core.db import NEVER_REUSED, Base, Record, UtcDateTime, words
from server.users.rules import Role, Slot, UserKind, UserStatus

ONLY_ROW = 1


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
    """One user signed in on one device, that is, in one browser. Only hashes of its cookies are kept.

    With a `slot` the device is connected; `seen_s` is then when it was last heard of, in the running time
    of DeviceCounter. `seen_at` is the same for people to read, and decides nothing.
    """

    __tablename__ = "web_sessions"
    __table_args__ = (
        Index("uq_web_sessions_user_device", "user_id", "device_hash", unique=True),
        Index("ix_web_sessions_slot_seen", "slot", "seen_s"),
        Index("ix_web_sessions_seen", "seen_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    address: Mapped[str] = mapped_column(default="")
    device: Mapped[str] = mapped_column(default="")
    device_hash: Mapped[str | None]
    slot: Mapped[Slot | None] = mapped_column(words(Slot))
    connected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    seen_s: Mapped[int | None]


class UserSighting(Base):
    """When a user or a program of this account was last here; apart from the account, which has versions."""

    __tablename__ = "user_sightings"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


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


class DeviceCounter(Base):
    """The connected devices, and how many the licence sells; the database itself refuses one too many.

    Without a `cap` no licence has named one yet. `ceiling` is as in SeatCounter. `running_s` counts the
    seconds in which this installation ran, so that no setting of a clock frees or holds a slot.
    `peak` is the most devices since the vendor last heard of them, `day_peak` the most of `day`.
    """

    __tablename__ = "device_counter"
    __table_args__ = (
        CheckConstraint("used >= 0", name="not_negative"),
        CheckConstraint("ceiling IS NULL OR used <= ceiling", name="within_ceiling"),
        CheckConstraint("reserved IN (0, 1)", name="one_reserved"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    used: Mapped[int] = mapped_column(default=0)
    reserved: Mapped[int] = mapped_column(default=0)
    cap: Mapped[int | None]
    ceiling: Mapped[int | None]
    peak: Mapped[int] = mapped_column(default=0)
    day: Mapped[date | None]
    day_peak: Mapped[int] = mapped_column(default=0)
    running_s: Mapped[int] = mapped_column(default=0)
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SeatDay(Base):
    """How many seats were taken on one day of the organisation, at most, and how many the licence covered."""

    __tablename__ = "seat_days"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    named_used: Mapped[int] = mapped_column(default=0)
    named_cap: Mapped[int] = mapped_column(default=0)
    service_used: Mapped[int] = mapped_column(default=0)
    service_cap: Mapped[int] = mapped_column(default=0)
    devices_peak: Mapped[int] = mapped_column(default=0)
    devices_cap: Mapped[int | None]


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
