"""Where users may sit: one server's clients are inside the networks that the licence names (R-LIC-5).

It governs signed-in use and tokens. Public links, the sign-in page and this server itself are exempt,
so that the local administrator is never locked out.
"""

import logging
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from flask import request

from server.core.entitlements import Entitlements
from server.core.errors import NotAllowed
from server.core.i18n import gettext as _
from server.http.access import visitor, wanted_access

log = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address


@lru_cache(maxsize=8)
def _parsed(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one, strict=False) for one in networks)


def _address(text: str | None) -> Address | None:
    try:
        found = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_this_machine(address: str | None) -> bool:
    """Tell whether the address is this machine's own; no address is not."""
    found = _address(address)
    return found is not None and found.is_loopback


def is_inside(address: str | None, networks: tuple[str, ...]) -> bool:
    """Tell whether the address is this machine or one of the networks; no address is outside."""
    found = _address(address)
    if found is None:
        return False
    return found.is_loopback or any(
        found.version == network.version and found in network for network in _parsed(networks)
    )


def check_network(verdict: Entitlements) -> None:
    """Refuse signed-in use from outside the networks of the licence."""
    access = wanted_access()
    if visitor() is not None and access is not None and not access.public:
        refuse_outsiders(verdict)


def refuse_outsiders(verdict: Entitlements) -> None:
    """Raise NotAllowed when the visitor is outside the networks and the licence insists on them."""
    if verdict.network_mode == "off" or is_inside(request.remote_addr, verdict.networks):
        return
    if verdict.network_mode == "warn":
        log.warning("A user is outside the networks of the licence.")
        return
    raise NotAllowed(
        _(
            "Your device, %(address)s, is outside the networks that the licence of this server covers. "
            "Connect to the organisation's network, or ask the vendor for a licence for your site.",
            address=request.remote_addr or "–",
        ),
        code="outside_network",
    )
