"""Opening the vendor's database: whom it waits for, and what it must never lose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from licensing.authority.config import Settings
from server.core.db import Database

# As long as SQLite waits for another writer.
_LOCK_TIMEOUT = "SET lock_timeout = '10s'"
_SURE, _QUICK = "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"


def open_database(settings: Settings) -> Database:
    """Return the database; nobody waits for ever for a row that another request holds."""
    database = Database(settings.database_url)
    on_connect = _bound_waiting if database.dialect == "postgresql" else _make_sure
    event.listen(database.engine, "connect", on_connect)
    return database


def _bound_waiting(connection: Any, _record: object) -> None:
    was_automatic = connection.autocommit
    connection.autocommit = True
    connection.execute(_LOCK_TIMEOUT)
    connection.autocommit = was_automatic


def _make_sure(connection: Any, _record: object) -> None:
    # As on PostgreSQL: an answer that went out is not forgotten, even when the power is cut.
    connection.execute(_SURE)


@contextmanager
def fleeting(database: Database, *, alone: bool) -> Iterator[Connection]:
    """Open a transaction whose changes a power cut may take back; `alone`: it is one statement."""
    if database.dialect == "postgresql":  # by the kind of table, models.py
        engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with (engine if alone else database.engine).begin() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(_QUICK)
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute(_SURE)
