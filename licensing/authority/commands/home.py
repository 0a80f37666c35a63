"""The home that a command of the vendor works on."""

import getpass
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from licensing.authority.config import Settings, load_settings
from licensing.authority.db.opening import open_database
from licensing.authority.keys.store import Keys, open_keys
from licensing.authority.migrations.run import CHAIN
from server.core.command_line import home_of
from server.core.db import Database
from server.core.log import start_log

HOME_VARIABLE = "DAFTAR_AUTHORITY_HOME"


@dataclass(frozen=True)
class Opened:
    """An authority that was initialised, its database up to date."""

    settings: Settings
    database: Database
    operator: str

    def keys(self) -> Keys:
        """Return the signing keys, or raise Missing when the passphrase is not known."""
        return open_keys(self.settings)


def home_settings() -> Settings:
    """Return the settings of the home that the running command names."""
    settings = load_settings(home_of(HOME_VARIABLE))
    start_log(settings.log.level)
    return settings


@contextmanager
def open_home() -> Iterator[Opened]:
    """Open the home that the running command names."""
    settings = home_settings()
    bring_up_to_date(settings)
    database = open_database(settings)
    try:
        yield Opened(settings, database, operator())
    finally:
        database.dispose()


def bring_up_to_date(settings: Settings) -> None:
    """Migrate the database if this release knows a newer shape of it."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if CHAIN.current(settings.database_url) != CHAIN.head():
        CHAIN.upgrade(settings.database_url)


def operator() -> str:
    """Return who is working, for the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
