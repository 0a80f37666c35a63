"""Whether the authority can do its work, part by part: the database, the keys, the disk."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from licensing.authority.keys.store import Keys
from licensing.authority.migrations.run import CHAIN
from server.core import clock
from server.core.db import Database
from server.core.errors import DaftarError
from server.core.i18n import gettext as _

LEAST_FREE = 64 * 1024 * 1024
_REVISION = text("SELECT version_num FROM alembic_version")


@dataclass(frozen=True)
class Health:
    """What is wrong with each part; None for one that is well."""

    parts: Mapping[str, str | None]

    @property
    def failing(self) -> dict[str, str]:
        """Return the parts that fail, with a sentence each."""
        return {name: why for name, why in self.parts.items() if why is not None}


def examine(home: Path, database: Database, keys: Keys) -> Health:
    """Look at every part now."""
    looks: Mapping[str, Callable[[], str | None]] = {
        "database": lambda: _database(database),
        "keys": lambda: _keys(keys),
        "disk": lambda: _disk(home),
    }
    return Health({name: look() for name, look in looks.items()})


def _database(database: Database) -> str | None:
    try:
        with database.read() as session:
            revision = session.scalar(_REVISION)
    except SQLAlchemyError:
        return _("The database does not answer.")
    if revision != _needed():
        return _(
            "The database has the shape %(found)s, this program needs %(needed)s. "
            "Restart every program of this authority with the same release.",
            found=revision,
            needed=_needed(),
        )
    return None


@cache
def _needed() -> str:
    # Reading all the steps takes ten times as long as the rest, and anybody may ask.
    return CHAIN.head()


def _keys(keys: Keys) -> str | None:
    try:
        keys.check(clock.timestamp())
    except DaftarError as error:
        return error.message
    return None


def _disk(home: Path) -> str | None:
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE:
        return _(
            "Only %(free)s MB are free on the disk of %(home)s. Make room.",
            free=free // 1_000_000,
            home=home,
        )
    return None
