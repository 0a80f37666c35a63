"""The way to one address of the authority, step by step: every obstacle is told apart. Facts, no words."""

import http.client
import ipaddress
import os
import re
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy

from licensing.client.patience import Patience
from licensing.document.parser import MAX_BYTES

NAME_SECONDS = 6.0
CONNECT_SECONDS = 4.0
SPEAK_SECONDS = 6.0
_TITLE = re.compile(rb"<title[^>]*>([^<]{0,200})", re.IGNORECASE)
_UNTRUSTED: Mapping[int, str] = {
    9: "tls_not_yet",
    10: "tls_expired",
    18: "tls_self_signed",
    19: "tls_unknown_issuer",
    20: "tls_unknown_issuer",
    21: "tls_unknown_issuer",
    62: "tls_wrong_name",
    64: "tls_wrong_name",
}


class Obstacle(Exception):
    """A step that failed; `code` names the case and `facts` what was seen."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True)
class Peer:
    """Whom we connect to: the authority itself or a proxy."""

    host: str
    port: int

    @property
    def place(self) -> str:
        """Return host and port as they are written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP; nothing is believed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        """Tell whether this is a page for people."""
        kind = self.headers.get("content-type", "")
        return "html" in kind or self.body.lstrip()[:15].lower().startswith(
            (b"<!doctype", b"<html")
        )

    @property
    def title(self) -> str:
        """Return the title of a page."""
        found = _TITLE.search(self.body)
        return _plain(found[1].decode(errors="replace")) if found else ""

    @property
    def redirect_host(self) -> str:
        """Return where a redirect leads, without whatever else its address says."""
        return _plain(_split(self.headers.get("location", "")).hostname or "")


class Way:
    """One address, and the connection towards it. Ends with its patience."""

    def __init__(self, url: str, ca_bundle: Path | None, patience: Patience) -> None:
        parts = _split(url)
        port, host = _port(parts), parts.hostname or ""
        self.url = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        self.is_secure = parts.scheme == "https"
        self._path = parts.path.rstrip("/")
        self._target = Peer(host, port or (443 if self.is_secure else 80))
        self._bundle = ca_bundle
        self._patience = patience
        self._addresses: list[str] = []
        self._socket: socket.socket | None = None
        chosen = select_proxy(url, get_environ_proxies(url)) if host else None
        self.proxy = _split(chosen if "://" in chosen else f"http://{chosen}") if chosen else None

    @property
    def peer(self) -> Peer:
        """Return who is connected to."""
        if self.proxy is None:
            return self._target
        return Peer(self.proxy.hostname or "", _port(self.proxy) or 80)

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def resolve(self) -> str:
        """Find the addresses of the peer's name and return the first."""
        host = self.peer.host
        if not host or self.peer.port < 1 or not self.url.startswith(("http:", "https:")):
            raise Obstacle("address_wrong", url=self.url)
        self._addresses = [host] if _is_address(host) else self._looked_up(host)
        return self._addresses[0]

    def _looked_up(self, host: str) -> list[str]:
        # The system's resolver knows no time limit of ours, so it gets a thread that may be left behind.
        found: list[str] = []
        refused: list[str] = []

        def ask() -> None:
            try:
                entries = socket.getaddrinfo(host, self.peer.port, type=socket.SOCK_STREAM)
                found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))
            except (OSError, UnicodeError) as error:
                refused.append(_reason(error))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(min(NAME_SECONDS, self._patience.left))
        prefix = "proxy_name" if self.proxy else "name"
        if asking.is_alive():
            raise Obstacle(f"{prefix}_silent", host=host)
        if not found:
            raise Obstacle(f"{prefix}_unknown", host=host, why=refused[0] if refused else "")
        return found

    def connect(self) -> None:
        """Open a connection to the first address that takes one."""
        prefix, place = "proxy" if self.proxy else "connection", self.peer.place
        self.close()
        obstacle = Obstacle(f"{prefix}_silent", place=place)
        for address in self._addresses:
            try:
                limit = min(CONNECT_SECONDS, self._patience.left)
                opened = socket.create_connection((address, self.peer.port), timeout=limit)
            except ConnectionRefusedError:
                obstacle = Obstacle(f"{prefix}_refused", place=place)
            except TimeoutError:
                obstacle = Obstacle(f"{prefix}_silent", place=place)
            except OSError as error:
                obstacle = Obstacle(f"{prefix}_failed", place=place, why=_reason(error))
            else:
                self._patience.watch(opened)
                self._socket = opened
                return
        raise obstacle

    def tunnel(self) -> None:
        """Ask the proxy to let us through to the authority."""
        if self.proxy is None or not self.is_secure:
            return
        if self.proxy.scheme == "https":
            raise Obstacle("proxy_https", place=self.peer.place)
        line = self._target.place
        head = f"CONNECT {line} HTTP/1.1\r\nHost: {line}\r\n{self._credentials()}\r\n"
        status = self._proxy_says(head)
        facts = {"place": self.peer.place, "status": str(status)}
        if status == 407:
            raise Obstacle("proxy_sign_in", **facts)
        if status in (502, 503, 504):
            raise Obstacle("proxy_cannot_reach", **facts)
        if status not in range(200, 300):
            raise Obstacle("proxy_forbids", **facts)

    def _credentials(self) -> str:
        if self.proxy is None or self.proxy.username is None:
            return ""
        pair = f"{unquote(self.proxy.username)}:{unquote(self.proxy.password or '')}"
        return f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}\r\n"

    def _proxy_says(self, head: str) -> int:
        place = self.peer.place
        try:
            connection = self._live()
            connection.sendall(head.encode())
            # Not one byte more than the head: what follows belongs to the tunnel.
            said = b""
            while not said.endswith(b"\r\n\r\n") and len(said) < 16_384:
                byte = connection.recv(1)
                if not byte:
                    break
                said += byte
        except TimeoutError as error:
            raise Obstacle("proxy_mute", place=place) from error
        except OSError as error:
            raise Obstacle("proxy_hangs_up", place=place) from error
        if self._patience.is_over:
            raise Obstacle("proxy_mute", place=place)
        if not said:
            raise Obstacle("proxy_hangs_up", place=place)
        found = re.match(rb"HTTP/1\.[01] ([1-5][0-9]{2})\b", said)
        if found is None:
            raise Obstacle(
                "proxy_strange", place=place, said=_plain(said[:80].decode(errors="replace"))
            )
        return int(found[1])

    def secure(self) -> dict[str, str]:
        """Begin TLS and return whose certificate was trusted."""
        context = self._context()
        try:
            self._wrap(context)
        except ssl.SSLCertVerificationError as error:
            code = _UNTRUSTED.get(error.verify_code, "tls_untrusted")
            raise Obstacle(code, why=error.verify_message, **self._seen_unverified()) from error
        except TimeoutError as error:
            raise Obstacle("tls_silent", host=self._target.host) from error
        except ssl.SSLError as error:
            raise Obstacle(self._tls_trouble(error), host=self._target.host) from error
        except OSError as error:
            raise Obstacle("tls_hangs_up", host=self._target.host) from error
        return self._certificate()

    def _tls_trouble(self, error: ssl.SSLError) -> str:
        if self._patience.is_over:
            return "tls_silent"
        plain = error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
        return "tls_not_spoken" if plain else "tls_hangs_up"

    def _context(self) -> ssl.SSLContext:
        named = self._bundle or next(
            (
                Path(os.environ[name])
                for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
                if os.environ.get(name)
            ),
            Path(DEFAULT_CA_BUNDLE_PATH),
        )
        try:
            if named.is_dir():
                return ssl.create_default_context(capath=str(named))
            return ssl.create_default_context(cafile=str(named))
        except OSError as error:
            raise Obstacle("bundle_unusable", path=str(named), why=_reason(error)) from error

    def _wrap(self, context: ssl.SSLContext) -> None:
        plain = self._live()
        self._socket = context.wrap_socket(plain, server_hostname=self._target.host)

    def _seen_unverified(self) -> dict[str, str]:
        """Return what the certificate that was not trusted says; asked for once more, to look at it."""
        try:
            self._open(verified=False)
            return self._certificate()
        except (Obstacle, OSError):
            return {"host": self._target.host, "issuer": "", "until": "", "since": "", "names": ""}

    def _open(self, *, verified: bool) -> None:
        self.connect()
        self.tunnel()
        if not self.is_secure:
            return
        context = self._context()
        if not verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._wrap(context)

    def _certificate(self) -> dict[str, str]:
        raw = self._socket.getpeercert(True) if isinstance(self._socket, ssl.SSLSocket) else None
        seen = {"host": self._target.host}
        try:
            found = x509.load_der_x509_certificate(raw or b"")
        except ValueError:
            return {**seen, "issuer": "", "until": "", "since": "", "names": ""}
        return {
            **seen,
            "issuer": _called(found.issuer),
            "until": f"{found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            "since": f"{found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            "names": _names(found),
            "now": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        }

    def get(self, path: str, *, verified: bool = True) -> Answer:
        """Ask for one path of the authority; the connection that stands is used up by it."""
        host = self._target.host
        try:
            if self._socket is None:
                self._open(verified=verified)
            return self._asked(path)
        except TimeoutError as error:
            raise Obstacle("answer_silent", host=host) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if self._patience.is_over:
                raise Obstacle("answer_silent", host=host) from error
            strange = isinstance(error, http.client.BadStatusLine) and not isinstance(
                error, http.client.RemoteDisconnected
            )
            raise Obstacle("answer_strange" if strange else "answer_hangs_up", host=host) from error
        finally:
            self.close()

    def _asked(self, path: str) -> Answer:
        line = f"{self._path}/{path}"
        whole = self.proxy is not None and not self.is_secure
        request = http.client.HTTPConnection(self._target.host, self._target.port)
        request.sock = self._live()
        headers = {"Connection": "close", "Accept": "application/json"}
        if whole and self.proxy is not None and self.proxy.username is not None:
            name, _colon, value = self._credentials().strip().partition(": ")
            headers[name] = value
        request.request(
            "GET", f"http://{self._target.place}{line}" if whole else line, headers=headers
        )
        answer = request.getresponse()
        body = answer.read(MAX_BYTES + 1)
        if self._patience.is_over:
            raise TimeoutError
        return Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        )

    def _live(self) -> socket.socket:
        if self._socket is None:
            self.connect()
        if self._socket is None:
            raise OSError("There is no connection.")
        self._socket.settimeout(min(SPEAK_SECONDS, self._patience.left))
        return self._socket


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # half an IPv6 address
        return SplitResult("", "", "", "", "")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:  # no number, or beyond 65535
        return -1


def _called(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(kind)
        if found:
            return _plain(str(found[0].value))
    return _plain(name.rfc4514_string())


def _names(found: x509.Certificate) -> str:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return _called(found.subject)
    return _plain(", ".join(str(one.value) for one in list(names)[:8]))


def _plain(text: str) -> str:
    """Return a stranger's text as one short line that carries no commands for a terminal."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:120]


def _reason(error: Exception) -> str:
    return _plain(getattr(error, "strerror", None) or str(error) or type(error).__name__)
