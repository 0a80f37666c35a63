"""The line to the authority: two addresses, proxies, TLS, bounded bodies. Believes nothing it carries."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from licensing.client.patience import Patience
from licensing.document.errors import DocumentError
from licensing.document.parser import MAX_BYTES, Members, parse_object

CONNECT_SECONDS = 5
READ_SECONDS = 20
EXCHANGE_SECONDS = 25  # for one address, all of it, however slowly the other side drips
BACKOFF_FIRST = 60
BACKOFF_CAP = 6 * 3_600
START_JITTER = 120
RETRY_AFTER_CAP = 24 * 3_600  # an unsigned header must not silence an installation for good


class Fault(StrEnum):
    """What stood between us and the authority."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    PROXY = "proxy"
    TIMEOUT = "timeout"
    HTTP = "http"


@dataclass(frozen=True)
class Reply:
    """Bytes that came with status 200 and are a JSON object. Nothing is verified."""

    body: bytes


@dataclass(frozen=True)
class Unsigned:
    """Somebody answered, but nothing signed: a problem, a proxy's page, a 503. Changes no state."""

    status: int
    code: str
    detail: str
    retry_after: int | None = None


@dataclass(frozen=True)
class Unreachable:
    """Nobody answered. Changes no state."""

    fault: Fault
    detail: str


Result = Reply | Unsigned | Unreachable


def backoff(failures: int, draw: float, retry_after: int | None = None) -> int:
    """Return seconds to wait after `failures` (≥ 1) failures in a row, with full jitter.

    `draw` is a random number in [0, 1); `Retry-After` is the least that is waited.
    """
    ceiling = min(BACKOFF_CAP, BACKOFF_FIRST * (1 << min(max(failures, 1) - 1, 20)))
    return max(1, round(draw * ceiling), min(retry_after or 0, RETRY_AFTER_CAP))


def next_check_in(renew_after: int, draw: float) -> int:
    """Return when the next check-in is due: the authority's time and up to two minutes."""
    return renew_after + round(draw * START_JITTER)


class _Options(TypedDict):
    timeout: tuple[float, float]
    allow_redirects: bool
    stream: bool
    verify: bool | str


class Transport:
    """Sends to the first of the addresses that gives a usable answer."""

    def __init__(
        self,
        urls: Sequence[str],
        ca_bundle: Path | None = None,
        seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._urls = tuple(url.rstrip("/") + "/" for url in urls)
        self._verify: bool | str = True if ca_bundle is None else str(ca_bundle)

    def get(self, path: str) -> Result:
        """Fetch `path`, relative to each address in turn."""
        return self._first(lambda session, url: session.get(url, **self._options()), path)

    def post(self, path: str, body: bytes) -> Result:
        """Send an envelope to `path`. The same bytes may be sent again without harm."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self._first(
            lambda session, url: session.post(url, data=body, headers=headers, **self._options()),
            path,
        )

    def _options(self) -> _Options:
        return {
            "timeout": (CONNECT_SECONDS, READ_SECONDS),
            "allow_redirects": False,  # a captive portal redirects, the authority never does
            "stream": True,
            # With each request, since a bundle that the environment names goes before a session's.
            "verify": self._verify,
        }

    def _first(
        self, send: Callable[[requests.Session, str], requests.Response], path: str
    ) -> Result:
        worst: Result = Unreachable(Fault.TCP, "No address of the authority is configured.")
        for place, url in enumerate(self._urls):
            result = self._once(send, urljoin(url, path))
            if isinstance(result, Reply):
                return result
            # A problem the authority wrote says more than the silence of its other address.
            if place == 0 or isinstance(worst, Unreachable):
                worst = result
        return worst

    def _once(self, send: Callable[[requests.Session, str], requests.Response], url: str) -> Result:
        with Patience(self._seconds) as patience:
            try:
                result = self._exchange(send, url, patience)
            except OSError as error:  # of requests, or of a CA bundle that is not there
                result = Unreachable(_fault(error), str(error)[:300])
        if patience.is_over:
            return Unreachable(Fault.TIMEOUT, f"No whole answer within {self._seconds} seconds.")
        return result

    def _exchange(
        self,
        send: Callable[[requests.Session, str], requests.Response],
        url: str,
        patience: Patience,
    ) -> Result:
        # A session of its own per message: once a day needs no pool, and a fork shares no socket.
        with requests.Session() as session:
            session.headers["Accept-Encoding"] = "identity"
            session.headers["User-Agent"] = "Daftar"  # no release of a library goes along
            adapter = _WatchedAdapter(patience)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            with send(session, url) as response:
                body = _bounded(response)
                return _judge(response, body)


class _WatchedAdapter(HTTPAdapter):
    """Opens connections that end with a patience."""

    def __init__(self, patience: Patience) -> None:
        self._pools = _watched_pools(patience)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _watched_pools(patience: Patience) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            patience.watch(opened)
            return opened

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            opened = super()._new_conn()
            patience.watch(opened)
            return opened

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _bounded(response: requests.Response) -> bytes:
    body = b""
    try:
        # As it came: unpacking for a stranger is what fills a memory, layer by layer.
        for chunk in response.raw.stream(16_384, decode_content=False):
            body += chunk
            if len(body) > MAX_BYTES:
                break  # the parser refuses it
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    return body


def _judge(response: requests.Response, body: bytes) -> Result:
    try:
        members = Members(parse_object(body))
    except DocumentError:
        members = None
    if response.status_code == requests.codes.ok and members is not None:
        return Reply(body)
    return Unsigned(
        status=response.status_code,
        code=_text(members, "code") or f"HTTP_{response.status_code}",
        detail=_text(members, "detail") or (response.reason or "")[:200],
        retry_after=_retry_after(response),
    )


def _text(members: Members | None, name: str) -> str:
    try:
        return members.text(name, 500) if members is not None else ""
    except DocumentError:
        return ""


def _retry_after(response: requests.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), RETRY_AFTER_CAP)
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(response.headers.get("Date", ""))
        return min(max(0, round((until - since).total_seconds())), RETRY_AFTER_CAP)
    except (ValueError, TypeError):
        return None


def _fault(error: OSError) -> Fault:
    if not isinstance(error, requests.RequestException):
        return Fault.TLS
    kinds: tuple[tuple[type[requests.RequestException], Fault], ...] = (
        (requests.exceptions.ProxyError, Fault.PROXY),
        (requests.exceptions.SSLError, Fault.TLS),
        (requests.Timeout, Fault.TIMEOUT),
    )
    for kind, fault in kinds:
        if isinstance(error, kind):
            return fault
    if "NameResolutionError" in str(error) or "Name or service not known" in str(error):
        return Fault.DNS
    return Fault.TCP if isinstance(error, requests.ConnectionError) else Fault.HTTP
