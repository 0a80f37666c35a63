"""A small program that serves, to be started, stopped and killed by tests: PORT FOLDER [DATABASE_URL].

`/pid` tells which process answers. `/slow` says in the folder that it began, and answers when told to.
The clock's job notes which process ran it.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from server.core import schedule
from server.core.db import Database
from server.core.schedule import Job, Scheduler, every
from server.wsgi import Serving, serve

Start = Callable[[str, list[tuple[str, str]]], object]
PIECE, PIECES = b"x" * 10_000, 60


def application(folder: Path) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """Return the WSGI application."""

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        if environ["PATH_INFO"] != "/slow":
            return [str(os.getpid()).encode()]
        (folder / "began").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
        return [PIECE] * PIECES

    return answer


def run_jobs(folder: Path, url: str) -> Callable[[threading.Event], None]:
    """Return the work of the clock: one line in a file for each run."""

    def note() -> None:
        with (folder / "runs").open("a") as runs:
            runs.write(f"{os.getpid()}\n")

    def run(stop: threading.Event) -> None:
        jobs = [Job("note", every(timedelta(seconds=0)), note, at_start=True)]
        Scheduler(Database(url), jobs).run(stop)

    return run


def main(port: int, folder: Path, url: str | None) -> None:
    """Serve until told to stop."""
    schedule.LEASE, schedule.RENEWAL_S, schedule.TICK_S = timedelta(seconds=3), 0.2, 0.1
    jobs = run_jobs(folder, url) if url else None
    serving = Serving("127.0.0.1", port, lambda: application(folder), threads=2, run_jobs=jobs)
    serve(serving)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
