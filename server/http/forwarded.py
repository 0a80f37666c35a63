"""Whose request it is, when proxies stand between: only the word of a trusted proxy counts.

A WSGI middleware that knows no feature. It walks `X-Forwarded-For` from the right past every trusted
proxy to the first address that is none; every other header about the caller is dropped, whoever sent
it. A trusted proxy that does not say for whom it asks leaves the caller unknown, which is never inside.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from waitress.proxy_headers import proxy_headers_middleware

from server.core.networks import UNIX, Address, Network, is_in, read_address, read_proxies

App = Callable[..., Any]

SOCKET_PEER = "localhost"  # waitress's word for a peer without an address
UNKNOWN = "daftar.caller_unknown"  # in the WSGI environment: a trusted proxy kept silent
_HOPS_READ = 20  # the chain is written by strangers as well; nobody stands behind so many proxies
_CHAIN = "HTTP_X_FORWARDED_FOR"
_NEVER_READ = (
    "HTTP_FORWARDED",
    "HTTP_FORWARDED_FOR",
    "HTTP_X_FORWARDED",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
)
_OF_PROXIES = (
    _CHAIN,
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_BY",
)


def read_hop(text: str) -> Address | None:
    """Return the address of one entry of X-Forwarded-For, which may carry brackets and a port."""
    entry = text.strip().strip('"')
    if entry.startswith("["):
        inner, bracket, _port = entry[1:].partition("]")
        return read_address(inner) if bracket else None
    if entry.count(":") == 1:  # an IPv4 address with a port
        entry = entry.partition(":")[0]
    return read_address(entry)


@dataclass(frozen=True)
class Proxies:
    """The proxies whose word counts: addresses, networks, or whoever may open our Unix socket."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    @classmethod
    def of(cls, names: Sequence[str]) -> "Proxies":
        """Return the proxies that the settings name. Raise Invalid when one is no address."""
        return cls(read_proxies(tuple(names)), UNIX in names)

    def trust(self, peer: str | None) -> bool:
        """Tell whether the word of this peer counts."""
        if peer == SOCKET_PEER:
            return self.unix
        return is_in(read_address(peer), self.networks)

    def caller(self, chain: str) -> Address | None:
        """Return who stands before all our proxies; None when the chain does not say so readably."""
        hops = [hop for hop in chain.split(",") if hop.strip()][-_HOPS_READ:]
        found = None
        for hop in reversed(hops):
            found = read_hop(hop)
            if not is_in(found, self.networks):
                return found
        return found


def behind(names: Sequence[str], app: App) -> App:
    """Return the application with the caller's address as these proxies tell it, and nobody else."""
    proxies = Proxies.of(names)
    told: App = proxy_headers_middleware(
        app,
        trusted_proxy="*",
        trusted_proxy_headers={"x-forwarded-proto", "x-forwarded-host"},
        clear_untrusted=True,
    )

    def enter(environ: dict[str, Any], start: Any) -> Any:
        for header in _NEVER_READ:
            environ.pop(header, None)
        if not proxies.trust(environ.get("REMOTE_ADDR")):
            for header in _OF_PROXIES:
                environ.pop(header, None)
            return app(environ, start)
        caller = proxies.caller(environ.pop(_CHAIN, ""))
        if caller is None:
            environ[UNKNOWN] = True
        else:
            environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = str(caller)
        return told(environ, start)

    return enter
