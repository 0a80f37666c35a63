"""Addresses and networks as settings, licences and requests name them. Pure; resolves no name."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from server.core.errors import Invalid
from server.core.i18n import gettext as _

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNIX = "unix"  # among the trusted proxies: whoever may open our Unix socket
_MAPPED = ip_network("::ffff:0:0/96")


def read_address(text: str | None) -> Address | None:
    """Return the address that the text is; IPv4 in IPv6 clothes as IPv4, a zone left out."""
    try:
        found = ip_address((text or "").strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def read_network(text: str) -> Network:
    """Return the network that the text is, one of IPv4 in IPv6 clothes as IPv4. Raise ValueError."""
    found = ip_network(text.strip(), strict=False)
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):  # type: ignore[arg-type] # IPv6
        inner = found.network_address.ipv4_mapped
        return ip_network(f"{inner}/{found.prefixlen - 96}", strict=False)
    return found


@lru_cache(maxsize=16)
def read_networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of these names. Raise ValueError."""
    return tuple(read_network(name) for name in names)


def is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    """Tell whether the address lies in one of the networks; no address does not."""
    return address is not None and any(
        address.version == network.version and address in network for network in networks
    )


def read_proxies(names: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks of trusted proxies, or raise Invalid: a name is no address, everybody no proxy."""
    found = []
    for name in names:
        if name == UNIX:
            continue
        try:
            network = read_network(name)
        except ValueError as error:
            raise Invalid(
                _(
                    "“%(name)s” is no address and no network of a proxy, such as 192.168.1.5 or 10.0.3.0/24.",
                    name=name,
                ),
                field="web.trusted_proxies",
            ) from error
        if network.prefixlen == 0:
            raise Invalid(
                _(
                    "“%(name)s” would believe everybody. Name the addresses of the proxies alone.",
                    name=name,
                ),
                field="web.trusted_proxies",
            )
        found.append(network)
    return tuple(found)
