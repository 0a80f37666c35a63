"""One kind of database for these pages: both are proved below them, in tests/server."""

import pytest

from server.core.db import Database


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a fresh SQLite database."""
    return sqlite_database
