"""Whether this server's own place in the network is one that its licence covers (R-LIC-5)."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from installer.checks import Finding, passed, skipped, warned
from installer.doctor.patient import Patient
from server.core.entitlements import Entitlements
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.core.networks import Address, is_in, read_address, read_networks

# Addresses for documentation (RFC 5737, RFC 3849): asking which way leads there sends nothing.
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_addresses() -> Iterator[Address]:
    """Yield the addresses by which this server is reached in its network, without loopback."""
    for family, far in _FAR:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((far, 9))
            yield from _useful([asking.getsockname()[0]])
    with suppress(OSError):
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
        yield from _useful(str(entry[4][0]) for entry in found)


def _useful(texts: Iterable[str]) -> Iterator[Address]:
    for text in texts:
        address = read_address(text)
        if address is not None and not address.is_loopback and not address.is_unspecified:
            yield address


def networks(
    patient: Patient, addresses: Callable[[], Iterable[Address]] = own_addresses
) -> Finding:
    """Warn when colleagues beside this server would be outside the networks of the licence."""
    if patient.license is None or patient.settings is None:
        return skipped(_("The licence was not asked."))
    try:
        verdict = patient.license(patient.settings)
    except DaftarError as error:
        return skipped(error.message)
    return judge(verdict, tuple(dict.fromkeys(addresses())))


def judge(verdict: Entitlements, addresses: tuple[Address, ...]) -> Finding:
    """Judge where this server's addresses lie."""
    if verdict.license_id is None:
        return skipped(_("No licence is active yet."))
    if verdict.network_mode == "off":
        return passed(_("The licence covers users everywhere."))
    if not addresses:
        return skipped(_("This server has no address in a network now."))
    covered = ", ".join(verdict.networks)
    inside = [one for one in addresses if is_in(one, read_networks(verdict.networks))]
    if inside:
        return passed(
            _(
                "This server's address %(address)s lies inside the networks of the licence.",
                address=inside[0],
            )
        )
    return _outside(verdict, ", ".join(str(one) for one in addresses), covered)


def _outside(verdict: Entitlements, listed: str, covered: str) -> Finding:
    said = (
        _(
            "This server's address %(address)s is outside the networks of the licence, %(networks)s: "
            "colleagues beside it are warned.",
            address=listed,
            networks=covered,
        )
        if verdict.network_mode == "warn"
        else _(
            "This server's address %(address)s is outside the networks of the licence, %(networks)s: "
            "colleagues beside it are refused.",
            address=listed,
            networks=covered,
        )
    )
    fix = _("Ask the vendor to add this network to the licence; it takes effect at the next check.")
    return warned(said, fix)
