"""A real PostgreSQL server for tests: one cluster per worker, socket only, thrown away at the end.

Nothing is skipped when the programs are missing: half of our customers run on PostgreSQL, so a
suite that passed without it would tell a lie.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

DEBIAN_VERSIONS = Path("/usr/lib/postgresql")
SOCKET_PATH_MAX = 100  # the kernel takes 107 bytes, the server adds a lock file's suffix
START_SECONDS = 60
SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=32MB",
    "log_timezone=UTC",
    "timezone=UTC",
)
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")  # the last word counts


class NoPostgres(Exception):
    """PostgreSQL is not on this machine, or would not start."""


def server_programs() -> Path:
    """Return the folder with `initdb` and `postgres`, newest version first."""
    named = os.environ.get("DAFTAR_TEST_POSTGRES_BIN")
    places = [Path(named)] if named else []
    if DEBIAN_VERSIONS.is_dir():
        found = (place for place in DEBIAN_VERSIONS.iterdir() if place.name.isdigit())
        places += [place / "bin" for place in sorted(found, key=lambda place: -int(place.name))]
    on_path = shutil.which("initdb")
    places += [Path(on_path).parent] if on_path else []
    for place in places:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    raise NoPostgres(
        "The tests need the programs of a PostgreSQL server 15 or newer and found none. "
        "Run 'make setup-test' as root, or install the package 'postgresql', "
        "or name their folder in DAFTAR_TEST_POSTGRES_BIN."
    )


def unprivileged_user() -> str | None:
    """Return whom the server must run as: nobody else when we are an ordinary user already."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NoPostgres("PostgreSQL refuses to run as root, and there is no user 'postgres'.")


def _new_folder(user: str | None) -> Path:
    """Make the cluster's folder where the server's user can reach it and sockets fit."""
    parent = Path(tempfile.gettempdir())
    sample = parent / "daftar-pg-12345678" / ".s.PGSQL.5432"
    if user is not None or len(str(sample)) > SOCKET_PATH_MAX:
        parent = Path("/tmp")  # noqa: S108  # a fresh mkdtemp folder; TMPDIR may be closed to the user
    folder = Path(tempfile.mkdtemp(prefix="daftar-pg-", dir=parent))
    if user is not None:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


@dataclass
class Cluster:
    """A running server. Its databases are reached through a socket in its own folder."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database of this cluster."""
        return f"postgresql+psycopg://daftar@/{name}?host={self.folder}"

    def create_database(self, template: str = "template0") -> str:
        """Make a database as a copy of the template and return its name."""
        name = f"test_{next(self._numbers)}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, closing what is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop the server at once and remove its folder."""
        self.process.send_signal(signal.SIGINT)  # does not wait for clients that stay
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_it_answers(self) -> None:
        """Return when the server takes connections; raise NoPostgres with its log when it ends."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._execute(sql.SQL("SELECT 1"))
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text(encoding="utf8", errors="replace")
                    raise NoPostgres(f"PostgreSQL did not start:\n{log}") from error
                time.sleep(0.05)
            else:
                return

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(
            host=str(self.folder), user="daftar", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


def start_cluster(*, durable: bool = False) -> Cluster:
    """Create a cluster and start its server; it ends with this process, even a killed one.

    `durable` waits for the disk as a server in use does, which only a benchmark needs.
    """
    programs, user = server_programs(), unprivileged_user()
    folder = _new_folder(user)
    _initialise(programs, folder, user)
    cluster = Cluster(folder, _serve(programs, folder, user, DURABLE if durable else ()))
    try:
        cluster.wait_until_it_answers()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _initialise(programs: Path, folder: Path, user: str | None) -> None:
    options = ["--username=daftar", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    made = subprocess.run(
        [programs / "initdb", "-D", folder / "data", "--no-sync", *options],
        user=user,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgres(f"initdb failed:\n{made.stdout}{made.stderr}")


def _serve(
    programs: Path, folder: Path, user: str | None, more: Sequence[str]
) -> "subprocess.Popen[bytes]":
    settings = [part for setting in (*SETTINGS, *more) for part in ("-c", setting)]
    ends_with_us = ["/usr/bin/setpriv", "--pdeathsig", "QUIT"]
    server = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*ends_with_us, *server, *settings], user=user, cwd=folder, stdout=log, stderr=log
        )
