"""Locks of the operating system, which die with their process, and scratch folders held by one."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backup.disk import naming_the_cause
from server.core.errors import Conflict

ALIVE = ".alive"


@contextmanager
def held(path: Path, *, refusal: str, shared: bool = False) -> Iterator[None]:
    """Hold the lock file during the block; raise Conflict with the refusal when another holds it."""
    with naming_the_cause(path.parent):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(refusal, code="backup_busy") from error
        yield
    finally:
        os.close(handle)


@contextmanager
def workspace(scratch: Path, purpose: str) -> Iterator[Path]:
    """Give a private folder that is wiped afterwards, by a later run when this one is killed."""
    with naming_the_cause(scratch):
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=scratch))
    with held(folder / ALIVE, refusal=""):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep_workspaces(scratch: Path, before_removal: Callable[[Path], None]) -> None:
    """Wipe the workspaces whose process is gone."""
    for folder in scratch.glob("*-*"):
        if not (folder / ALIVE).is_file():
            continue
        try:
            with held(folder / ALIVE, refusal=""):
                before_removal(folder)
                shutil.rmtree(folder, ignore_errors=True)
        except Conflict:
            continue  # somebody is at work in it
