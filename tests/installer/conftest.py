"""A server before and after an installation for one user."""

import shutil
from pathlib import Path

import pytest

from tests.installer.place import Place


@pytest.fixture
def place(tmp_path: Path, port: int) -> Place:
    """Give a server with answers, on which nothing is installed yet."""
    return Place(tmp_path, port).prepare()


@pytest.fixture(scope="session")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with an installation, to be copied."""
    place = Place(tmp_path_factory.mktemp("installed"), 8999).prepare()
    result = place.install()
    assert result.exit_code == 0, result.output
    return place.folder


@pytest.fixture
def installed(installed_once: Path, tmp_path: Path, port: int) -> Place:
    """Give an installation of this test's own."""
    shutil.copytree(installed_once, tmp_path, dirs_exist_ok=True)
    place = Place(tmp_path, port)
    file = place.home / "daftar.toml"
    file.write_text(file.read_text().replace("port = 8999", f"port = {port}"))
    return place
