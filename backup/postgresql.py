"""PostgreSQL through its own tools: pg_dump of one exported snapshot, pg_restore into a database."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from backup import digest_postgresql
from backup.digest import TableDigest
from backup.disk import Reader
from backup.plan import Progress, Stage
from backup.snapshot import Snapshot
from server.core import clock
from server.core.errors import Broken, DaftarError, Missing, Unreachable
from server.core.i18n import gettext as _

VERSIONS = Path("/usr/lib/postgresql")
LOCK_WAIT = 60_000  # milliseconds; a migration that holds a table must not hang the night


def conninfo(url: str, *, password: bool = True) -> str:
    """Return the libpq form of a database URL, with or without its password."""
    parts = make_url(url)
    values = {
        "host": parts.host,
        "port": parts.port,
        "user": parts.username,
        "dbname": parts.database,
        "password": parts.password if password else None,
        **{key: value for key, value in parts.query.items() if isinstance(value, str)},
    }
    return make_conninfo("", **{key: value for key, value in values.items() if value is not None})


def database_name(url: str) -> str:
    """Return the name of the database in a URL."""
    return make_url(url).database or ""


def with_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def connect(url: str) -> psycopg.Connection:
    """Open a connection in autocommit; raise Unreachable when the server does not answer."""
    try:
        return psycopg.connect(conninfo(url), autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise Unreachable(
            _("PostgreSQL does not answer: %(reason)s.", reason=str(error).strip()),
            code="database_unreachable",
        ) from error


def find_tool(name: str, major: int) -> str:
    """Return the path of a PostgreSQL program of this major version, or of the next newer one."""
    candidates = {_major_of(folder): folder / "bin" / name for folder in VERSIONS.glob("*")}
    in_path = shutil.which(name)
    if in_path is not None:
        candidates.setdefault(_version_of(in_path), Path(in_path))
    for version in sorted(candidates):
        if version >= major and candidates[version].is_file():
            return str(candidates[version])
    raise Missing(
        _(
            "%(name)s for PostgreSQL %(major)s is missing. Install postgresql-client-%(major)s.",
            name=name,
            major=major,
        ),
        code="no_postgresql_client",
    )


def _major_of(folder: Path) -> int:
    return int(folder.name) if folder.name.isdigit() else 0


def _version_of(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - a program from PATH
    found = re.search(r"(\d+)", said.stdout)
    return int(found[1]) if found else 0


def environment(url: str) -> dict[str, str]:
    """Return the environment for a PostgreSQL program; the password never stands on its line."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    password = make_url(url).password
    return {**kept, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}


@contextmanager
def snapshot(url: str, workspace: Path, progress: Progress) -> Iterator[Snapshot]:
    """Hold one exported snapshot: tables are counted and dumped as of the same moment."""
    with connect(url) as connection:
        major = connection.info.server_version // 10_000
        tool = find_tool("pg_dump", major)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        taken_at = clock.now()
        shared = _one_text(connection, "SELECT pg_export_snapshot()")
        size = int(_one_text(connection, "SELECT pg_database_size(current_database())::text"))
        progress(Stage.SNAPSHOT, 1, 1)
        tables = digest_postgresql.postgresql_tables(
            connection, lambda done, total: progress(Stage.COUNT, done, total)
        )
        yield Snapshot(
            engine="postgresql",
            engine_version=_one_text(connection, "SHOW server_version"),
            part="database.pgdump.zst.age",
            file="daftar.pgdump",
            taken_at=taken_at,
            algorithm=digest_postgresql.POSTGRESQL,
            tables=lambda: tables,
            bytes=size,
            open=lambda: _dump(tool, url, shared, workspace / "pg_dump.log"),
        )


def _one_text(connection: psycopg.Connection, statement: str) -> str:
    row = connection.execute(statement.encode()).fetchone()
    return "" if row is None else str(row[0])


class _Checked:
    """The output of a program that ends well only when the program does."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes], log: Path) -> None:
        self._process = process
        self._output = output
        self._log = log

    def read(self, size: int = -1, /) -> bytes:
        data = self._output.read(size)
        if not data and self._process.wait() != 0:
            raise tool_failure("pg_dump", self._log.read_text(errors="replace"))
        return data


@contextmanager
def _dump(tool: str, url: str, shared: str, log: Path) -> Iterator[Reader]:
    command = [
        tool,
        "--format=custom",
        "--compress=0",
        f"--snapshot={shared}",
        f"--lock-wait-timeout={LOCK_WAIT}",
        "--no-password",
        f"--dbname={conninfo(url, password=False)}",
    ]
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own line, no shell
            command, stdout=subprocess.PIPE, stderr=errors, env=environment(url)
        )
        if process.stdout is None:
            raise AssertionError("the output was asked for")
        try:
            yield _Checked(process, process.stdout, log)
        finally:
            process.stdout.close()
            if process.poll() is None:
                process.kill()
            process.wait()


def tool_failure(name: str, said: str) -> DaftarError:
    """Return our error for a PostgreSQL program that failed."""
    lines = [line for line in said.strip().splitlines() if line]
    if "No space left on device" in said:
        return Missing(
            _("The disk of PostgreSQL is full. Earlier backups are intact."), code="disk_full"
        )
    return Broken(
        _("%(name)s failed: %(reason)s.", name=name, reason=lines[-1] if lines else "?"),
        code="postgresql_tool_failed",
    )


def restore(dump: Path, url: str, major: int) -> None:
    """Restore a dump into an empty database; stop at the first error."""
    tool = find_tool("pg_restore", major)
    command = [
        tool,
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--jobs=2",
        f"--dbname={conninfo(url, password=False)}",
        str(dump),
    ]
    done = subprocess.run(  # noqa: S603 - our own line, no shell
        command, capture_output=True, text=True, errors="replace", env=environment(url), check=False
    )
    if done.returncode != 0:
        raise tool_failure("pg_restore", done.stderr)


def tables(url: str) -> tuple[TableDigest, ...]:
    """Count and digest every table of a database."""
    with connect(url) as connection, connection.transaction():
        return digest_postgresql.postgresql_tables(connection)


def is_empty(url: str) -> bool:
    """Return whether nobody has made a table in the database yet."""
    with connect(url) as connection, connection.transaction():
        return not digest_postgresql.postgresql_names(connection)


def server_major(url: str) -> int:
    """Return the major version of the server."""
    with connect(url) as connection:
        return connection.info.server_version // 10_000


def create_database(url: str, name: str) -> str:
    """Make an empty UTF-8 database on the server and return its URL."""
    try:
        with connect(url) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(name)
                )
            )
    except psycopg.Error as error:
        raise Missing(
            _(
                "The database %(name)s could not be made: %(reason)s."
                " Make an empty one as an administrator of PostgreSQL and name it.",
                name=name,
                reason=str(error).strip(),
            ),
            code="no_database_made",
        ) from error
    return with_database(url, name)


def exists(url: str, name: str) -> bool:
    """Return whether the server has a database of this name."""
    with connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        return found.fetchone() is not None


def drop_database(url: str, name: str) -> None:
    """Drop a database with whoever is connected to it."""
    with connect(url) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
