"""The migrations make what the code expects, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, text

from licensing.authority.db.tables import metadata as authority_tables
from licensing.authority.migrations.run import CHAIN as AUTHORITY
from server.core.db import make_engine
from server.core.migration import Chain
from server.migrations.run import CHAIN as SERVER
from server.tables import metadata as server_tables
from tests.support.postgres import Cluster
from tools.migration import is_ours

HOUSES = {"server": (SERVER, server_tables), "authority": (AUTHORITY, authority_tables)}
# Neither database tells Alembic of an index over an expression.
UNSEEN = "ignore:autogenerate skipping metadata-specified expression-based index"
UNREAD = "ignore:Skipped unsupported reflection of expression-based index"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_urls(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_cluster: Cluster
) -> Iterator[list[str]]:
    """Give the addresses of two empty databases of the same kind."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path}/{number}.sqlite3" for number in range(2)]
        return
    names = [postgres_cluster.create_database() for _number in range(2)]
    yield [postgres_cluster.url(name) for name in names]
    for name in names:
        postgres_cluster.drop_database(name)


def built(engine: Engine, tables: MetaData) -> dict[str, object]:
    """Return what stands in the database: checks and indexes of every table, by name."""
    found = inspect(engine)
    return {
        table: (
            sorted(str(check["name"]) for check in found.get_check_constraints(table)),
            sorted(
                (str(index["name"]), bool(index["unique"]))
                for index in found.get_indexes(table)
                if is_ours(index, index["name"], "index", False, None)
            ),
        )
        for table in tables.tables
    }


@pytest.mark.filterwarnings(UNSEEN, UNREAD)
@pytest.mark.parametrize("house", HOUSES)
def test_migrations_and_code_agree(house: str, empty_urls: list[str]) -> None:
    chain, tables = HOUSES[house]
    chain.upgrade(empty_urls[0])
    migrated, made = (make_engine(url) for url in empty_urls)
    tables.create_all(made)

    with migrated.connect() as connection:
        options = {"compare_type": True, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, tables)
    same = built(migrated, tables) == built(made, tables)
    for engine in (migrated, made):
        engine.dispose()

    assert differences == []
    assert same


@pytest.mark.parametrize("house", HOUSES)
def test_migrating_again_changes_nothing(house: str, empty_urls: list[str]) -> None:
    chain: Chain = HOUSES[house][0]
    chain.upgrade(empty_urls[0])
    chain.upgrade(empty_urls[0])

    assert chain.current(empty_urls[0]) == chain.head()


def test_a_deal_is_found_by_the_index_of_its_closing_date(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with engine.connect() as connection:
        names = connection.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'index'")
        ).all()
    engine.dispose()

    assert "ix_deals_closing" in names
