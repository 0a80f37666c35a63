"""Opening the vendor's database."""

from typing import Any

from sqlalchemy import event

from licensing.authority.config import Settings
from server.core.db import Database

# As long as SQLite waits for another writer.
_LOCK_TIMEOUT = "SET lock_timeout = '10s'"


def open_database(settings: Settings) -> Database:
    """Return the database; nobody waits for ever for a row that another request holds."""
    database = Database(settings.database_url)
    if database.dialect == "postgresql":
        event.listen(database.engine, "connect", _bound_waiting)
    return database


def _bound_waiting(connection: Any, _record: object) -> None:
    was_automatic = connection.autocommit
    connection.autocommit = True
    connection.execute(_LOCK_TIMEOUT)
    connection.autocommit = was_automatic
