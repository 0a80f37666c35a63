"""The house that the tests of backups save."""

from pathlib import Path

import pytest

from tests.backup.house import House, build, fill_postgresql


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give an installation with data that was never backed up."""
    return build(tmp_path)


@pytest.fixture
def postgres_house(tmp_path: Path, empty_postgres_url: str) -> House:
    """Give an installation on PostgreSQL with data that was never backed up."""
    fill_postgresql(empty_postgres_url)
    return build(tmp_path).with_database(empty_postgres_url)
