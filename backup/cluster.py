"""A scratch PostgreSQL for the drill: a database on a given server, or a server of its own.

The own server listens on a Unix socket in a private folder only, and never syncs to disk.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup import postgresql, snapshot
from backup.disk import naming_the_cause
from server.core.errors import Missing
from server.core.i18n import gettext as _

POINTER = "cluster"  # names the folder of a server that a killed drill left running
PREFIX = "daftar-drill-"
PLACE = Path("/var/tmp")  # noqa: S108 - a fresh private folder is made there
OWNER = "daftar"
OLDEST = 15  # the version from which on drills start a server of their own


def scratch_server(url: str) -> str | None:
    """Return the live server for the drill's own database where no server can be started here."""
    if snapshot.is_sqlite(url):
        return None
    try:
        postgresql.find_tool("initdb", OLDEST)
    except Missing:
        return url
    return None


@contextmanager
def scratch_database(workspace: Path, server_url: str | None, major: int) -> Iterator[str]:
    """Give the URL of an empty database that is gone after the block."""
    if server_url is None:
        with _own_server(workspace, major) as url:
            yield url
        return
    name = f"daftar_drill_{secrets.token_hex(6)}"
    url = postgresql.create_database(server_url, name)
    try:
        yield url
    finally:
        postgresql.drop_database(server_url, name)


@contextmanager
def _own_server(workspace: Path, major: int) -> Iterator[str]:
    user = _unprivileged()
    with naming_the_cause(workspace):
        # A server refuses to run as root, and its user must reach the folder; a socket's path
        # must be short. So the folder does not stand in the workspace, which may be deep.
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PLACE))
        (workspace / POINTER).write_text(str(folder))
        if user is not None:
            shutil.chown(folder, user)
    try:
        _start(folder, user, major)
        yield f"postgresql+psycopg://{OWNER}@/postgres?host={folder}"
    finally:
        _stop(folder, user, major)


def _unprivileged() -> str | None:
    """Return the user that the server runs as, None for our own."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _run(command: list[str], user: str | None, folder: Path) -> str | None:
    """Run a program of the server; return what it said when it failed."""
    log = folder / "command.log"  # a pipe would be held open by the server that pg_ctl leaves
    with log.open("wb") as said:
        done = subprocess.run(  # noqa: S603 - our own line, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            cwd=folder,
            check=False,
        )
    return None if done.returncode == 0 else log.read_text(errors="replace")


def _start(folder: Path, user: str | None, major: int) -> None:
    data = folder / "data"
    initdb = postgresql.find_tool("initdb", major)
    base = [initdb, f"--pgdata={data}", f"--username={OWNER}", "--auth=trust", "--no-sync"]
    failure = _run([*base, "--encoding=UTF8", "--locale=C.UTF-8"], user, folder)
    if failure is not None:  # a system without that locale
        failure = _run([*base, "--encoding=UTF8", "--no-locale"], user, folder)
    if failure is None:
        options = (
            f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
            " -c full_page_writes=off -c synchronous_commit=off -c max_connections=20"
            " -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0"
        )
        ctl = postgresql.find_tool("pg_ctl", major)
        log = folder / "server.log"
        start = [ctl, "start", "-w", f"--pgdata={data}", f"--log={log}", f"--options={options}"]
        failure = _run(start, user, folder)
    if failure is not None:
        raise Missing(
            _(
                "No scratch PostgreSQL could be started for the drill: %(reason)s."
                " Install the PostgreSQL server package or name a scratch server.",
                reason=failure.strip().splitlines()[-1] if failure.strip() else "?",
            ),
            code="no_scratch_server",
        )


def _stop(folder: Path, user: str | None, major: int) -> None:
    if (folder / "data" / "postmaster.pid").exists():
        ctl = postgresql.find_tool("pg_ctl", major)
        _run([ctl, "stop", "-m", "immediate", f"--pgdata={folder / 'data'}"], user, folder)
    shutil.rmtree(folder, ignore_errors=True)


def stop_abandoned(workspace: Path) -> None:
    """Stop and remove the server of a drill that was killed, before its workspace is wiped."""
    pointer = workspace / POINTER
    if not pointer.is_file():
        return
    folder = Path(pointer.read_text())
    if folder.name.startswith(PREFIX) and (folder / "data").is_dir():
        _stop(folder, _unprivileged(), _major(folder))


def _major(folder: Path) -> int:
    try:
        return int((folder / "data" / "PG_VERSION").read_text())
    except (OSError, ValueError):
        return 0
