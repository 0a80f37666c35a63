"""When a head was given up, so that it need not be remembered for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column("heads", sa.Column("given_up_at", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_heads_given_up_at"), "heads", ["given_up_at"], unique=False)
