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
from hypothesis import settings as hypothesis_settings

from tests.support.mail import MailServer, running_mail_server
from tests.support.ports import free_port
from tests.support.postgres import Cluster, start_cluster

if TYPE_CHECKING:  # pure rooms are tested without loading database and browser
    from playwright.sync_api import Browser as Chromium

    from server.core.db import Database
    from tests.support.browser import Browser


# How long an example takes says nothing here: the machine may be busy with other things.
hypothesis_settings.register_profile("daftar", deadline=None)
hypothesis_settings.load_profile("daftar")


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
    from server.migrations.run import upgrade

    upgrade(url)


@pytest.fixture
def port() -> int:
    """Give a TCP port of the loopback that is free."""
    return free_port()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """Give a running mail server that keeps what it gets."""
    with running_mail_server() as server:
        yield server


# One browser per test file, not per session: while Playwright runs, nothing else in this thread
# may use asyncio, and some libraries do.
@pytest.fixture(scope="module")
def chromium() -> "Iterator[Chromium]":
    """Give a running Chromium to this test file."""
    from tests.support.browser import running_chromium

    with running_chromium() as program:
        yield program


@pytest.fixture
def browser(chromium: "Chromium") -> "Iterator[Browser]":
    """Give a browser that opens pages: `browser.open(base_url=…, locale="fa")`."""
    from tests.support.browser import Browser

    opened = Browser(chromium)
    yield opened
    opened.close_pages()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Hash passwords cheaply in this process; the real cost is 64 MiB a password."""
    from server.core.passwords import set_cost

    set_cost(memory_kib=64, rounds=1)
