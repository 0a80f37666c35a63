"""What a diagnosis of the way to the vendor found, in words: what was seen, why it matters, what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.core.format import span
from server.core.i18n import direction, ltr, mark
from server.core.i18n import gettext as _

TITLES: Mapping[str, str] = {
    "name": mark("Name (DNS)"),
    "connection": mark("Connection (TCP)"),
    "proxy": mark("Proxy"),
    "tls": mark("Encryption (TLS)"),
    "answer": mark("Answer of the vendor"),
    "clock": mark("Clock"),
}
WHY: Mapping[str, str] = {
    "name": mark("Without an address for the name nobody can be asked."),
    "connection": mark("Messages travel over a connection to this port."),
    "proxy": mark("Where the network asks for a proxy, it must let the vendor's address through."),
    "tls": mark("Encryption makes sure that nobody reads along or answers in the vendor's place."),
    "answer": mark("Only an answer with the vendor's signature changes anything here."),
    "clock": mark("Certificates and terms are judged by the clock."),
}
_ADDRESS_RIGHT = mark("Correct [license] authority_urls in daftar.toml.")
_NAME_SERVERS = mark(
    "Check the name servers of this server (/etc/resolv.conf), and whether the firewall lets "
    "port 53 through."
)
_PROXY_NAME = mark("Correct the proxy in HTTPS_PROXY, or check the name servers.")
_FIREWALL = mark("Allow connections from this server to %(place)s in the firewall.")
_PROXY_RUNS = mark("Check whether the proxy runs, and its address in HTTPS_PROXY.")
_CA_BUNDLE = mark(
    "If a proxy of yours opens encrypted connections, save its root certificate on this server "
    "and name the file in [license] ca_bundle; otherwise ask the vendor."
)
_CLOCK = mark("Set the clock right; a time service (systemd-timesyncd, chrony) keeps it so.")
_LOGIN = mark(
    "A firewall or a sign-in page of the network answers in the vendor's place. "
    "Exempt the vendor's address from it."
)
_WAIT = mark("Nothing is to be done here; the next check tries again by itself.")


@dataclass(frozen=True)
class Case:
    """One case: what was seen, and what to do (empty when nothing is wrong). Both are msgids."""

    seen: str
    fix: str = ""


CASES: Mapping[str, Case] = {
    "no_address": Case(mark("No address of the vendor is configured."), _ADDRESS_RIGHT),
    "address_wrong": Case(mark("%(url)s is no address of a service."), _ADDRESS_RIGHT),
    "name_found": Case(mark("%(host)s is at %(address)s.")),
    "name_literal": Case(mark("%(host)s is an address already; no name has to be looked up.")),
    "name_unknown": Case(mark("The name %(host)s is not known: %(why)s."), _NAME_SERVERS),
    "name_silent": Case(mark("No name server answers for %(host)s."), _NAME_SERVERS),
    "proxy_name_unknown": Case(
        mark("The name of the proxy, %(host)s, is not known: %(why)s."), _PROXY_NAME
    ),
    "proxy_name_silent": Case(mark("No name server answers for the proxy %(host)s."), _PROXY_NAME),
    "connected": Case(mark("%(place)s takes connections.")),
    "proxy_connected": Case(mark("The proxy %(place)s takes connections.")),
    "connection_refused": Case(mark("%(place)s refuses connections."), _FIREWALL),
    "connection_silent": Case(
        mark("%(place)s does not answer; a firewall may swallow the attempt."), _FIREWALL
    ),
    "connection_failed": Case(mark("%(place)s cannot be reached: %(why)s."), _FIREWALL),
    "proxy_refused": Case(mark("The proxy %(place)s refuses connections."), _PROXY_RUNS),
    "proxy_silent": Case(mark("The proxy %(place)s does not answer."), _PROXY_RUNS),
    "proxy_failed": Case(mark("The proxy %(place)s cannot be reached: %(why)s."), _PROXY_RUNS),
    "no_proxy": Case(mark("No proxy is used for this address.")),
    "proxy_lets_through": Case(mark("The proxy %(place)s lets the vendor's address through.")),
    "proxy_sign_in": Case(
        mark("The proxy asks for a sign-in (407)."),
        mark("Put name and password of the proxy into HTTPS_PROXY, or exempt this server."),
    ),
    "proxy_forbids": Case(
        mark("The proxy %(place)s forbids the vendor's address (%(status)s)."),
        mark("Allow the vendor's address at the proxy, or name it in NO_PROXY."),
    ),
    "proxy_cannot_reach": Case(
        mark("The proxy %(place)s cannot reach the vendor itself (%(status)s)."),
        mark("Look from the proxy: its name servers, its firewall and its internet line."),
    ),
    "proxy_strange": Case(
        mark("What answers at %(place)s is no proxy. It says: %(said)s"), _PROXY_RUNS
    ),
    "proxy_mute": Case(
        mark("The proxy %(place)s takes the connection and says nothing."), _PROXY_RUNS
    ),
    "proxy_hangs_up": Case(mark("The proxy %(place)s hangs up without an answer."), _PROXY_RUNS),
    "proxy_https": Case(
        mark(
            "The proxy %(place)s is spoken to over TLS, which cannot be looked into step by step."
        ),
        mark("Give HTTPS_PROXY an address that begins with http://, or look at the proxy's log."),
    ),
    "no_tls": Case(mark("The address begins with http://, so nothing is encrypted.")),
    "tls_trusted": Case(
        mark("The certificate is trusted; %(issuer)s issued it, valid until %(until)s.")
    ),
    "tls_expired": Case(
        mark("The certificate expired at %(until)s; the clock of this server shows %(now)s."),
        mark("If that clock is wrong, set it right; if it is right, tell the vendor."),
    ),
    "tls_not_yet": Case(
        mark("The certificate begins at %(since)s; the clock of this server shows %(now)s."), _CLOCK
    ),
    "tls_self_signed": Case(
        mark("The certificate is signed by nobody but itself (%(issuer)s)."), _CA_BUNDLE
    ),
    "tls_unknown_issuer": Case(
        mark(
            "The certificate was issued by “%(issuer)s”, which this server does not trust. "
            "Perhaps a proxy opens encrypted connections."
        ),
        _CA_BUNDLE,
    ),
    "tls_wrong_name": Case(
        mark("The certificate is for %(names)s, not for %(host)s. Somebody else answers there."),
        mark("Check the name servers, and whether the network answers in the vendor's place."),
    ),
    "tls_untrusted": Case(mark("The certificate is not trusted: %(why)s."), _CA_BUNDLE),
    "tls_not_spoken": Case(
        mark("What answers at %(host)s does not speak TLS."),
        mark("Check the port in [license] authority_urls, and whether the network intervenes."),
    ),
    "tls_silent": Case(
        mark("%(host)s takes the connection, but does not begin TLS."),
        mark("A firewall or a filter holds the connection. Exempt the vendor's address from it."),
    ),
    "tls_hangs_up": Case(
        mark("%(host)s hangs up while TLS begins."),
        mark("A firewall or a filter cuts the connection. Exempt the vendor's address from it."),
    ),
    "bundle_unusable": Case(
        mark("The certificate bundle %(path)s cannot be used: %(why)s."),
        mark("Correct [license] ca_bundle, or the file."),
    ),
    "answer_signed": Case(
        mark("The answer carries the vendor's signature (keys, issue %(version)s).")
    ),
    "answer_redirect": Case(mark("The answer leads elsewhere, to %(where)s."), _LOGIN),
    "answer_page": Case(
        mark("A page for people answers (%(status)s), with the title “%(title)s”."), _LOGIN
    ),
    "answer_forbidden": Case(mark("The answer is a refusal (%(status)s)."), _LOGIN),
    "answer_busy": Case(mark("The vendor asks for patience: too many requests."), _WAIT),
    "answer_unwell": Case(mark("The vendor's service is not well (%(status)s)."), _WAIT),
    "answer_foreign": Case(mark("What answers is not the vendor's service."), _LOGIN),
    "answer_not_signed": Case(
        mark("The answer does not carry the signature of this server's vendor."),
        mark(
            "Somebody else answers, or the vendor has new root keys: then copy root.json from "
            "the delivery to its place."
        ),
    ),
    "answer_keys_expired": Case(
        mark("The vendor's keys have expired by the clock of this server."), _CLOCK
    ),
    "answer_keys_old": Case(
        mark("The vendor's service shows older keys than this server knows already."),
        mark("A cache on the way may be the reason. It heals by itself, or tell the vendor."),
    ),
    "answer_silent": Case(mark("%(host)s takes the question and does not answer."), _WAIT),
    "answer_hangs_up": Case(mark("%(host)s hangs up without an answer."), _WAIT),
    "answer_strange": Case(mark("What answers at %(host)s does not speak HTTP."), _LOGIN),
    "clock_right": Case(
        mark("The clocks of this server and of the vendor differ by %(difference)s.")
    ),
    "clock_ahead": Case(
        mark("The clock of this server is %(difference)s ahead of the vendor's."), _CLOCK
    ),
    "clock_behind": Case(
        mark("The clock of this server is %(difference)s behind the vendor's."), _CLOCK
    ),
    "clock_before_signed": Case(
        mark(
            "The clock of this server is %(difference)s behind a time that the vendor has "
            "signed already, so it is certainly wrong."
        ),
        _CLOCK,
    ),
    "clock_unknown": Case(mark("Nobody could be asked for the time.")),
    "not_reached": Case(mark("Not looked at, because a step before it failed.")),
}
_CAUSES: Mapping[str, str] = {
    "name": mark(
        "The name of the vendor cannot be looked up. Everything behind it waits for that."
    ),
    "connection": mark(
        "No connection can be made. A firewall, or the internet line, is the reason."
    ),
    "proxy": mark("The proxy stands in the way."),
    "tls": mark("The encrypted connection is not trusted."),
    "answer": mark("Somebody answers, but not the vendor's service as it should."),
    "clock": mark("The way is free, but the clock of this server is wrong."),
}
_FREE = mark("The way to the vendor is free.")
_ONE_WAY = mark(
    "One of the vendor's addresses can be reached; that is enough. The other one cannot."
)


def in_words(code: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """Return what was seen and what to do. Facts of strangers are only ever values in a sentence."""
    case = CASES.get(code, Case(code))
    told = {**_NOTHING, **{name: _isolated(value) for name, value in facts.items() if value}}
    if "seconds" in facts:
        told["difference"] = span(int(facts["seconds"]))
    return _(case.seen, **told), _(case.fix, **told) if case.fix else ""


def _isolated(value: str) -> str:
    return ltr(value) if direction() == "rtl" else value


def cause(failed: Mapping[str, str | None]) -> str:
    """Return the verdict from the step that failed on the way to each address, None for a free way."""
    broken = [step for step in failed.values() if step is not None]
    if not broken:
        return _(_FREE)
    if len(broken) < len(failed):
        return _(_ONE_WAY)
    return _(_CAUSES[broken[0]])


_NOTHING = dict.fromkeys(
    (
        "url", "host", "address", "place", "why", "status", "said", "issuer", "until", "since",
        "now", "names", "path", "version", "where", "title", "difference", "seconds",
    ),
    "–",
)  # fmt: skip
