"""The line to the authority: whatever stands in its way is told, and nothing is raised."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from licensing.client.transport import Fault, Transport, Unreachable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_a_ca_bundle_that_is_not_there_is_told_as_a_fault_of_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", DEFAULT_CA_BUNDLE_PATH)  # the settings go before it
    line = Transport(["https://127.0.0.1:9"], tmp_path / "missing.pem")

    for result in (line.get("v1/keyset"), line.post("v1/check-ins", b"{}")):
        assert isinstance(result, Unreachable)
        assert result.fault is Fault.TLS
        assert "missing.pem" in result.detail


class Dripper:
    """A server that says something, and then one byte after another for as long as anybody listens."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self._stop = threading.Event()
        self.hung_up = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        with suppress(OSError):
            peer, _address = self._socket.accept()
            with peer:
                peer.sendall(self._first)
                while not self._stop.wait(0.02):
                    peer.sendall(b" ")
        self.hung_up.set()

    def stop(self) -> None:
        self._stop.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def drip() -> Iterator[Callable[[bytes], Dripper]]:
    running: list[Dripper] = []

    def start(first: bytes) -> Dripper:
        running.append(Dripper(first))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1",
        HEAD,
        HEAD + b"Content-Length: 60000\r\n\r\n{",
        HEAD + b"\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
    ],
    ids=["status line", "headers", "body of a known length", "body until the end", "chunks"],
)
def test_a_server_that_drips_is_cut_off(drip: Callable[[bytes], Dripper], first: bytes) -> None:
    server = drip(first)
    began = time.monotonic()

    result = Transport([f"http://{server.place}"], seconds=0.4).get("v1/keyset")

    assert isinstance(result, Unreachable)
    assert result.fault is Fault.TIMEOUT
    assert time.monotonic() - began < 5
    assert server.hung_up.wait(10)


def test_a_handshake_that_drips_is_cut_off(drip: Callable[[bytes], Dripper]) -> None:
    # The head of a record of 16 KB, which then never comes to its end.
    server = drip(b"\x16\x03\x03\x40\x00")

    result = Transport([f"https://{server.place}"], seconds=0.4).get("v1/keyset")

    assert isinstance(result, Unreachable)
    assert result.fault is Fault.TIMEOUT
    assert server.hung_up.wait(10)


def test_a_proxy_that_drips_is_cut_off(
    drip: Callable[[bytes], Dripper], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = drip(b"HTTP/1.1 200")
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.place}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")

    result = Transport(["https://license.invalid"], seconds=0.4).post("v1/check-ins", b"{}")

    assert isinstance(result, Unreachable)
    assert result.fault is Fault.TIMEOUT
    assert proxy.hung_up.wait(10)


def test_the_second_address_still_has_its_turn(drip: Callable[[bytes], Dripper]) -> None:
    slow, dead = drip(HEAD), "http://127.0.0.1:9"

    result = Transport([f"http://{slow.place}", dead], seconds=0.3).get("v1/keyset")

    assert isinstance(result, Unreachable)
    assert result.fault is Fault.TCP
