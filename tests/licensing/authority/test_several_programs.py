"""Two programs of one authority, and power cuts under load: what was answered is never forgotten."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from licensing.authority.activations.rules import ActivationStatus
from licensing.document.documents import Role
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import (
    Program,
    Vendor,
    found_vendor,
    open_vendor,
    start_program,
)
from tests.licensing.authority.stranger import Answer, Problem, Stranger, codes, over_http, sealed
from tests.support.postgres import Cluster

CHECK_INS = "/v1/check-ins"


@dataclass
class Rush:
    """Servers that check in without pause. Each remembers what it sent last and what it was told."""

    servers: list[Stranger]
    cut: Callable[[], None]
    answers: list[list[Answer]] = field(default_factory=list)
    open: dict[int, bytes] = field(default_factory=dict)
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    dark: threading.Event = field(default_factory=threading.Event)

    def live(self, place: int) -> None:
        """Check in until the power is cut; an answer that did not come leaves its request open."""
        server = self.servers[place]
        while not self.dark.is_set():
            request = sealed("checkin-req", server.check_in_payload(), server.key)
            self.open[place] = request
            try:
                self.answers[place].append(server.ask(CHECK_INS, request))
            except requests.RequestException:
                return
            del self.open[place]
            with self.lock:
                self.done += 1
                if self.done == 40:
                    self.dark.set()
                    self.cut()


def rush(vendor: Vendor, cut: Callable[[], None], count: int = 6) -> Rush:
    """Let so many activated servers check in at once until `cut` ends it."""
    servers = [vendor.stranger() for _number in range(count)]
    for server in servers:
        server.activate(vendor.sell().code)
    found = Rush(servers, cut, [[] for _server in servers])
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(found.live, range(count)))
    return found


def test_a_power_cut_under_check_ins_forgets_no_answer(tmp_path: Path, empty_url: str) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    settings = found_vendor(home, empty_url)
    program = start_program(home, log)
    vendor = open_vendor(settings, over_http(program.url))
    try:
        found = rush(vendor, program.kill)
        program = start_program(home, log)
        vendor.send = over_http(program.url)

        for place, server in enumerate(found.servers):
            server.send = vendor.send
            known = server.lease["seq"]
            if place in found.open:  # nobody knows whether it was done: the same bytes tell
                again = server.ask(CHECK_INS, found.open[place])
                assert again.payload["seq"] == known + 1
                assert server.ask(CHECK_INS, found.open[place]).raw == again.raw
            else:
                last = found.answers[place][-1]
                assert server.ask(CHECK_INS, server.last_request).raw == last.raw
            # Whoever was answered is continued from there, not from somewhere before.
            assert codes(server.check_in()) == []
            [held] = vendor.activations(str(server.license["license_id"]))
            assert (held.status, held.forks) == (ActivationStatus.ACTIVE, 0)
            assert held.head_seq == server.lease["seq"]
    finally:
        vendor.database.dispose()
        program.stop()


def test_a_graceful_stop_answers_what_has_arrived(tmp_path: Path, empty_url: str) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    settings = found_vendor(home, empty_url)
    program = start_program(home, log)
    vendor = open_vendor(settings, over_http(program.url))
    try:
        stopped: list[int] = []
        ending = threading.Thread(target=lambda: stopped.append(program.stop()))
        found = rush(vendor, ending.start)
        ending.join()

        assert stopped == [0]
        for place, server in enumerate(found.servers):
            [held] = vendor.activations(str(server.license["license_id"]))
            # A request that was let in was answered: what we do not know, nobody has done.
            assert held.head_seq == server.lease["seq"], place
    finally:
        vendor.database.dispose()
        with suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGKILL)


@dataclass
class Pair:
    """Two programs that serve one home, and a line to each."""

    vendor: Vendor
    programs: list[Program]

    def lines(self) -> list[Stranger]:
        """Return a stranger at each of the doors."""
        found = [self.vendor.stranger() for _program in self.programs]
        for server, program in zip(found, self.programs, strict=True):
            server.send = over_http(program.url)
        return found


@pytest.fixture
def pair(tmp_path: Path, postgres_cluster: Cluster) -> Iterator[Pair]:
    """Give two programs at once on one home and one PostgreSQL."""
    home = tmp_path / "home"
    settings = found_vendor(home, postgres_cluster.url(postgres_cluster.create_database()))
    programs = [start_program(home, tmp_path / f"log{number}") for number in range(2)]
    vendor = open_vendor(settings, over_http(programs[0].url))
    yield Pair(vendor, programs)
    vendor.database.dispose()
    for program in programs:
        program.stop()


def test_two_programs_give_one_licence_to_one_server(pair: Pair) -> None:
    sold = [pair.vendor.sell() for _number in range(4)]
    rivals = [(server, issued.code) for issued in sold for server in (*pair.lines(), *pair.lines())]
    asked = [server.activate_request(code) for server, code in rivals]

    def ask(place: int) -> Answer:
        return rivals[place][0].ask("/v1/activations", asked[place])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(len(rivals))))

    for number, issued in enumerate(sold):
        mine = answers[4 * number : 4 * number + 4]
        assert sorted(answer.code for answer in mine) == ["", *["E_ALREADY_ACTIVE"] * 3]
        assert len(pair.vendor.activations(issued.license_id)) == 1


def test_one_server_at_two_programs_keeps_one_chain(pair: Pair) -> None:
    server, other = pair.lines()
    issued = pair.vendor.sell()
    server.activate(issued.code)
    request = sealed("checkin-req", server.check_in_payload(), server.key)
    copies = [server.twin() for _number in range(6)]
    for number, copy in enumerate(copies):
        copy.send = (server, other)[number % 2].send

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda copy: copy.ask(CHECK_INS, request), copies))

    assert len({answer.raw for answer in answers}) == 1
    for number in range(6):  # now by turns, as behind a balancer
        copies[0].send = (server, other)[number % 2].send
        assert codes(copies[0].check_in()) == []
    [held] = pair.vendor.activations(issued.license_id)
    assert (held.head_seq, held.forks) == (8, 0)


def test_limits_are_shared_by_programs(tmp_path: Path, postgres_cluster: Cluster) -> None:
    home = tmp_path / "home"
    changes = {"limits.per_ip_minute": "30"}
    url = postgres_cluster.url(postgres_cluster.create_database())
    settings = found_vendor(home, url, changes)
    programs = [start_program(home, tmp_path / f"log{number}") for number in range(2)]
    try:
        lines = [over_http(program.url) for program in programs]
        begun = time.monotonic()
        replies = [lines[number % 2]("GET", "/v1/keyset", None) for number in range(60)]
        spent = time.monotonic() - begun

        let_in = [reply for reply in replies if reply.status == 200]
        assert 30 <= len(let_in) <= 30 + spent / 2 + 1  # two seconds bring one more
        refused = [reply for reply in replies if reply.status == 429]
        assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)
    finally:
        for program in programs:
            program.stop()
    assert settings.limits.per_ip_minute == 30


def test_a_rotated_keyset_is_noticed_by_all_programs(pair: Pair) -> None:
    settings = pair.vendor.settings
    roots = [
        word
        for number in (1, 2)
        for word in ("--root-key", settings.home / "root" / f"root-{number}.pem")
    ]
    report = Console(settings.home).json("keys", "rotate", "--role", Role.LICENSE.value, *roots)

    for server in pair.lines():
        for _process in range(6):  # two in each program
            assert server.fetch_keyset()["version"] == report["version"]


def test_a_flood_that_is_refused_writes_nothing(
    found_here: Callable[..., Vendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = found_here({"limits.per_ip_minute": "5"})
    for _request in range(6):
        vendor.send("GET", "/v1/keyset", None)

    def no_connection(*_args: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(vendor.database.engine.pool, "connect", no_connection)
    replies = [vendor.send("POST", CHECK_INS, b"{}") for _request in range(50)]

    assert {reply.status for reply in replies} == {429}


def test_a_check_in_beyond_the_burst_writes_nothing(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here(
        {
            f"limits.{name}": "100000"
            for name in ("per_ip_minute", "challenge_per_minute", "activation_per_minute")
        }
    )
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    for _call in range(10):
        server.check_in()
    before = vars(vendor.activations(issued.license_id)[0])

    with pytest.raises(Problem) as refused:
        server.check_in()

    assert (refused.value.status, refused.value.code) == (429, "E_RATE")
    after = vars(vendor.activations(issued.license_id)[0])
    assert all(after[name] == before[name] for name in before if name != "_sa_instance_state")
