"""An SMS gateway for tests: a real HTTP server that keeps each request and answers as it is told to."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Gateway:
    """The gateway's address, what it was asked, and what it will answer: status, headers, text."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)

    def will_answer(self, status: int, text: str = "", **headers: str) -> None:
        """Give this answer to the next request that has none yet; afterwards everything is fine."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, text))


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length).decode()
            gateway.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            status, headers, text = gateway.answers.pop(0) if gateway.answers else (200, {}, "OK")
            content = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names of the standard library

        def do_HEAD(self) -> None:
            self.send_response(405)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Keep the test's output clean."""

    return Handler


@contextmanager
def running_gateway(context: ssl.SSLContext | None = None) -> Iterator[Gateway]:
    """Run a gateway inside the block."""
    gateway = Gateway()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(gateway)) as server:
        scheme = "http"
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        gateway.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
