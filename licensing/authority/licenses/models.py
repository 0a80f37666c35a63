"""The tables of licences: what was sold, every document that said so, trials used, flags raised."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.db.base import Base
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.document.license import Kind, NetworkMode
from server.core import clock
from server.core.db import UtcDateTime, words


class LicenseRecord(Base):
    """One licence as it is now. Times are Unix seconds, as in its document.

    `serial` is 0 until something was signed, as for a trial before its first activation. `code_key`
    proves the activation code; the code itself is kept nowhere. The next serial lies above
    `serial_floor`: a restored database has forgotten some that customers hold.
    """

    __tablename__ = "licenses"
    __table_args__ = (
        CheckConstraint("named > 0 AND concurrent > 0 AND service_accounts >= 0", name="seats"),
        CheckConstraint("expires_at IS NOT NULL OR kind <> 'subscription'", name="term"),
        Index(None, "customer_row_id", "id"),
        Index(None, "kind", "id"),
        Index(None, "signed_by", "id"),
        Index(None, "named", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    license_id: Mapped[str] = mapped_column(unique=True)
    customer_row_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="RESTRICT"))
    code_id: Mapped[str] = mapped_column(unique=True)
    code_key: Mapped[bytes] = mapped_column(LargeBinary)
    wrong_codes: Mapped[int] = mapped_column(default=0)
    status: Mapped[LicenseStatus] = mapped_column(words(LicenseStatus), default=LicenseStatus.OK)
    kind: Mapped[Kind] = mapped_column(words(Kind))
    product: Mapped[str]
    edition: Mapped[str]
    site_id: Mapped[str]
    site_label: Mapped[str]
    network_mode: Mapped[NetworkMode] = mapped_column(words(NetworkMode))
    networks: Mapped[list[str]] = mapped_column(JSON)
    features: Mapped[list[str]] = mapped_column(JSON)
    named: Mapped[int]
    concurrent: Mapped[int]
    service_accounts: Mapped[int]
    term_days: Mapped[int]
    starts_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    maintenance_until: Mapped[int | None] = mapped_column(BigInteger)
    timezone: Mapped[str]
    grace_days: Mapped[int]
    interval_s: Mapped[int]
    lease_ttl_s: Mapped[int]
    read_only_after_s: Mapped[int]
    lock_after_s: Mapped[int]
    serial: Mapped[int] = mapped_column(default=0)
    serial_floor: Mapped[int] = mapped_column(default=0, server_default="0")
    generation: Mapped[int] = mapped_column(default=0)
    # A check-in reads this row and needs the envelope only when it is news.
    envelope: Mapped[str | None] = mapped_column(Text, deferred=True)
    envelope_hash: Mapped[str | None]
    signed_by: Mapped[str | None]
    next_starts_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    next_named: Mapped[int | None]
    next_concurrent: Mapped[int | None]
    next_service_accounts: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(Text, server_default="", deferred=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)


def end_order() -> ColumnElement[int]:
    """Return the end of a licence as it is sorted: those without one come last."""
    # Written out, not bound: an index matches only the very same expression.
    return func.coalesce(LicenseRecord.expires_at, literal_column("9007199254740991"))


Index("ix_licenses_ends", end_order(), LicenseRecord.id)


class LicenseSerial(Base):
    """Every document that was ever signed for a licence, and by which key."""

    __tablename__ = "license_serials"

    license_row_id: Mapped[int] = mapped_column(
        ForeignKey("licenses.id", ondelete="RESTRICT"), primary_key=True
    )
    serial: Mapped[int] = mapped_column(primary_key=True)
    issued_at: Mapped[int] = mapped_column(BigInteger)
    signed_by: Mapped[str | None] = mapped_column(index=True)
    envelope: Mapped[str] = mapped_column(Text)


class TrialUse(Base):
    """A trial that was started. The organisation is unique, so that two can never start together."""

    __tablename__ = "trial_uses"

    license_row_id: Mapped[int] = mapped_column(
        ForeignKey("licenses.id", ondelete="RESTRICT"), primary_key=True
    )
    organization: Mapped[str | None] = mapped_column(unique=True)
    components: Mapped[int]
    started_at: Mapped[int] = mapped_column(BigInteger)


class TrialComponent(Base):
    """One component of the machine a trial was started on."""

    __tablename__ = "trial_components"
    __table_args__ = (Index(None, "name", "value"),)

    license_row_id: Mapped[int] = mapped_column(
        ForeignKey("trial_uses.license_row_id", ondelete="RESTRICT"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


_OPEN = text("resolved_at IS NULL")


class Flag(Base):
    """Something to look at; one open flag of a kind for each licence. `note` says how it was settled."""

    __tablename__ = "flags"
    __table_args__ = (
        Index(
            "uq_flags_open",
            "license_row_id",
            "kind",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_flags_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_flags_queue", "kind", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "license_row_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    license_row_id: Mapped[int] = mapped_column(ForeignKey("licenses.id", ondelete="RESTRICT"))
    kind: Mapped[FlagKind] = mapped_column(words(FlagKind))
    detail: Mapped[str]
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str | None]
    note: Mapped[str | None]
