"""Serving: several waitress processes on one listening socket, and one process for the clock's jobs.

The parent binds, forks, restarts what dies and stops everybody on SIGTERM or SIGINT; requests that have
arrived are answered first. Children end when their parent is gone, so that nobody keeps the address.
It knows no feature, so that the vendor's authority runs on it too.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.http.app import MAX_BODY
from server.http.forwarded import behind

log = logging.getLogger(__name__)

App = Callable[..., Any]
GRACE_S = 20.0
ANSWER_S = 17.0  # what a web process takes of it for requests that have arrived
LOOK_S = 0.5
BACKLOG = 256
FAST_DEATH_S = 2.0


@dataclass(frozen=True)
class Serving:
    """How to serve: `make_app` runs in every web process, `run_jobs` in one process of its own.

    `run_jobs` gets an event and returns soon after it is set.
    """

    host: str
    port: int
    make_app: Callable[[], App]
    processes: int = 2
    threads: int = 8
    run_jobs: Callable[[threading.Event], None] | None = None
    trusted_proxies: tuple[str, ...] = ()
    on_ready: Callable[[], None] = field(default=lambda: None)


def bind(host: str, port: int) -> socket.socket:
    """Return the listening socket, or raise Missing when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Missing(
            _(
                "The address %(host)s:%(port)s cannot be used: %(why)s. "
                "Stop what uses it, or choose another port.",
                host=host,
                port=port,
                why=error.strerror,
            )
        ) from error
    listener.listen(BACKLOG)
    return listener


def _heed_parent(stop: Callable[[], None]) -> None:
    """Stop this child when its parent is gone, even by SIGKILL."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_S)
        log.error("The parent process is gone; ending.")
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _serve_until(stop: threading.Event, server: Any) -> None:
    """Serve until told to stop, then answer what has arrived; nothing new is accepted meanwhile."""
    while not stop.is_set():
        wasyncore.loop(timeout=1.0, map=server._map, count=1)
    server.del_channel()  # the listening socket leaves the loop
    deadline = time.monotonic() + ANSWER_S
    while _is_busy(server) and time.monotonic() < deadline:
        wasyncore.loop(timeout=0.05, map=server._map, count=1)
    server.task_dispatcher.shutdown(timeout=0.5)


def _is_busy(server: Any) -> bool:
    tasks = server.task_dispatcher
    waiting = any(
        channel.requests or channel.total_outbufs_len
        for channel in list(server.active_channels.values())
    )
    return bool(tasks.queue or tasks.active_count or waiting)


def _run_web(serving: Serving, listener: socket.socket) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells us when to stop
    options: dict[str, Any] = {
        "threads": serving.threads,
        "ident": None,
        "clear_untrusted_proxy_headers": False,  # done below, for each proxy
        "max_request_body_size": MAX_BODY,  # else a stranger may fill the disk with a gigabyte
    }
    app = behind(serving.trusted_proxies, serving.make_app())
    server: Any = create_server(app, sockets=[listener], **options)
    stop = threading.Event()

    def leave(*_signal: object) -> None:
        stop.set()
        server.pull_trigger()  # wakes the loop from its waiting

    signal.signal(signal.SIGTERM, leave)
    _heed_parent(leave)
    try:
        _serve_until(stop, server)
    finally:
        server.close()


def _run_jobs(serving: Serving) -> None:
    stop = threading.Event()
    _heed_parent(stop.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    if serving.run_jobs is not None:
        serving.run_jobs(stop)


class _Family:
    """The parent's children: what each one is for, and when it was born."""

    def __init__(self, serving: Serving, listener: socket.socket) -> None:
        self.serving = serving
        self.listener = listener
        self.children: dict[int, tuple[str, float]] = {}
        self.stopping = False

    def start(self) -> None:
        for _number in range(self.serving.processes):
            self.fork("web")
        if self.serving.run_jobs is not None:
            self.fork("jobs")

    def fork(self, role: str) -> None:
        pid = os.fork()
        if pid:
            self.children[pid] = (role, time.monotonic())
            return
        code = 1
        signal.signal(
            signal.SIGTERM, signal.SIG_DFL
        )  # not the parent's, until the child has its own
        try:
            if role == "web":
                _run_web(self.serving, self.listener)
            else:
                self.listener.close()
                _run_jobs(self.serving)
            code = 0
        except SystemExit:
            code = 0
        except BaseException:  # a child must never run on in the parent's code
            log.exception("The %s process ended unexpectedly.", role)
        finally:
            logging.shutdown()
            os._exit(code)

    def ended(self, pid: int, status: int) -> None:
        role, born = self.children.pop(pid)
        if self.stopping:
            return
        log.error("The %s process %s ended with status %s; starting another.", role, pid, status)
        if time.monotonic() - born < FAST_DEATH_S:
            time.sleep(FAST_DEATH_S)  # no storm of restarts when a process cannot live
        self.fork(role)

    def signal_all(self, number: signal.Signals) -> None:
        for pid in self.children:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + GRACE_S
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                self.ended(pid, status)
            elif time.monotonic() > deadline:
                self.signal_all(signal.SIGKILL)
                deadline = float("inf")
            else:
                time.sleep(0.05)


def serve(serving: Serving) -> None:
    """Serve until SIGTERM or SIGINT. Raise Missing when the address is taken."""
    listener = bind(serving.host, serving.port)
    family = _Family(serving, listener)

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    family.start()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        serving.on_ready()
        while True:
            pid, status = os.wait()
            family.ended(pid, status)
    except KeyboardInterrupt:
        log.info("Stopping: requests in flight are finished first.")
    finally:
        family.stopping = True
        family.signal_all(signal.SIGTERM)
        family.wait_until_gone()
        listener.close()
        sys.stdout.flush()
