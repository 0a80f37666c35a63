"""What the licence costs: the gate in front of every request, and verifying everything at start."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask, g

from benchmarks.result import Beside, Result, at_most
from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.document.license import PRIVATE_NETWORKS
from server.core import clock
from server.core.actor import Actor
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.http.access import signed_in
from server.http.licence_gate import check_licence
from server.http.network import check_network
from tests.licensing.client.stage import activated
from tests.licensing.client.vendor import NOW, Vendor, VendorServer, machine

REQUESTS = 200_000
STARTS = 200
ROUND = 200  # requests in one look at the watch, short enough to be left alone by other programs
SIGNATURES_AT_START = 4  # two under the keyset, one each under licence and lease
GOAL_GATE_US = 5
GOAL_START_MS = 10

USER = Actor(
    user_id=1, name="Anna", locale="en", permissions=frozenset({"deals.edit"}), all_powerful=False
)
OPEN = Entitlements(mode="ok", reason="fresh", networks=PRIVATE_NETWORKS, network_mode="enforce")


def run(size: float) -> list[Result]:
    """Time the gate inside real requests, and the start of the licence's client on real files."""
    requests, starts = max(1_000, round(REQUESTS * size)), max(5, round(STARTS * size))
    return [*gate(requests), *start(starts)]


# The gate


def gate(requests: int) -> list[Result]:
    """Time what the door asks of the licence for one request: its network, then its mode."""
    nothing = Beside("an empty function", round(in_request(_nothing, OPEN, requests), 3), "µs")
    reading = replace(OPEN, mode="read_only", reason="no_contact")
    return [
        at_most(name, in_request(_both, verdict, requests), "µs", goal=GOAL_GATE_US, beside=nothing)
        for name, verdict in (
            ("gate of one request", OPEN),
            ("gate of one request, read only", reading),
        )
    ]


def _both(board: EntitlementsBoard) -> None:
    check_network(board.verdict)
    check_licence(board.verdict)


def _nothing(board: EntitlementsBoard) -> None:
    """Do nothing with it."""


def in_request(
    ask: Callable[[EntitlementsBoard], None], verdict: Entitlements, requests: int
) -> float:
    """Return microseconds of one question inside the request of a signed-in user of the local network."""
    app, board = Flask(__name__), EntitlementsBoard(verdict)
    app.add_url_rule("/deals", "deals", signed_in()(lambda: ""))
    with app.test_request_context("/deals", environ_base={"REMOTE_ADDR": "192.168.7.21"}):
        g.actor = USER

        def one_round() -> None:
            for _request in range(ROUND):
                ask(board)

        return _timed(one_round, max(5, requests // ROUND)) / ROUND * 1_000


# The start


def start(starts: int) -> list[Result]:
    """Time opening a licence folder: its documents verified, its state authenticated."""
    with TemporaryDirectory() as folder:
        config, marks = _activated_in(Path(folder))
        clocks = Clocks(clock.timestamp, clock.monotonic)
        opened = _timed(lambda: LicenseClient(config, clocks), starts)
        if not LicenseClient(config, clocks).status().is_activated:
            raise AssertionError("the licence of the benchmark does not hold")
    verified = _timed(lambda: _verify(marks), starts)
    beside = Beside(f"{len(marks)} bare signatures", round(verified, 3), "ms")
    return [at_most("verification at start", opened, "ms", goal=GOAL_START_MS, beside=beside)]


Mark = tuple[bytes, bytes, bytes]  # public key, signature, message


def _activated_in(folder: Path) -> tuple[ClientConfig, list[Mark]]:
    vendor = Vendor()
    server = VendorServer(vendor)
    (folder / "root.json").write_bytes(vendor.root_file())
    config = ClientConfig(
        directory=folder / "license",
        authority_urls=(server.url,),
        trust_root=folder / "root.json",
        product_version="0.1.0",
        machine_root=machine(folder / "machine"),
    )
    try:
        activated(LicenseClient(config, Clocks(lambda: NOW, clock.monotonic)))
    finally:
        server.stop()
    message = b"m" * 1_200  # about as much as a licence or a lease
    key = vendor.lease_key
    mark = (key.public_key().public_bytes_raw(), key.sign(message), message)
    return config, [mark] * SIGNATURES_AT_START


def _verify(marks: list[Mark]) -> None:
    for public_key, signature, message in marks:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)


def _timed(act: Callable[[], object], count: int) -> float:
    """Return milliseconds: the tenth part of all that was undisturbed most, since others only add to it."""
    act()
    times = []
    for _start in range(count):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return statistics.quantiles(times, n=10)[0] * 1_000
