"""The first shape of the CRM."""

from alembic import op

from server.core.search_index import create_search_index
from server.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table and the search indexes."""
    connection = op.get_bind()
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        if "search_text" in table.columns:
            create_search_index(connection, table.name)
