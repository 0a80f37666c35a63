"""The tables of the vendor's people: accounts, their second factor, the browsers they are signed in with."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.db.base import Base
from licensing.authority.staff.rules import Role, StaffStatus
from server.core import clock
from server.core.db import UtcDateTime, words


class StaffMember(Base):
    """Somebody who works for the vendor.

    `totp_sealed` is the secret of the second factor, encrypted under a secret of the home; it is None
    until the first sign-in. `totp_step` is the last step that was used: no code works twice.
    """

    __tablename__ = "staff_members"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(words(Role))
    status: Mapped[StaffStatus] = mapped_column(words(StaffStatus))
    locale: Mapped[str] = mapped_column(default="fa")
    password_hash: Mapped[str | None]
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code that stands in for the second factor, once. Only a keyed hash of it is kept."""

    __tablename__ = "staff_recovery_codes"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_members.id", ondelete="RESTRICT"), primary_key=True
    )
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffSession(Base):
    """One browser. Only a hash of its cookie is kept.

    Until the second factor was shown `confirmed_at` is None and the browser may do nothing else; later
    it tells when somebody last proved who they are. `new_totp` is a second factor that is being set up.
    """

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_members.id", ondelete="RESTRICT"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    new_totp: Mapped[bytes | None] = mapped_column(LargeBinary)
    address: Mapped[str] = mapped_column(default="")
    device: Mapped[str] = mapped_column(default="")
