"""Bringing a database to the newest shape by one chain for SQLite and PostgreSQL.

It knows no table: whoever owns a database owns a folder with its chain.
"""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from server.core.db import make_engine
from server.core.errors import Broken
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Chain:
    """The migrations in one folder."""

    folder: Path

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.folder))
        return config

    def has_steps(self) -> bool:
        """Tell whether there is a migration yet."""
        return ScriptDirectory.from_config(self._config()).get_current_head() is not None

    def head(self) -> str:
        """Return the newest revision that this release knows."""
        return str(ScriptDirectory.from_config(self._config()).get_current_head())

    def current(self, url: str) -> str | None:
        """Return the revision of the database, or None for an empty one."""
        engine = make_engine(url)
        try:
            with engine.connect() as connection:
                return MigrationContext.configure(connection).get_current_revision()
        finally:
            engine.dispose()

    def upgrade(self, url: str, revision: str = "head") -> None:
        """Apply what is missing, in one transaction.

        Raise Broken when a foreign key then leads nowhere.
        """
        engine = make_engine(url)
        config = self._config()
        try:
            with engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    # Rebuilding a table with foreign keys on would delete its children by cascade.
                    connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
                with connection.begin():
                    config.attributes["connection"] = connection
                    command.upgrade(config, revision)
                    if connection.dialect.name == "sqlite":
                        lost = connection.execute(text("PRAGMA foreign_key_check")).all()
                        if lost:
                            raise Broken(
                                _("%(n)s rows point to records that do not exist.", n=len(lost))
                            )
        finally:
            engine.dispose()
