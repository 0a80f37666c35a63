"""Whatever stands between a server and its vendor and lies: nothing changes, nothing falls over."""

import gzip
import json
import resource
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.client.outcome import Result
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.client.stage import DONE, USAGE, activated, next_day
from tests.licensing.client.vendor import Hands, Vendor

BOMB = gzip.compress(b"{" + b" " * 30_000_000, 9)
TWICE = gzip.compress(gzip.compress(b" " * 200_000_000, 9), 9)


def answer(head: str, body: bytes = b"", *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {head}\r\nContent-Length: {size}\r\n\r\n".encode() + body


def unsigned(**members: object) -> bytes:
    return json.dumps(members).encode()


LIES: dict[str, bytes] = {
    "a portal's page": answer("200 OK\r\nContent-Type: text/html", b"<html>Sign in</html>"),
    "403 of a filter": answer("403 Forbidden", b"<h1>Blocked by policy</h1>"),
    "407": answer("407 Proxy Authentication Required"),
    "200 and nothing": answer("200 OK"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "404": answer("404 Not Found", unsigned(code="E_UNKNOWN_ACTIVATION")),
    "410": answer("410 Gone", unsigned(code="E_REVOKED")),
    "500": answer("500 Oops", b"Traceback (most recent call last):"),
    "unsigned revoked": answer("200 OK", unsigned(status="revoked", code="E_REVOKED")),
    "unsigned lease": answer("200 OK", unsigned(status="ok", seq=99, expires_at=9_999_999_999)),
    "envelope without signatures": answer(
        "200 OK",
        unsigned(
            payloadType="application/vnd.daftar.denial.v1+json", payload="e30=", signatures=[]
        ),
    ),
    "redirect": answer("302 Found\r\nLocation: http://127.0.0.1:9/v1/check-ins"),
    "redirect for good": answer("308 Permanent Redirect\r\nLocation: /elsewhere"),
    "cut in the middle": answer("200 OK", b'{"payloadType":"appl', length=2_000),
    "more than it said": answer("200 OK", b'{"a":1}' + b"x" * 500, length=7),
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a chunk that never comes": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "silence": b"",
    "a thousand headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000 + b"\r\n{}",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n{}",
    "too large": answer("200 OK", b'{"a":"' + b"x" * 300_000 + b'"}'),
    "a bomb": answer("200 OK\r\nContent-Encoding: gzip", BOMB),
    "a bomb in a bomb": answer("200 OK\r\nContent-Encoding: gzip, gzip", TWICE),
    "a bomb of zlib": answer(
        "200 OK\r\nContent-Encoding: deflate", zlib.compress(b" " * 30_000_000, 9)
    ),
    "an encoding that is none": answer("200 OK\r\nContent-Encoding: br, x", b"\x00" * 99),
    "retry in a century": answer("429 Too Many\r\nRetry-After: 99999999999999999999"),
    "retry at a moment that is none": answer("503 Busy\r\nRetry-After: soon"),
    "deeply nested": answer("200 OK", b'{"a":' * 9_000 + b"1" + b"}" * 9_000),
    "a number of many digits": answer("200 OK", b'{"a":' + b"9" * 60_000 + b"}"),
}


class Liar:
    """A server that hears whatever is asked and says the same to everybody."""

    def __init__(self, lie: bytes) -> None:
        self._lie = lie
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _address = self._socket.accept()
                with peer, suppress(OSError):
                    peer.settimeout(2)
                    self._hear(peer)
                    peer.sendall(self._lie)

    def _hear(self, peer: socket.socket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            more = peer.recv(65_536)
            if not more:
                return
            heard += more
        head, _, body = heard.partition(b"\r\n\r\n")
        said = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        left = int(said[0].split(b":")[1]) - len(body) if said else 0
        while left > 0:
            left -= len(peer.recv(65_536)) or left

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def lied_to(config: ClientConfig, hands: Hands) -> Iterator[Callable[[bytes], LicenseClient]]:
    """Return a function that starts the product with a liar for a vendor."""
    liars: list[Liar] = []

    def begin(lie: bytes) -> LicenseClient:
        liars.append(Liar(lie))
        clocks = Clocks(lambda: int(hands.wall), lambda: hands.run)
        return LicenseClient(replace(config, authority_urls=(liars[-1].url,)), clocks)

    yield begin
    for one in liars:
        one.stop()


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_changes_nothing(
    client: LicenseClient,
    lied_to: Callable[[bytes], LicenseClient],
    vendor: Vendor,
    hands: Hands,
    lie: bytes,
) -> None:
    activated(client)
    next_day(vendor, hands)
    before = client.status()
    victim = lied_to(lie)

    for outcome in (
        victim.check_in(USAGE),
        victim.activate("0123-4567-89ab-cdef-ghjk-mnpq-rs9"),
        victim.deactivate(DeactivationReason.END, USAGE),
    ):
        assert outcome.result in (Result.UNSIGNED, Result.UNREACHABLE, Result.REFUSED)
        assert outcome.retry_after is None or outcome.retry_after <= 86_400

    assert replace(victim.status(), pending=None) == before
    assert victim.verdict(1).mode is Mode.OK
    # The truth still comes: the deactivation that waits is withdrawn, as its owner would.
    victim.withdraw()
    assert client.check_in(USAGE) == DONE


def test_no_bomb_fills_the_memory(
    client: LicenseClient, lied_to: Callable[[bytes], LicenseClient]
) -> None:
    activated(client)
    victim = lied_to(LIES["a bomb in a bomb"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    victim.check_in(USAGE)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1_024


def test_a_liar_for_thirty_days_is_no_worse_than_silence(
    client: LicenseClient,
    lied_to: Callable[[bytes], LicenseClient],
    vendor: Vendor,
    hands: Hands,
) -> None:
    activated(client)
    victim = lied_to(LIES["unsigned revoked"])
    for _time in range(10):
        next_day(vendor, hands, 3)
        victim.check_in(USAGE)
        victim.tick(1)

    assert (victim.verdict(1).mode, victim.verdict(1).reason) == (Mode.READ_ONLY, Reason.NO_CONTACT)
    assert client.check_in(USAGE) == DONE
    assert client.verdict(1).mode is Mode.OK
    assert client.status().notices == ()
