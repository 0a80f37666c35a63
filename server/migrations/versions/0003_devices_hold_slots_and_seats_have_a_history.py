"""Devices hold slots and seats have a history."""

import sqlalchemy as sa
from alembic import op

from server.core.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "device_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=True),
        sa.Column("ceiling", sa.Integer(), nullable=True),
        sa.Column("peak", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("day_peak", sa.Integer(), nullable=False),
        sa.Column("running_s", sa.Integer(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "ceiling IS NULL OR used <= ceiling", name=op.f("ck_device_counter_within_ceiling")
        ),
        sa.CheckConstraint("reserved IN (0, 1)", name=op.f("ck_device_counter_one_reserved")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_device_counter_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_counter")),
    )
    op.create_table(
        "seat_days",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("named_used", sa.Integer(), nullable=False),
        sa.Column("named_cap", sa.Integer(), nullable=False),
        sa.Column("service_used", sa.Integer(), nullable=False),
        sa.Column("service_cap", sa.Integer(), nullable=False),
        sa.Column("devices_peak", sa.Integer(), nullable=False),
        sa.Column("devices_cap", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_days")),
        sa.UniqueConstraint("day", name=op.f("uq_seat_days_day")),
    )
    op.create_table(
        "user_sightings",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_sightings_user_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_sightings")),
    )
    slot = sa.Enum(
        "licensed", "reserved", name="slot", native_enum=False, create_constraint=True, length=32
    )
    with op.batch_alter_table("web_sessions") as table:
        table.add_column(sa.Column("device_hash", sa.String(), nullable=True))
        table.add_column(sa.Column("slot", slot, nullable=True))
        table.add_column(sa.Column("connected_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("seen_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("seen_s", sa.Integer(), nullable=True))
    # Whoever is signed in stays so, and takes a slot with the next request.
    op.execute("UPDATE web_sessions SET seen_at = created_at")
    with op.batch_alter_table("web_sessions") as table:
        table.alter_column("seen_at", existing_type=UtcDateTime(), nullable=False)
        table.create_index("ix_web_sessions_seen", ["seen_at", "id"], unique=False)
        table.create_index("ix_web_sessions_slot_seen", ["slot", "seen_s"], unique=False)
        table.create_index("uq_web_sessions_user_device", ["user_id", "device_hash"], unique=True)
