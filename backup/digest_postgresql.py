"""Row counts and content checksums of the tables of a PostgreSQL database.

`postgresql-rows-1`: the server hashes every row's text form with SHA-256; the hash is read as four
signed 64-bit numbers that are summed over the table, and the digest is the SHA-256 of
`rows:sum:sum:sum:sum`. The sums do not depend on the order in which a restore wrote the rows.
"""

import hashlib

import psycopg
from psycopg import sql

from backup.digest import TableDigest, Tell, quiet

POSTGRESQL = "postgresql-rows-1"


def postgresql_tables(
    connection: psycopg.Connection, tell: Tell = quiet
) -> tuple[TableDigest, ...]:
    """Count and digest every table of a PostgreSQL database, inside the caller's transaction."""
    for setting in (
        "timezone = 'UTC'",
        "datestyle = 'ISO, YMD'",
        "intervalstyle = 'postgres'",
        "extra_float_digits = 3",
        "bytea_output = 'hex'",
        "lc_monetary = 'C'",
        "search_path = pg_catalog",
        "row_security = off",
    ):
        connection.execute(sql.SQL("SET LOCAL ") + sql.SQL(setting))
    names = postgresql_names(connection)
    found = []
    for done, (schema, name) in enumerate(names):
        tell(done, len(names))
        found.append(_postgresql_digest(connection, schema, name))
    tell(len(names), len(names))
    return tuple(found)


def postgresql_names(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Return schema and name of every table that is ours, not the system's or an extension's."""
    return [(str(schema), str(name)) for schema, name in connection.execute(_TABLES)]


_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
    AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""

_DIGEST = """
SELECT count(*), coalesce(sum(('x' || substr(h, 1, 16))::bit(64)::bigint), 0),
    coalesce(sum(('x' || substr(h, 17, 16))::bit(64)::bigint), 0),
    coalesce(sum(('x' || substr(h, 33, 16))::bit(64)::bigint), 0),
    coalesce(sum(('x' || substr(h, 49, 16))::bit(64)::bigint), 0)
FROM (SELECT encode(sha256(convert_to(daftar_row::text, 'UTF8')), 'hex') AS h
    FROM ONLY {} AS daftar_row) AS hashed
"""


def _postgresql_digest(connection: psycopg.Connection, schema: str, name: str) -> TableDigest:
    statement = sql.SQL(_DIGEST).format(sql.Identifier(schema, name))
    row = connection.execute(statement).fetchone()
    if row is None:
        raise AssertionError("count(*) always returns a row")
    count, *sums = row
    text = ":".join(str(number) for number in (count, *sums))
    shown = name if schema == "public" else f"{schema}.{name}"
    return TableDigest(shown, count, hashlib.sha256(text.encode()).hexdigest())
