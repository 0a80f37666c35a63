"""The browser's door of an installation that has a vendor."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.activation.service import LicenseOffice
from server.app import create_app
from server.core.config import Organization, Security, Settings
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from server.http.app import DaftarFlask
from tests.server.conftest import Cast
from tests.support.licensed import Stage, licensed_stage


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the pages show does not depend on its kind."""
    return sqlite_database


@pytest.fixture
def board() -> EntitlementsBoard:
    """Give the verdict of a server that is not activated yet."""
    return EntitlementsBoard()


@pytest.fixture
def stage(
    tmp_path: Path, database: Database, board: EntitlementsBoard, cast: Cast
) -> Iterator[Stage]:
    """Give the installation and its vendor."""
    secrets = tmp_path / "home" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "web.key").write_bytes(b"k" * 32)
    settings = Settings(
        home=tmp_path / "home",
        organization=Organization(name="Pars", locale="en", timezone="UTC"),
        security=Security(argon2_memory_kib=1024, argon2_rounds=1),
    )
    with licensed_stage(settings, database) as found:
        found.board = board
        yield found


@pytest.fixture
def office(stage: Stage) -> LicenseOffice:
    """Give the licence office that the pages ask."""
    return stage.open_office()


@pytest.fixture
def app(stage: Stage, office: LicenseOffice) -> DaftarFlask:
    """Give the whole application with its licence office."""
    made = create_app(stage.settings, stage.database, stage.board, office)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made
