"""The vendor's house of people on each database, empty."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from licensing.authority.migrations.run import CHAIN
from licensing.authority.staff.rules import Role
from licensing.authority.staff.sealing import Sealing
from licensing.authority.staff.service import StaffDraft, add_member
from server.core.db import Database
from tests.support.postgres import Cluster

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def authority_template(postgres_cluster: Cluster) -> str:
    """Give the name of a PostgreSQL database of an authority with no rows."""
    name = postgres_cluster.create_database()
    CHAIN.upgrade(postgres_cluster.url(name))
    return name


@pytest.fixture(scope="session")
def authority_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file of an authority with no rows."""
    path = tmp_path_factory.mktemp("authority-template") / "authority.sqlite3"
    CHAIN.upgrade(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the one file is the database
    connection.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an authority's database, once of each kind."""
    if request.param == "sqlite":
        name: str | None = None
        url = f"sqlite:///{tmp_path}/authority.sqlite3"
        shutil.copyfile(request.getfixturevalue("authority_file"), tmp_path / "authority.sqlite3")
    else:
        postgres_cluster: Cluster = request.getfixturevalue("postgres_cluster")
        name = postgres_cluster.create_database(request.getfixturevalue("authority_template"))
        url = postgres_cluster.url(name)
    database = Database(url)
    yield database
    database.dispose()
    if name is not None:
        postgres_cluster.drop_database(name)


@pytest.fixture
def sealing() -> Sealing:
    return Sealing(b"k" * 32)


def add(house: Database, name: str, role: Role = Role.OWNER) -> int:
    """Let somebody of the cast on the staff and return their id."""
    with house.write() as session:
        draft = StaffDraft(f"{name.lower()}@example.com", name, role, "en", PASSWORD)
        return add_member(session, "Root", draft).id
