"""The tables of activations: who holds a licence, where its chain stands, the answers that were given."""

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.db.base import Base
from server.core.db import words

_ACTIVE = text("status = 'active'")


class ActivationRecord(Base):
    """One licence bound to one instance key. Times are Unix seconds, as in its documents.

    The partial unique index is the last word on "one server for each licence". `last_answer` is
    what the request `last_request` was told, `proof` what the deactivation `proof_request` was.
    `told_serial` is the licence that its newest lease told of, so the one its server holds.
    `shown_fingerprint` is that of another machine, since one was shown.
    `calls_full_at` is its bucket of check-ins (limits/rules.py), so that counting costs no write.
    """

    __tablename__ = "activations"
    __table_args__ = (
        Index(
            "uq_activations_active",
            "license_row_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        Index(None, "license_row_id", "id"),
        Index(None, "status", "last_seen_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    activation_id: Mapped[str] = mapped_column(unique=True)
    license_row_id: Mapped[int] = mapped_column(ForeignKey("licenses.id", ondelete="RESTRICT"))
    generation: Mapped[int]
    instance_pub: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[ActivationStatus] = mapped_column(
        words(ActivationStatus), default=ActivationStatus.ACTIVE
    )
    fingerprint: Mapped[dict[str, str]] = mapped_column(JSON)
    shown_fingerprint: Mapped[dict[str, str] | None] = mapped_column(JSON)
    activated_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    end_reason: Mapped[str | None]

    head_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    head_nonce: Mapped[str | None]
    head_hash: Mapped[str | None]
    lease_expires_at: Mapped[int] = mapped_column(BigInteger, default=0)
    told_serial: Mapped[int] = mapped_column(default=0, server_default="0")
    forks: Mapped[int] = mapped_column(default=0)
    clean: Mapped[int] = mapped_column(default=0)
    is_held: Mapped[bool] = mapped_column(default=False)
    calls_full_at: Mapped[float] = mapped_column(Float(53), default=0.0, server_default="0")

    last_request: Mapped[str | None]
    last_answer: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    proof_request: Mapped[str | None]
    proof: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    refunded_at: Mapped[int | None] = mapped_column(BigInteger)

    last_seen_at: Mapped[int] = mapped_column(BigInteger)
    product_version: Mapped[str]
    usage: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    mode: Mapped[str | None]


class ActivationComponent(Base):
    """One component of the machine an activation was made on, to find it under other licences."""

    __tablename__ = "activation_components"
    __table_args__ = (Index(None, "name", "value"),)

    activation_row_id: Mapped[int] = mapped_column(
        ForeignKey("activations.id", ondelete="RESTRICT"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Head(Base):
    """A nonce that was given up for a resync, or one of before nonces told whose they are.

    All others are recognised without being kept (nonces.py).
    """

    __tablename__ = "heads"

    activation_row_id: Mapped[int] = mapped_column(
        ForeignKey("activations.id", ondelete="RESTRICT"), primary_key=True
    )
    nonce: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    license_serial: Mapped[int]
    keyset_version: Mapped[int]
    is_abandoned: Mapped[bool] = mapped_column(default=False)
    given_up_at: Mapped[int | None] = mapped_column(BigInteger, index=True)


class KeptAnswer(Base):
    """What an activation request was told, byte for byte, so that asking again costs nothing."""

    __tablename__ = "kept_answers"

    request_hash: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    is_denial: Mapped[bool]
    answered_at: Mapped[int] = mapped_column(BigInteger, index=True)


class OfflineChallenge(Base):
    """A challenge that a client made itself; it is accepted once."""

    __tablename__ = "offline_challenges"

    challenge: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[int] = mapped_column(BigInteger)
