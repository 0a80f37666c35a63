"""The rooms of deals and pipelines, over SQLite: both databases are proved below, in tests/server/deals."""

import pytest

from server.core.db import Database
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, standard_pipeline


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give one kind of database."""
    return sqlite_database


@pytest.fixture
def selling(database: Database, cast: Cast) -> Selling:
    """Give the standard pipeline, in English."""
    return standard_pipeline(database)
