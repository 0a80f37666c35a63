"""Customers have a telephone and a language."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column("customers", sa.Column("phone", sa.String(), nullable=True))
    op.add_column(
        "customers", sa.Column("locale", sa.String(), server_default="fa", nullable=False)
    )
