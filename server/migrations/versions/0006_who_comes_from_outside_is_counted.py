"""Who comes from outside is counted."""

import sqlalchemy as sa
from alembic import op

from server.core.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "outside_visits",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("last_user_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("day", "address", "refused", name=op.f("pk_outside_visits")),
    )
