"""Checks of ports and names on the LAN, and of the mail relay."""

import errno
import smtplib
import socket

import requests

from installer.checks import Finding, failed, passed, skipped, warned
from installer.preflight.plan import PreflightPlan
from server.core.i18n import gettext as _
from server.core.version import VERSION

TIMEOUT_S = 5.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


def port_free(plan: PreflightPlan) -> Finding:
    """Fail when somebody else already listens on the port, or this user may not."""
    family = socket.AF_INET6 if ":" in plan.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((plan.host, plan.port))
        except OSError as error:
            return _port_refused(plan, error)
    return passed(_("%(host)s port %(port)s is free.", host=plan.host, port=plan.port))


def _port_refused(plan: PreflightPlan, error: OSError) -> Finding:
    place = {"host": plan.host, "port": plan.port}
    if error.errno == errno.EADDRINUSE and _is_daftar(plan):
        return passed(_("Daftar itself runs here."))
    if error.errno == errno.EADDRINUSE:
        return failed(
            _("Another program already listens on port %(port)s.", port=plan.port),
            f"ss -ltnp 'sport = :{plan.port}'",
        )
    if error.errno == errno.EACCES:
        return failed(
            _("Port %(port)s may not be used by this user.", port=plan.port),
            _("Choose [web] port 1024 or above."),
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return failed(
            _("%(host)s is no address of this machine.", host=plan.host),
            _("Choose one of the addresses that `ip address` shows as [web] host."),
        )
    return failed(
        _("%(host)s port %(port)s cannot be used: %(why)s.", why=error.strerror or error, **place),
        _("Choose another [web] host or port."),
    )


def _is_daftar(plan: PreflightPlan) -> bool:
    """Tell whether the service of this release answers there."""
    host = EVERYWHERE.get(plan.host, plan.host)
    place = f"[{host}]" if ":" in host else host
    try:
        with requests.Session() as asking:
            asking.trust_env = False  # a proxy has no business between us and ourselves
            answer = asking.get(f"http://{place}:{plan.port}/healthz", timeout=TIMEOUT_S)
        said = answer.json()
    except (requests.exceptions.RequestException, ValueError):
        return False
    return (
        isinstance(said, dict)
        and said.get("product") == "daftar"
        and said.get("version") == VERSION
    )


def lan_name(plan: PreflightPlan) -> Finding:
    """Judge whether the name that colleagues type leads to this machine."""
    name = plan.lan_name or socket.gethostname()
    fix = _("Give %(name)s an address of this server in the DNS of your network.", name=name)
    verdict = failed if plan.lan_name else warned
    try:
        found = socket.getaddrinfo(name, plan.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return verdict(_("The name %(name)s does not resolve.", name=name), fix)
    addresses = sorted({str(entry[4][0]) for entry in found})
    detail = f"{name} → {', '.join(addresses)}"
    if not any(_is_ours(address) for address in addresses):
        return warned(_("%(detail)s is not this machine.", detail=detail), fix)
    if all(address.startswith("127.") or address == "::1" for address in addresses):
        return warned(_("%(detail)s works on this machine alone.", detail=detail), fix)
    return passed(detail)


def _is_ours(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address.partition("%")[0], 0))
        except OSError:
            return False
    return True


def mail_relay(plan: PreflightPlan) -> Finding:
    """Warn when the mail relay does not answer as one."""
    relay = plan.mail_relay
    if relay is None:
        return skipped(_("No mail relay is configured."))
    place = f"{relay.host}:{relay.port}"
    try:
        with smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT_S) as server:
            code, _greeting = server.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        return warned(
            _("The mail relay %(place)s does not answer: %(why)s.", place=place, why=error),
            f"nc -vz {relay.host} {relay.port}",
        )
    if code >= 400:
        return warned(
            _("The mail relay %(place)s refuses with code %(code)s.", place=place, code=code),
            _("Allow this server to send at the relay."),
        )
    return passed(_("The mail relay %(place)s answers.", place=place))
