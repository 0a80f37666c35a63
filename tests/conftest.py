"""Fixtures of every room: real databases, a real browser, a real mail server.

`database` runs a test twice, on SQLite and on PostgreSQL; `sqlite_database` and
`postgres_database` run it on one of them. Each test gets a migrated database of its own.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.ports import free_port
from tests.support.postgres import Cluster, start_cluster

if TYPE_CHECKING:  # pure rooms are tested without loading the database
    from server.core.db import Database


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """Give a running PostgreSQL server to this worker."""
    cluster = start_cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Cluster) -> str:
    """Give the name of a PostgreSQL database with every migration and no rows."""
    name = postgres_cluster.create_database()
    _migrate(postgres_cluster.url(name))
    return name


@pytest.fixture
def postgres_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    """Give the URL of a fresh migrated PostgreSQL database."""
    name = postgres_cluster.create_database(postgres_template)
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture
def empty_postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """Give the URL of a PostgreSQL database in which nobody has made a table."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file with every migration and no rows."""
    path = tmp_path_factory.mktemp("sqlite-template") / "daftar.sqlite3"
    _migrate(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the one file is the database
    connection.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of a fresh migrated SQLite file."""
    path = tmp_path / "daftar.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a fresh migrated database, once of each kind."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator["Database"]:
    """Give a fresh migrated SQLite database."""
    yield from _opened(sqlite_url)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator["Database"]:
    """Give a fresh migrated PostgreSQL database."""
    yield from _opened(postgres_url)


@pytest.fixture
def database(database_url: str) -> Iterator["Database"]:
    """Give a fresh migrated database, once of each kind."""
    yield from _opened(database_url)


def _opened(url: str) -> Iterator["Database"]:
    from server.core.db import Database

    opened = Database(url)
    yield opened
    opened.dispose()


def _migrate(url: str) -> None:
    try:
        from server.migrations.run import upgrade
    except ModuleNotFoundError:
        # Until the migrations are written: the tables that the collected tests know.
        from server.core.db import Base, Database

        fresh = Database(url)
        Base.metadata.create_all(fresh.engine)
        fresh.dispose()
    else:
        upgrade(url)


@pytest.fixture
def port() -> int:
    """Give a TCP port of the loopback that is free."""
    return free_port()
