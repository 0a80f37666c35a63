"""The demo's two programs: running their commands, and keeping their servers alive while it lasts."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from server.core.errors import Missing, Unreachable
from server.core.i18n import gettext as _

BIN = Path(sys.executable).parent
PATIENCE_S = 120.0
LOOK_S = 0.2
GRACE_S = 40.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """One of our commands with its home and what it needs to know."""

    name: str
    home: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """Carry out one command and return what it printed; raise Missing with its own words."""
        ended = subprocess.run(  # noqa: S603 - our own program
            self._line(arguments),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            said = "\n".join(part for part in (ended.stdout.strip(), ended.stderr.strip()) if part)
            raise Missing(
                _(
                    "“%(command)s” ended with code %(code)s:\n%(said)s",
                    command=f"{self.name} {arguments[0]}",
                    code=ended.returncode,
                    said=said,
                )
            )
        return ended.stdout

    def start(self, *arguments: str, log: Path) -> "subprocess.Popen[bytes]":
        """Start a server that ends when we do, however we end."""
        with log.open("ab") as stream:
            return subprocess.Popen(  # noqa: S603 - our own program
                self._line(arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def _line(self, arguments: Sequence[str]) -> list[str]:
        return [str(BIN / self.name), "--home", str(self.home), *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def _end_with_parent() -> None:
    # A killed demo must not leave servers behind that hold its ports.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def require_free(port: int, variable: str) -> None:
    """Raise Missing, naming the way out, when somebody already listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Missing(
                _(
                    "Port %(port)s cannot be used: %(why)s. Stop the program that uses it, "
                    "or choose another port: %(variable)s=%(other)s make demo",
                    port=port,
                    why=error.strerror or error,
                    variable=variable,
                    other=port + 1,
                )
            ) from error


def wait_until_well(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Return when the server answers; raise Unreachable when it ended or stays silent."""
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        if _is_well(port):
            return
        time.sleep(LOOK_S)
    raise Unreachable(
        _("The server on port %(port)s did not start; %(log)s says why.", port=port, log=log)
    )


def _is_well(port: int) -> bool:
    try:
        with requests.Session() as asking:
            asking.trust_env = False  # a proxy has no business between us and ourselves
            return asking.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def stop(*processes: "subprocess.Popen[bytes] | None") -> None:
    """Ask the servers to end, and make them end when they do not."""
    running = [each for each in processes if each is not None and each.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
