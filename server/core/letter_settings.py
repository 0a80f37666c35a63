"""The settings `[mail]` and `[sms]`, for the CRM and the authority alike, and what is wrong with them.

Light on purpose: every command reads the settings, few of them send anything.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from server.core.i18n import gettext as _

SECURITIES = ("none", "starttls", "tls")
METHODS = ("GET", "POST", "PUT")
BODY_FORMATS = ("json", "form", "xml", "text")
NUMBER_FORMATS = ("e164", "digits", "zeros", "national")
LONGEST_TIMEOUT_S = 60
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PLACEHOLDERS = ("to", "text", "id", "secret")
PLACE = re.compile(r"\{([a-z_]+)\}")
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)")
_FILE = re.compile(r"[\w.-]+")
_HEADER = re.compile(r"[A-Za-z0-9-]+: [\x20-\x7e]+")

Fault = tuple[str, str]


@dataclass(frozen=True)
class Mail:
    """The mail server that takes our mail. An empty `host` sends none."""

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password_file: str = ""
    from_address: str = ""
    from_name: str = ""
    timeout_s: int = 20
    ca_bundle: str = ""


@dataclass(frozen=True)
class Sms:
    """The gateway that takes our SMS over HTTP. An empty `url` sends none.

    `url`, `headers` and `body` are templates with `{to}`, `{text}`, `{id}` and `{secret}`.
    """

    url: str = ""
    method: str = "POST"
    headers: tuple[str, ...] = ()
    body: str = ""
    body_format: str = "json"
    secret_file: str = ""
    number_format: str = "e164"
    success_status: tuple[str, ...] = ("2xx",)
    success_pattern: str = ""
    timeout_s: int = 20
    ca_bundle: str = ""


def letter_faults(mail: Mail, sms: Sms) -> Iterator[Fault]:
    """Yield each setting that cannot be meant so, with the reason."""
    if mail.host:
        yield from _mail_faults(mail)
    if sms.url:
        yield from _sms_faults(sms)


def _mail_faults(mail: Mail) -> Iterator[Fault]:
    if not 0 < mail.port < 65_536:
        yield "mail.port", _("a port lies between 1 and 65535.")
    if mail.security not in SECURITIES:
        yield "mail.security", _("it is one of none, starttls and tls.")
    if not is_address(mail.from_address):
        yield "mail.from_address", _("mail needs an address to come from, such as crm@example.com.")
    if not mail.from_name.isprintable():
        yield "mail.from_name", _("it is one line of text.")
    if bool(mail.user) != bool(mail.password_file):
        yield "mail.password_file", _("user and password_file go together.")
    if mail.password_file and not _FILE.fullmatch(mail.password_file):
        yield "mail.password_file", _("it is the name of a file in the folder secrets/.")
    if mail.user and mail.security == "none" and mail.host not in LOOPBACK:
        yield "mail.security", _("without encryption everybody on the way reads the password.")
    yield from _timeout_faults("mail.timeout_s", mail.timeout_s)


def is_address(text: str) -> bool:
    """Tell whether the text is an address of email; nobody asks the network."""
    try:
        validate_email(
            text, check_deliverability=False, globally_deliverable=False, test_environment=True
        )
    except EmailNotValidError:
        return False
    return True


def _timeout_faults(place: str, seconds: int) -> Iterator[Fault]:
    if not 1 <= seconds <= LONGEST_TIMEOUT_S:
        yield place, _("it lies between 1 and %(n)s seconds.", n=LONGEST_TIMEOUT_S)


def _sms_faults(sms: Sms) -> Iterator[Fault]:
    choices: Mapping[str, tuple[str, tuple[str, ...]]] = {
        "sms.method": (sms.method, METHODS),
        "sms.body_format": (sms.body_format, BODY_FORMATS),
        "sms.number_format": (sms.number_format, NUMBER_FORMATS),
    }
    for place, (value, allowed) in choices.items():
        if value not in allowed:
            yield place, _("it is one of %(words)s.", words=", ".join(allowed))
    yield from _place_faults(sms)
    yield from _answer_faults(sms)
    yield from _timeout_faults("sms.timeout_s", sms.timeout_s)


def _place_faults(sms: Sms) -> Iterator[Fault]:
    """Yield what is wrong with the templates and their placeholders."""
    if not _is_url(PLACE.sub("1", sms.url)):
        yield "sms.url", _("it is an address such as https://gateway.example/send.")
    elif "{" in sms.url.partition("://")[2].partition("/")[0]:
        yield "sms.url", _("its host is no place for a placeholder.")
    headers = "\n".join(sms.headers)
    for place, text in (("sms.url", sms.url), ("sms.body", sms.body), ("sms.headers", headers)):
        yield from (
            (place, _("{%(word)s} is none of {to}, {text}, {id}, {secret}.", word=word))
            for word in PLACE.findall(text)
            if word not in PLACEHOLDERS
        )
    for word in ("to", "text"):
        if f"{{{word}}}" not in sms.url + sms.body:
            yield "sms.body", _("neither url nor body has the place {%(word)s}.", word=word)
    yield from _header_faults(sms.headers)
    yield from _secret_faults(sms, sms.url + sms.body + headers)
    yield from _body_faults(sms)


def _header_faults(headers: tuple[str, ...]) -> Iterator[Fault]:
    if not all(_HEADER.fullmatch(header) for header in headers):
        yield "sms.headers", _("each of them is one line of ASCII such as “X-Key: {secret}”.")
    if any("{text}" in header for header in headers):
        yield "sms.headers", _("a header is no place for {text}.")


def _secret_faults(sms: Sms, texts: str) -> Iterator[Fault]:
    if sms.secret_file and not _FILE.fullmatch(sms.secret_file):
        yield "sms.secret_file", _("it is the name of a file in the folder secrets/.")
    if bool(sms.secret_file) != ("{secret}" in texts):
        yield "sms.secret_file", _("secret_file and the place {secret} go together.")


def _body_faults(sms: Sms) -> Iterator[Fault]:
    if sms.body and sms.method == "GET":
        yield "sms.body", _("a GET has no body; put the places into the url.")
    if sms.body and sms.body_format == "json":
        try:
            json.loads(PLACE.sub("1", sms.body))
        except ValueError:
            yield "sms.body", _("it is no JSON once the places are filled in.")


def _answer_faults(sms: Sms) -> Iterator[Fault]:
    if not sms.success_status or not all(_STATUS.fullmatch(code) for code in sms.success_status):
        yield "sms.success_status", _("it lists codes such as 200, or 2xx for all of them.")
    try:
        re.compile(sms.success_pattern)
    except re.error as error:
        yield "sms.success_pattern", _("it is no regular expression: %(why)s.", why=error)


def is_origin(text: str) -> bool:
    """Tell whether the text is the address of a site: scheme, host, perhaps a port, and nothing behind."""
    return _is_url(text) and text.count("/") == 2 and "?" not in text and "#" not in text


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and parts.username is None
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )
