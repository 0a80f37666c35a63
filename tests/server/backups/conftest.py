"""A whole installation to back up, once on each database."""

from pathlib import Path

import pytest

from server.core.db import Database
from tests.server.backups.home import Home, build


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Home:
    """Give an installation that was never backed up."""
    return build(tmp_path, database)


@pytest.fixture
def sqlite_home(tmp_path: Path, sqlite_database: Database) -> Home:
    """Give an installation on SQLite that was never backed up."""
    return build(tmp_path, sqlite_database)
