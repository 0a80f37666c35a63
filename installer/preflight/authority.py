"""Checks of the way to the licence authority: name, connection and HTTPS are told apart.

HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured: behind a proxy it is the proxy that is resolved
and connected to.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy

from installer.checks import Finding, Status, failed, passed, skipped, warned
from installer.preflight.network import TIMEOUT_S
from installer.preflight.plan import PreflightPlan
from server.core.i18n import gettext as _


def name_resolves(plan: PreflightPlan) -> Finding:
    """Check that the authority's name, or the proxy's, resolves."""
    return _each(plan, _resolve)


def port_answers(plan: PreflightPlan) -> Finding:
    """Check that a connection to the authority, or to the proxy, can be opened."""
    return _each(plan, _connect)


def service_answers(plan: PreflightPlan) -> Finding:
    """Check that the authority answers `/healthz` over a trusted connection."""
    return _each(plan, lambda url: _get(url, plan.ca_bundle))


def _each(plan: PreflightPlan, look: Callable[[str], Finding]) -> Finding:
    """Look at every address; one that works is enough, a dead one beside it is a warning."""
    if plan.offline:
        return skipped(_("The licence is activated by file."))
    if not plan.authority_urls:
        return skipped(_("No licence authority is configured."))
    findings = [look(url) for url in plan.authority_urls]
    good = [finding for finding in findings if finding.status is Status.PASS]
    bad = [finding for finding in findings if finding.status is not Status.PASS]
    detail = " · ".join(finding.detail for finding in findings)
    if not bad:
        return passed(detail)
    return (warned if good else failed)(detail, bad[0].fix)


def peer(url: str) -> tuple[str, int, bool]:
    """Return host and port that are really connected to, and whether that is a proxy."""
    proxy = select_proxy(url, get_environ_proxies(url))
    address = (
        urlsplit(proxy if "://" in str(proxy) else f"http://{proxy}") if proxy else urlsplit(url)
    )
    standard = 443 if address.scheme == "https" else 80
    return address.hostname or "", address.port or standard, proxy is not None


def _resolve(url: str) -> Finding:
    host, port, proxied = peer(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        sentence = (
            _("The proxy %(host)s does not resolve.", host=host)
            if proxied
            else _("The name %(host)s does not resolve.", host=host)
        )
        return failed(sentence, f"getent hosts {host}")
    return passed(f"{host} → {found[0][4][0]}")


def _connect(url: str) -> Finding:
    host, port, _proxied = peer(url)
    place = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S):
            return passed(_("%(place)s accepts connections.", place=place))
    except TimeoutError:
        return failed(
            _("%(place)s does not answer; a firewall may swallow it.", place=place),
            _allow(place),
        )
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return failed(
            _("%(place)s cannot be reached: %(why)s.", place=place, why=why),
            _allow(place),
        )


def _allow(place: str) -> str:
    return _(
        "Allow connections from this server to %(place)s. A server without internet answers "
        "offline = true in [license] and is licensed by file.",
        place=place,
    )


def _get(url: str, ca_bundle: str) -> Finding:
    address = f"{url.rstrip('/')}/healthz"
    try:
        answer = requests.get(
            address, timeout=TIMEOUT_S, verify=ca_bundle or True, allow_redirects=False
        )
    except requests.exceptions.ProxyError as error:
        return failed(
            _("The proxy refuses to connect to %(url)s: %(why)s.", url=url, why=_root(error)),
            _("Allow %(url)s at the proxy, or name it in NO_PROXY.", url=url),
        )
    except requests.exceptions.SSLError as error:
        return failed(
            _("The certificate of %(url)s is not trusted: %(why)s.", url=url, why=_root(error)),
            _(
                "Correct the server's clock, or name the certificate authority in [license] ca_bundle."
            ),
        )
    except (requests.exceptions.RequestException, OSError) as error:
        return failed(
            _("%(url)s does not answer: %(why)s.", url=url, why=_root(error)),
            f"curl -v {address}",
        )
    if answer.status_code != requests.codes.ok:
        return failed(
            _("%(url)s answers with code %(code)s.", url=address, code=answer.status_code),
            f"curl -v {address}",
        )
    return passed(_("%(url)s answers.", url=address))


def _root(error: BaseException) -> str:
    """Return the innermost reason, which is the one that names the cause."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__
