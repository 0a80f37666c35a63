"""Whose request it is: over real sockets, with the headers that proxies write and strangers forge."""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from waitress import wasyncore
from waitress.server import create_server

from server.core.errors import Invalid
from server.http.forwarded import UNKNOWN, Proxies, behind

FORGED = {
    "X-Forwarded-For": "10.1.2.3",
    "Forwarded": "for=10.1.2.3",
    "X-Real-IP": "10.1.2.3",
    "X-Client-IP": "10.1.2.3",
    "True-Client-IP": "10.1.2.3",
    "X-Forwarded-Host": "elsewhere.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/x",
}


def mirror(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """Answer with what the application would see of its caller."""
    start("200 OK", [("Content-Type", "application/json")])
    seen = {
        "address": environ["REMOTE_ADDR"],
        "unknown": bool(environ.get(UNKNOWN)),
        "scheme": environ["wsgi.url_scheme"],
        "left": sorted(
            name for name in environ if "FORWARDED" in name or name.endswith(("_IP", "REAL_IP"))
        ),
    }
    return [json.dumps(seen).encode()]


@contextmanager
def served(*proxies: str, **place: Any) -> Iterator[Any]:
    """Serve behind these proxies on a real socket."""
    server: Any = create_server(
        behind(proxies, mirror), clear_untrusted_proxy_headers=False, threads=2, **place
    )
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=1.0, map=server._map, count=1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        server.pull_trigger()
        thread.join()
        server.task_dispatcher.shutdown()
        server.close()
        wasyncore.close_all(server._map, ignore_all=True)  # connections that are open still


def ask(host: str, port: int, come_from: str, headers: dict[str, str]) -> dict[str, Any]:
    """Ask from one of this machine's own addresses."""
    line = http.client.HTTPConnection(host, port, timeout=10, source_address=(come_from, 0))
    line.request("GET", "/", headers=headers)
    found: dict[str, Any] = json.loads(line.getresponse().read())
    line.close()
    return found


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Give the port of a server that believes 127.0.0.1 and nobody else."""
    with served("127.0.0.1", host="127.0.0.1", port=0) as server:
        yield int(server.effective_port)


def test_headers_of_a_stranger_are_worth_nothing(port: int) -> None:
    seen = ask("127.0.0.1", port, "127.0.0.2", FORGED)

    assert seen == {"address": "127.0.0.2", "unknown": False, "scheme": "http", "left": []}


def test_the_word_of_the_trusted_proxy_counts(port: int) -> None:
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}

    seen = ask("127.0.0.1", port, "127.0.0.1", told)

    assert (seen["address"], seen["scheme"], seen["unknown"]) == ("203.0.113.9", "https", False)


def test_other_headers_of_a_caller_pass_no_proxy(port: int) -> None:
    seen = ask("127.0.0.1", port, "127.0.0.1", {**FORGED, "X-Forwarded-For": "203.0.113.9"})

    assert seen["address"] == "203.0.113.9"
    assert [name for name in seen["left"] if "PROTO" not in name and "HOST" not in name] == []


@pytest.mark.parametrize(
    "chain", [None, "", " , ", "unknown", "_hidden", "10.1.2.3, what?", "[::1"]
)
def test_a_proxy_that_does_not_say_for_whom_leaves_the_caller_unknown(
    port: int, chain: str | None
) -> None:
    seen = ask("127.0.0.1", port, "127.0.0.1", {} if chain is None else {"X-Forwarded-For": chain})

    assert seen["unknown"]


def test_the_same_over_ipv6() -> None:
    with served("::1", host="::1", port=0) as server:
        told = ask("::1", server.effective_port, "::1", {"X-Forwarded-For": "fd00::7%eth0"})
        silent = ask("::1", server.effective_port, "::1", {})

    assert (told["address"], told["unknown"]) == ("fd00::7", False)
    assert silent["unknown"]


@pytest.mark.parametrize(
    ("proxies", "headers", "address", "unknown"),
    [
        (("unix",), {"X-Forwarded-For": "10.1.2.3"}, "10.1.2.3", False),
        (("unix",), {}, "localhost", True),
        ((), {"X-Forwarded-For": "10.1.2.3"}, "localhost", False),
    ],
)
def test_a_unix_socket_is_believed_only_when_it_is_named(
    tmp_path: Path, proxies: tuple[str, ...], headers: dict[str, str], address: str, unknown: bool
) -> None:
    place = str(tmp_path / "socket")
    with served(*proxies, unix_socket=place):
        line = http.client.HTTPConnection("localhost", timeout=10)
        line.sock = socket.socket(socket.AF_UNIX)
        line.sock.connect(place)
        line.request("GET", "/", headers=headers)
        seen = json.loads(line.getresponse().read())
        line.close()

    assert (seen["address"], seen["unknown"]) == (address, unknown)


@pytest.mark.parametrize(
    ("chain", "caller"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.3.4", "203.0.113.9"),
        ("10.1.2.3, 203.0.113.9, 10.0.3.4, 10.0.3.5", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711, 10.0.3.4:80", "203.0.113.9"),
        ('"[2001:db8::7]:4711"', "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("fe80::1%eth0", "fe80::1"),
        ("10.0.3.9, 10.0.3.4", "10.0.3.9"),
        ("10.1.2.3, unknown, 10.0.3.4", None),
        ("", None),
        ("10.1.2.3; 10.0.3.4", None),
        (", ".join(["10.1.2.3"] * 5_000), "10.1.2.3"),
    ],
)
def test_the_caller_is_the_last_hop_that_is_no_proxy_of_ours(
    chain: str, caller: str | None
) -> None:
    proxies = Proxies.of(["10.0.3.0/24", "127.0.0.1"])

    found = proxies.caller(chain)

    assert (None if found is None else str(found)) == caller


@pytest.mark.parametrize("name", ["localhost", "everybody", "0.0.0.0/0", "::/0", "10.0.0.0/33", ""])
def test_what_is_no_proxy_is_refused_loudly(name: str) -> None:
    with pytest.raises(Invalid):
        Proxies.of([name])
