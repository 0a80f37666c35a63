"""The house that the tests of backups save."""

from pathlib import Path

import pytest

from tests.backup.house import House, build


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Give an installation with data that was never backed up."""
    return build(tmp_path)
