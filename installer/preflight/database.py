"""Checks of the chosen database: is it there, new enough, and may we use it."""

import sqlite3

import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from installer.checks import Finding, failed, passed
from installer.preflight.plan import PreflightPlan
from server.core.i18n import gettext as _

LEAST_POSTGRESQL = 15
FACTS = """
    SELECT current_setting('server_version_num')::int / 10000,
           pg_encoding_to_char(encoding),
           has_database_privilege(current_database(), 'CREATE')
             AND has_schema_privilege('public', 'CREATE'),
           EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')
    FROM pg_database WHERE datname = current_database()
"""


def database(plan: PreflightPlan) -> Finding:
    """Check SQLite's abilities, or PostgreSQL's answer, version, encoding and privileges."""
    return _sqlite() if plan.sqlite else _postgresql(plan.database_url)


def _sqlite() -> Finding:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(word, tokenize = 'trigram')")
    except sqlite3.OperationalError as error:
        return failed(
            _(
                "SQLite %(version)s cannot search: %(why)s.",
                version=sqlite3.sqlite_version,
                why=error,
            ),
            "apt-get install --only-upgrade libsqlite3-0",
        )
    finally:
        connection.close()
    return passed(f"SQLite {sqlite3.sqlite_version}")


def _postgresql(url: str) -> Finding:
    try:
        address = make_url(url)
    except ArgumentError:
        return failed(
            _("The database address cannot be read."),
            '[database] url = "postgresql+psycopg://user@host/daftar"',
        )
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=5, autocommit=True) as connection:
            row = connection.execute(FACTS).fetchone()
    except psycopg.Error as error:
        why = str(error).strip().splitlines()
        return failed(
            _(
                "PostgreSQL at %(host)s does not let us in: %(why)s",
                host=address.host or "socket",
                why=why[-1] if why else type(error).__name__,
            ),
            f"psql '{address.set(drivername='postgresql').render_as_string(hide_password=True)}'",
        )
    if row is None:
        return failed(_("PostgreSQL does not know its own database."), "psql -l")
    version, encoding, may_create, trigrams = row
    return judge_postgresql(version, encoding, may_create=may_create, trigrams=trigrams)


def judge_postgresql(version: int, encoding: str, *, may_create: bool, trigrams: bool) -> Finding:
    """Judge what a PostgreSQL server says of itself."""
    if version < LEAST_POSTGRESQL:
        return failed(
            _("PostgreSQL %(version)s is too old.", version=version),
            _("Use PostgreSQL 15 or newer."),
        )
    if encoding != "UTF8":
        return failed(
            _("The database is encoded as %(encoding)s, Persian needs UTF8.", encoding=encoding),
            "createdb --encoding=UTF8 --template=template0 daftar",
        )
    if not may_create:
        return failed(
            _("This database user may not create tables."),
            "ALTER DATABASE daftar OWNER TO daftar; ALTER SCHEMA public OWNER TO daftar;",
        )
    if not trigrams:
        return failed(
            _("The extension pg_trgm is not installed, search needs it."),
            "apt-get install postgresql-contrib",
        )
    return passed(f"PostgreSQL {version}")
