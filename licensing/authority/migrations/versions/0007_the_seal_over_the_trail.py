"""The seal over the audit trail."""

import sqlalchemy as sa
from alembic import op

from server.core.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    for name in ("salt", "digest", "link"):
        op.add_column("audit_entries", sa.Column(name, sa.String(), nullable=True))
    op.add_column("audit_entries", sa.Column("position", sa.Integer(), nullable=True))
    op.create_index("uq_audit_entries_position", "audit_entries", ["position"], unique=True)
    unsealed = sa.text("position IS NULL")
    op.create_index(
        "ix_audit_entries_unsealed",
        "audit_entries",
        ["id"],
        unique=False,
        sqlite_where=unsealed,
        postgresql_where=unsealed,
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=True),
        sa.Column("broken_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
