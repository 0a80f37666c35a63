"""Keys of backups are proved again and again."""

import sqlalchemy as sa
from alembic import op

from server.core.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    with op.batch_alter_table("backup_place") as table:
        table.add_column(sa.Column("keys_due_at", UtcDateTime(), nullable=True))
