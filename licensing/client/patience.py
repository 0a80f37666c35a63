"""A hard end for one exchange: a peer that answers byte by byte is cut off, in whatever phase that is.

Timeouts of sockets begin anew with every byte; this one does not.
"""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class Patience:
    """Lets nothing more be read from the watched connections when its seconds are over. A context."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._twins: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    @property
    def is_over(self) -> bool:
        """Tell whether connections were cut: what came through them is then no answer."""
        return self._over

    @property
    def left(self) -> float:
        """Return the seconds that are left, at least a little, as a timeout needs."""
        return max(0.05, self._ends - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection too when the time is over."""
        # A twin of the descriptor: TLS takes the socket itself away from whoever opened it.
        twin = connection.dup()
        with self._lock:
            self._twins.append(twin)
            if self._over:
                _shut(twin)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for twin in self._twins:
                twin.close()
            self._twins.clear()

    def _cut(self) -> None:
        with self._lock:
            self._over = True
            for twin in self._twins:
                _shut(twin)


def _shut(twin: socket.socket) -> None:
    # Only its reading half: a socket that is shut in both is taken for one that was never connected,
    # and Python then skips the handshake of TLS.
    with suppress(OSError):  # closed by the other side meanwhile
        twin.shutdown(socket.SHUT_RD)
