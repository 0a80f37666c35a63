"""Where users may sit: one server's clients are inside the networks that the licence names (R-LIC-5).

It governs signed-in use and tokens. Public links, the sign-in page and this server itself are exempt,
so that the local administrator is never locked out. Who comes from outside is counted, whether the
licence refuses or only warns.
"""

from functools import lru_cache
from typing import Protocol

from flask import current_app, g, request

from server.core.entitlements import Entitlements
from server.core.errors import NotAllowed
from server.core.i18n import gettext as _
from server.core.networks import is_in, read_address, read_networks
from server.http.access import visitor, wanted_access
from server.http.forwarded import UNKNOWN

TALLY = "daftar.outsiders"  # the application's extension that counts them, if it has one
NOBODY_KNOWS = "unknown"


class Tally(Protocol):
    """Counts who came from outside."""

    def note(self, address: str, user_id: int | None, *, refused: bool) -> None:
        """Count one request."""


class Outside(NotAllowed):
    """The caller sits outside the networks of the licence. Programs read both in `members`."""

    def __init__(self, message: str, address: str | None, networks: tuple[str, ...]) -> None:
        super().__init__(message, code="outside_network")
        self.address = address
        self.networks = networks
        self.members = {"address": address, "networks": list(networks)}  # type: ignore[dict-item] # wider than a permission


def is_this_machine(address: str | None) -> bool:
    """Tell whether the address is this machine's own; no address is not."""
    found = read_address(address)
    return found is not None and found.is_loopback


@lru_cache(maxsize=4096)  # every request asks; an office has few addresses
def is_inside(address: str | None, networks: tuple[str, ...]) -> bool:
    """Tell whether the address is this machine or one of the networks; no address is outside."""
    found = read_address(address)
    return found is not None and (found.is_loopback or is_in(found, read_networks(networks)))


@lru_cache(maxsize=4096)
def _is_readable(address: str | None) -> bool:
    return read_address(address) is not None


def caller() -> str | None:
    """Return the address of whoever sent the running request; None when no trusted proxy told it."""
    asked = request._get_current_object()  # type: ignore[attr-defined]  # once, and not three times
    address: str | None = asked.remote_addr
    return None if asked.environ.get(UNKNOWN) or not _is_readable(address) else address


def check_network(verdict: Entitlements) -> None:
    """Refuse signed-in use from outside the networks of the licence."""
    if verdict.network_mode == "off":
        return
    access = wanted_access()
    if visitor() is None or access is None or access.public or access.anywhere:
        return
    refuse_outsiders(verdict)


def refuse_outsiders(verdict: Entitlements) -> None:
    """Raise Outside when the visitor is outside the networks and the licence insists on them."""
    address = caller()
    if verdict.network_mode == "off" or is_inside(address, verdict.networks):
        return
    refused = verdict.network_mode != "warn"
    _count(address, refused=refused)
    g.outside = address or NOBODY_KNOWS
    if refused:
        raise Outside(_sentence(address, verdict.networks), address, verdict.networks)


def _count(address: str | None, *, refused: bool) -> None:
    tally: Tally | None = current_app.extensions.get(TALLY)
    actor = visitor()
    if tally is not None:
        tally.note(
            address or NOBODY_KNOWS, actor.user_id if actor is not None else None, refused=refused
        )


def _sentence(address: str | None, networks: tuple[str, ...]) -> str:
    if address is None:
        return _(
            "A proxy passed this request on without saying whose it is, so it counts as outside the "
            "networks that the licence of this server covers: %(networks)s. Ask an administrator to let "
            "the proxy send X-Forwarded-For.",
            networks=", ".join(networks),
        )
    return _(
        "Your device, %(address)s, is outside the networks that the licence of this server covers: "
        "%(networks)s. Connect to the organisation's network, or ask the vendor for a licence for your site.",
        address=address,
        networks=", ".join(networks),
    )
