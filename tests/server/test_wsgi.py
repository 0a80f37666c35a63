"""Several web processes and one scheduler: killed, stopped and doubled for real."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from server.core.errors import Missing
from server.http.forwarded import behind
from server.wsgi import bind
from tests.server.wsgi_program import PIECE, PIECES
from tests.support.ports import free_port
from tests.support.sources import ROOT

PATIENCE_S = 60.0
Start = Callable[..., "Program"]


def until(ready: Callable[[], object], what: str) -> None:
    """Wait until something is true; what never comes fails the test."""
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.05)


class Program:
    """A running program and what it can be asked."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.port = free_port()
        self.folder = folder
        command = [sys.executable, "-m", "tests.server.wsgi_program", str(self.port), str(folder)]
        self.process = subprocess.Popen(
            [*command, url] if url else command, cwd=ROOT, stderr=subprocess.DEVNULL
        )

    def ask(self, path: str = "/pid") -> bytes | None:
        """Return the answer, None when nobody listens."""
        try:
            address = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
                found: bytes = answer.read()
        except (URLError, ConnectionError):
            return None
        return found

    def pids(self, count: int) -> set[int]:
        """Return the web processes, once so many have answered."""
        seen: set[int] = set()

        def enough() -> bool:
            answer = self.ask()
            if answer is not None:
                seen.add(int(answer))
            return len(seen) >= count

        until(enough, f"{count} web processes")
        return seen

    def runs(self) -> list[int]:
        """Return which processes ran the clock's job, in order."""
        file = self.folder / "runs"
        return [int(line) for line in file.read_text().split()] if file.exists() else []


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start programs that end with the test."""
    started: list[Program] = []

    def begin(name: str = "one", url: str | None = None) -> Program:
        folder = tmp_path / name
        folder.mkdir()
        program = Program(folder, url)
        started.append(program)
        until(program.ask, "the first answer")
        return program

    yield begin
    for program in started:
        program.process.terminate()
        program.process.wait(PATIENCE_S)


def test_a_killed_web_process_is_replaced(start: Start) -> None:
    program = start()
    before = program.pids(2)

    os.kill(min(before), signal.SIGKILL)
    until(lambda: program.pids(2) - before, "a successor")

    assert program.process.poll() is None


def test_a_request_in_flight_is_answered_in_full_before_the_end(start: Start) -> None:
    program = start()
    answers: list[bytes | None] = []
    asking = threading.Thread(target=lambda: answers.append(program.ask("/slow")))
    asking.start()
    until((program.folder / "began").exists, "the slow request")

    program.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)  # a stop that did not wait would have ended everything by now
    still_running = program.process.poll() is None
    (program.folder / "go").touch()
    asking.join(PATIENCE_S)

    assert still_running
    assert answers == [PIECE * PIECES]
    assert program.process.wait(PATIENCE_S) == 0
    assert program.ask() is None


def test_children_do_not_outlive_a_killed_parent(start: Start) -> None:
    program = start()

    program.process.kill()
    program.process.wait(PATIENCE_S)
    until(lambda: program.ask() is None, "the end of the children")

    bind("127.0.0.1", program.port).close()


def test_two_servers_on_one_database_have_one_scheduler(start: Start, database_url: str) -> None:
    first = start("first", database_url)
    until(lambda: len(first.runs()) > 3, "the first runs")
    second = start("second", database_url)
    second.pids(2)
    many = len(first.runs()) + 5
    until(lambda: len(first.runs()) > many, "more runs")
    idle = second.runs()

    first.process.terminate()
    first.process.wait(PATIENCE_S)
    until(second.runs, "the successor")

    assert idle == []
    assert len({*first.runs()}) == len({*second.runs()}) == 1


def test_a_killed_scheduler_is_replaced(start: Start, sqlite_url: str) -> None:
    program = start("one", sqlite_url)
    until(program.runs, "the first run")
    (killed,) = {*program.runs()}

    os.kill(killed, signal.SIGKILL)
    until(lambda: {*program.runs()} - {killed}, "a successor")

    assert program.ask() is not None


def test_an_address_in_use_is_refused_with_the_way_out(start: Start) -> None:
    program = start()

    with pytest.raises(Missing, match="Stop what uses it, or choose another port"):
        bind("127.0.0.1", program.port)


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        ("192.0.2.1", ("198.51.100.9", "https")),
        ("192.0.2.2", ("198.51.100.9", "https")),
        ("192.0.2.3", ("192.0.2.3", "http")),
    ],
)
def test_every_named_proxy_is_believed_and_no_other(peer: str, seen: tuple[str, str]) -> None:
    found = []

    def app(environ: dict[str, str], _start: object) -> list[bytes]:
        assert peer != "192.0.2.3" or "HTTP_X_FORWARDED_FOR" not in environ
        found.append((environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]))
        return []

    environ = {
        "REMOTE_ADDR": peer,
        "wsgi.url_scheme": "http",
        "HTTP_X_FORWARDED_FOR": "10.0.0.1, 198.51.100.9",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    behind(("192.0.2.1", "192.0.2.2"), app)(environ, None)

    assert found == [seen]
