"""Check-ins and activations over HTTP on PostgreSQL that waits for its disk (licensing.md §12).

The load comes from this process, on the same cores as the authority and its database.
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
from tests.licensing.authority.stage import Vendor, found_vendor, open_vendor, start_program
from tests.licensing.authority.stranger import Reply, Send, Stranger
from tests.support.postgres import Cluster, start_cluster

CHECK_INS = 2_000
ACTIVATIONS = 200
CALLERS = 8
WARM_UP = 40
GOAL_PER_SECOND = 200
GOAL_CHECK_IN_MS = 250
GOAL_ACTIVATION_MS = 500

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
        return sorted(self.each)[max(0, len(self.each) * 99 // 100 - 1)] * 1_000


def run(size: float) -> list[Result]:
    """Activate servers at once, let them check in at once, and time every answer."""
    activations = max(CALLERS * 2, round(ACTIVATIONS * size))
    rounds = max(1, round(CHECK_INS * size / activations))
    with TemporaryDirectory() as folder, durable_postgres() as cluster:
        with serving(Path(folder), cluster) as vendor:
            everybody = fleet(vendor, WARM_UP + activations)
            at_once(everybody[:WARM_UP], activate)
            customers = everybody[WARM_UP:]
            activated = at_once(customers, activate)
            checked = at_once([server for server, _code in customers] * rounds, check_in)
        commits = bare_commits(cluster, CHECK_INS)
    beside = Beside("PostgreSQL commits alone", round(commits.per_second()), "commits/s")
    return [
        at_least(
            "check-ins", checked.per_second(), "check-ins/s", goal=GOAL_PER_SECOND, beside=beside
        ),
        at_most("check-in, 99 of 100", checked.p99_ms(), "ms", goal=GOAL_CHECK_IN_MS),
        at_most("activation, 99 of 100", activated.p99_ms(), "ms", goal=GOAL_ACTIVATION_MS),
    ]


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
def serving(folder: Path, cluster: Cluster) -> Iterator[Vendor]:
    """Give an authority without limits, served by its real command."""
    home = folder / "home"
    settings = found_vendor(home, cluster.url(cluster.create_database()))
    program = start_program(home, folder / "log")
    vendor = open_vendor(settings, line(program.url))
    try:
        yield vendor
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
