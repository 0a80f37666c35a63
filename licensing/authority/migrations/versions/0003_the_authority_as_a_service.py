"""Check-ins counted in the row they change anyhow, and serials above those that a restore forgot."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FLAGS = (
    "wrong_codes",
    "clone_review",
    "clone_hold",
    "shared_fingerprint",
    "fingerprint_changed",
    "weak_binding",
    "rehosted",
    "behind",
)


def upgrade() -> None:
    """Apply this step."""
    op.add_column(
        "activations",
        sa.Column("calls_full_at", sa.Float(precision=53), server_default="0", nullable=False),
    )
    op.add_column(
        "licenses", sa.Column("serial_floor", sa.Integer(), server_default="0", nullable=False)
    )
    words = ", ".join(f"'{word}'" for word in _FLAGS)
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    with op.batch_alter_table("flags") as flags:
        if is_postgresql:  # SQLite makes the table anew, and leaves the check behind
            flags.drop_constraint(op.f("ck_flags_flagkind"), type_="check")
        flags.create_check_constraint("flagkind", f"kind IN ({words})")
    if is_postgresql:
        # Counting callers writes no log that the disk must take; a crash may forget the counts.
        op.execute("ALTER TABLE rate_buckets SET UNLOGGED")
