"""Check-ins and activations over HTTP on databases that wait for their disk (licensing.md §12).

The load comes from this process, on the same cores as the authority and its database. Every limit is in
force, with numbers that nobody reaches.
"""

import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from urllib.parse import urlsplit

import psycopg

from benchmarks.result import Beside, Result, at_least, at_most
from licensing.authority.licenses.rules import Order
from licensing.authority.licenses.service import issue_license
from tests.licensing.authority.stage import (
    Program,
    Vendor,
    found_vendor,
    open_vendor,
    start_program,
)
from tests.licensing.authority.stranger import Reply, Send, Stranger
from tests.support.postgres import Cluster, start_cluster

CHECK_INS = 2_000
ACTIVATIONS = 200
CALLERS = 8
WARM_UP = 40
GOAL_PER_SECOND = 200
GOAL_CHECK_IN_MS = 250
GOAL_ACTIVATION_MS = 500

WIDE = {
    f"limits.{name}": "1000000"
    for name in (
        "per_ip_minute",
        "challenge_per_minute",
        "activation_per_minute",
        "checkin_burst",
    )
}

Work = TypeVar("Work")
Customer = tuple[Stranger, str]  # a server and the activation code it was sold


@dataclass(frozen=True)
class Load:
    """How long each piece of work took, in seconds, and all of them together."""

    each: list[float]
    whole: float

    def per_second(self) -> float:
        """Return how many were done in a second."""
        return len(self.each) / self.whole

    def p99_ms(self) -> float:
        """Return the milliseconds within which 99 of 100 were done."""
        return self.within_ms(0.99)

    def within_ms(self, part: float) -> float:
        """Return the milliseconds within which this part of them was done."""
        return sorted(self.each)[max(0, int(len(self.each) * part) - 1)] * 1_000


@dataclass(frozen=True)
class Served:
    """What one authority did: activations, then check-ins."""

    activated: Load
    checked: Load


def run(size: float) -> list[Result]:
    """Activate servers at once, let them check in at once, and time every answer."""
    with TemporaryDirectory() as folder, durable_postgres() as cluster:
        commits = bare_commits(cluster, CHECK_INS)
        served = load(Path(folder), size, cluster.url(cluster.create_database()))
    with TemporaryDirectory() as folder:
        embedded = load(Path(folder), size, "")
    return _results(served, embedded, commits)


def _results(served: Served, embedded: Served, commits: Load) -> list[Result]:
    beside = Beside("PostgreSQL commits alone", round(commits.per_second()), "commits/s")
    alone = Beside("on SQLite", round(embedded.checked.per_second()), "check-ins/s")
    return [
        at_least(
            "check-ins",
            served.checked.per_second(),
            "check-ins/s",
            goal=GOAL_PER_SECOND,
            beside=beside,
        ),
        at_most(
            "check-in, half of them", served.checked.within_ms(0.5), "ms", goal=GOAL_CHECK_IN_MS
        ),
        at_most(
            "check-in, 99 of 100",
            served.checked.p99_ms(),
            "ms",
            goal=GOAL_CHECK_IN_MS,
            beside=alone,
        ),
        at_most(
            "check-in on SQLite, 99 of 100",
            embedded.checked.p99_ms(),
            "ms",
            goal=GOAL_CHECK_IN_MS,
        ),
        at_most(
            "activation, 99 of 100",
            served.activated.p99_ms(),
            "ms",
            goal=GOAL_ACTIVATION_MS,
            beside=Beside("activations", round(served.activated.per_second()), "activations/s"),
        ),
    ]


def load(folder: Path, size: float, url: str) -> Served:
    """Serve an authority on this database and let customers call."""
    activations = max(CALLERS * 2, round(ACTIVATIONS * size))
    rounds = max(1, round(CHECK_INS * size / activations))
    with serving(folder, url) as (vendor, _program):
        everybody = fleet(vendor, WARM_UP + activations)
        at_once(everybody[:WARM_UP], activate)
        customers = everybody[WARM_UP:]
        activated = at_once(customers, activate)
        checked = at_once([server for server, _code in customers] * rounds, check_in)
    return Served(activated, checked)


def activate(customer: Customer) -> None:
    """Activate one server."""
    server, code = customer
    answer = server.activate(code)
    if answer.kind != "bundle":
        raise AssertionError(f"The activation was refused: {answer.code}")


def check_in(server: Stranger) -> None:
    """Let one server check in."""
    answer = server.check_in()
    if answer.kind != "lease":
        raise AssertionError(f"The check-in was refused: {answer.code}")


def at_once(work: Sequence[Work], act: Callable[[Work], None]) -> Load:
    """Do the work by several callers and time each piece of it."""

    def timed(piece: Work) -> float:
        begun = time.perf_counter()
        act(piece)
        return time.perf_counter() - begun

    begun = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        each = list(pool.map(timed, work))
    return Load(each, time.perf_counter() - begun)


@contextmanager
def durable_postgres() -> Iterator[Cluster]:
    """Give a database server that loses nothing."""
    cluster = start_cluster(durable=True)
    try:
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[Vendor, Program]]:
    """Give an authority, served by its real command."""
    home = folder / "home"
    settings = found_vendor(home, url, WIDE)
    program = start_program(home, folder / "log")
    vendor = open_vendor(settings, line(program.url))
    try:
        yield vendor, program
    finally:
        vendor.database.dispose()
        program.stop()


def line(url: str) -> Send:
    """Return a cheap line; each message has a connection of its own, as servers that call once a day do."""
    address = urlsplit(url).netloc

    def send(method: str, path: str, body: bytes | None) -> Reply:
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    return send


def fleet(vendor: Vendor, count: int) -> list[Customer]:
    """Sell so many licences and set up a server for each."""
    order = Order(vendor.customer(), 25)
    selling = vendor.settings.selling
    with vendor.database.write() as session:
        sold = [
            issue_license(session, "bench", vendor.keys, selling, order) for _number in range(count)
        ]
    trust = vendor.stranger().trust
    trust.take_keyset(vendor.send("GET", "/v1/keyset", None).body)
    return [(replace(vendor.stranger(), trust=trust), issued.code) for issued in sold]


def bare_commits(cluster: Cluster, count: int) -> Load:
    """Commit one small change at a time by as many connections, without us in between."""
    url = cluster.url(cluster.create_database()).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE heads (id int PRIMARY KEY, seq bigint NOT NULL)")
        connection.execute("INSERT INTO heads SELECT n, 1 FROM generate_series(1, 200) n")
    lines = [psycopg.connect(url, autocommit=True) for _caller in range(CALLERS)]

    def commit(caller: int) -> None:
        for number in range(count // CALLERS):
            row = number % 25 * CALLERS + caller + 1
            lines[caller].execute("UPDATE heads SET seq = seq + 1 WHERE id = %s", [row])

    whole = at_once(range(CALLERS), commit).whole
    for connection in lines:
        connection.close()
    return Load([whole / count] * count, whole)
