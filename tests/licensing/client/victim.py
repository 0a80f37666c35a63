"""A server process that dies for real: by `kill -9` at a chosen step, or on a disk that is really full.

Runs in children of a fork server, so that each death costs a fork and not the start of a Python.
"""

import ctypes
import multiprocessing
import os
import resource
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.document.requests import DeactivationReason
from tests.licensing.client.stage import USAGE
from tests.licensing.client.vendor import SHOWN_CODE

P = ParamSpec("P")
R = TypeVar("R")

EXCHANGES: dict[str, Callable[[LicenseClient], object]] = {
    "activate": lambda client: client.activate(SHOWN_CODE),
    "check_in": lambda client: client.check_in(USAGE),
    "deactivate": lambda client: client.deactivate(DeactivationReason.REFUND, USAGE),
    "tick": lambda client: client.tick(3),
}
_NEW_MOUNTS = 0x00020000
_NEW_USER = 0x10000000

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Life:
    """What a process is to do, and at which of its steps it dies; None lets it live."""

    config: ClientConfig
    exchange: str
    wall: int
    run: float
    dies_at: int | None = None
    is_disk_full: bool = False


def live(life: Life) -> int | None:
    """Run it in a process of its own and return how that ended: 0, or -9 for a kill."""
    process = _processes.Process(target=_live, args=(life,))
    process.start()
    process.join()
    return process.exitcode


def _live(life: Life) -> None:
    if life.is_disk_full:
        _fill_the_disk(life.config.directory)
    client = LicenseClient(life.config, Clocks(lambda: life.wall, lambda: life.run))
    if life.dies_at is not None:
        _die_at(life.dies_at)
    outcome = EXCHANGES[life.exchange](client)
    if life.is_disk_full:
        (life.config.directory.parent / "outcome").write_text(repr(outcome), "utf8")


def _die_at(step: int) -> None:
    """Kill this process right before its n-th visit to the disk or the network."""
    left = [step]

    def counted(act: Callable[P, R]) -> Callable[P, R]:
        def wrapped(*args: P.args, **named: P.kwargs) -> R:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*args, **named)

        return wrapped

    os.fsync = counted(os.fsync)
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]  # a step like the others
    socket.socket.sendall = counted(socket.socket.sendall)  # type: ignore[method-assign]
    socket.socket.recv_into = counted(socket.socket.recv_into)  # type: ignore[method-assign]


def _fill_the_disk(folder: Path) -> None:
    """Leave no byte free below `folder`: on a small file system, or by the limit where none can be mounted."""
    kept = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    libc = ctypes.CDLL(None, use_errno=True)
    is_private = libc.unshare(_NEW_MOUNTS) == 0 or libc.unshare(_NEW_USER | _NEW_MOUNTS) == 0
    target = os.fsencode(folder)
    # Private first, or the mount would be seen by everybody else on a shared tree.
    if is_private and libc.mount(b"none", b"/", None, 1 << 18 | 1 << 14, None) == 0:
        size = b"size=%dk" % (4 * len(kept) + sum(map(len, kept.values())) // 1024 + 8)
        if libc.mount(b"tmpfs", target, b"tmpfs", 0, size) == 0:
            for name, raw in kept.items():
                (folder / name).write_bytes(raw)
            _fill(folder / "ballast")
            return
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, resource.RLIM_INFINITY))


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return
