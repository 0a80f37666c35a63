"""Which serial of its licence each server was told of."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column(
        "activations", sa.Column("told_serial", sa.Integer(), server_default="0", nullable=False)
    )
    op.execute(
        "UPDATE activations SET told_serial = COALESCE((SELECT heads.license_serial FROM heads"
        " WHERE heads.activation_row_id = activations.id"
        " AND heads.nonce = activations.head_nonce), 0)"
    )
