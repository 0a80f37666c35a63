"""A running installation that has a vendor."""

from collections.abc import Iterator

import pytest

from server.activation.service import LicenseOffice
from server.core.config import Settings
from server.core.db import Database
from tests.server.conftest import Cast
from tests.support.licensed import Stage, licensed_stage


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; `test_life.py` shows that the office needs nothing of its kind."""
    return sqlite_database


@pytest.fixture
def stage(settings: Settings, database: Database, cast: Cast) -> Iterator[Stage]:
    """Give an installation and its vendor."""
    with licensed_stage(settings, database) as found:
        yield found


@pytest.fixture
def office(stage: Stage) -> LicenseOffice:
    """Give the licence office of the installation, not activated yet."""
    return stage.open_office()
