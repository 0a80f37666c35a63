"""A whole installation in the browser, whose backups are real."""

from pathlib import Path

import pytest

from server.app import create_app
from server.backups.worker import Worker
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from server.http.app import DaftarFlask
from tests.server.backups.home import Home, build
from tests.server.conftest import Cast


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give the database; what differs between the two is proved in the slice."""
    return sqlite_database


@pytest.fixture
def home(tmp_path: Path, database: Database) -> Home:
    """Give an installation that was never backed up."""
    return build(tmp_path, database)


@pytest.fixture
def cast(home: Home) -> Cast:
    """Give the people of the installation."""
    return home.cast


@pytest.fixture
def app(home: Home, board: EntitlementsBoard) -> DaftarFlask:
    """Give the whole application."""
    made = create_app(home.settings, home.database, board)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def worker(home: Home) -> Worker:
    """Give the scheduler's worker, which works off the queue when it is told."""
    return Worker(home.office, home.database)
