"""The licence key is compromised: every licence signed anew, while servers go on checking in.

The real command works beside a served authority on SQLite, whose one lock both need. The load comes from
this process, on the same cores.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE
from subprocess import run as run_program
from tempfile import TemporaryDirectory
from threading import Event

from benchmarks.result import Beside, Result, at_least, at_most
from licensing.authority.keys.private import PrivateKey
from licensing.authority.replacing import count_resting
from tests.licensing.authority.stage import (
    PASSPHRASE,
    Vendor,
    found_vendor,
    open_vendor,
    start_program,
)
from tests.licensing.authority.stranger import Problem, Stranger, over_http

LICENSES = 10_000
SERVERS = 8
SIGNATURES = 5_000
GOAL_PER_SECOND = 200
GOAL_CHECK_IN_MS = 1_000


def run(size: float) -> list[Result]:
    """Sell licences, let some servers check in without a pause, revoke the key, and time both."""
    count = max(200, round(LICENSES * size))
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        settings = found_vendor(home)
        program = start_program(home, Path(folder) / "log")
        vendor = open_vendor(settings, over_http(program.url))
        try:
            sold = vendor.sell_many(count)
            servers = [vendor.stranger() for _place in range(SERVERS)]
            for server, issued in zip(servers, sold[:SERVERS], strict=True):
                server.activate(issued.code)
            seconds, waits = drill(vendor, servers)
        finally:
            vendor.database.dispose()
            program.stop()
    return _results(count, seconds, sorted(waits))


def _results(count: int, seconds: float, waits: list[float]) -> list[Result]:
    bare = Beside("bare Ed25519 signatures", round(signatures_per_second()), "signatures/s")
    return [
        at_least(
            f"licences signed anew ({count:,})",
            count / seconds,
            "licences/s",
            goal=GOAL_PER_SECOND,
            beside=bare,
        ),
        at_most(
            "whole drill, rotation and revocation included",
            seconds,
            "s",
            goal=count / GOAL_PER_SECOND,
        ),
        at_most(
            "check-in while licences are signed anew, p99",
            waits[max(0, len(waits) * 99 // 100 - 1)] * 1_000,
            "ms",
            goal=GOAL_CHECK_IN_MS,
            beside=Beside("check-ins meanwhile", len(waits), "check-ins"),
        ),
    ]


def drill(vendor: Vendor, servers: list[Stranger]) -> tuple[float, list[float]]:
    """Revoke the licence key by the command; return its seconds, and those of each check-in meanwhile."""
    keyid, done = vendor.key_of("license").keyid, Event()
    with ThreadPoolExecutor(len(servers)) as callers:
        waits = [callers.submit(keep_checking_in, server, done) for server in servers]
        started = time.perf_counter()
        finished = run_program(  # noqa: S603 - the command of this checkout
            revoke_command(vendor.settings.home, keyid),
            env={"DAFTAR_AUTHORITY_PASSPHRASE": PASSPHRASE},
            check=True,
            stdout=PIPE,
        )
        seconds = time.perf_counter() - started
        done.set()
        each = [wait for future in waits for wait in future.result()]
    with vendor.database.read() as session:
        if count_resting(session, keyid):
            raise RuntimeError(f"Licences were left behind: {finished.stdout.decode()}")
    return seconds, each


def revoke_command(home: Path, keyid: str) -> list[str]:
    """Return the command line that kills the key."""
    roots = [
        word
        for number in (1, 2)
        for word in ("--root-key", str(home / "root" / f"root-{number}.pem"))
    ]
    command = [sys.executable, "-m", "licensing.authority.cli", "--home", str(home)]
    return [*command, "keys", "revoke", keyid, *roots]


def keep_checking_in(server: Stranger, done: Event) -> list[float]:
    """Check in ten times a second until it is over; return how long each took."""
    waits = []
    while not done.is_set():
        started = time.perf_counter()
        with suppress(Problem):  # told that it is busy, after ten seconds: that counts as its time
            server.check_in()
        waits.append(time.perf_counter() - started)
        done.wait(0.1)
    return waits


def signatures_per_second() -> float:
    """Return what the bare signature costs on one core, the ceiling of all this."""
    key, message = PrivateKey.generate(), b"x" * 1_500
    started = time.perf_counter()
    for _place in range(SIGNATURES):
        key.sign(message)
    return SIGNATURES / (time.perf_counter() - started)
