"""Handing SMS to a gateway over HTTP. The settings say how a request looks and what means success."""

import contextlib
import json
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit
from xml.sax.saxutils import escape

import phonenumbers
import requests

from server.core import clock
from server.core.errors import Missing
from server.core.letter_settings import PLACE, Sms
from server.core.letters import LONGEST_ANSWER, Letter, Stage, Undelivered
from server.core.secret_files import private_text

_MOST_BYTES = 64 * 1024
_CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "application/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
_BODY_FORMS: Mapping[str, Callable[[str], str]] = {
    "json": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "form": quote_plus,
    "xml": lambda value: escape(value, {'"': "&quot;", "'": "&apos;"}),
    "text": lambda value: value,
}
# Who we are, and when to come back: another letter or another hour may well get through.
_OURS = frozenset({401, 403, 407})
_LATER = frozenset({408, 425, 429})


class SmsCarrier:
    """Brings SMS to the gateway of the settings."""

    def __init__(self, settings: Sms, *, home: Path, secrets: Path) -> None:
        self.settings = settings
        self.home = home
        self.secrets = secrets

    def send(self, letter: Letter) -> str:
        """Hand over the letter and return the gateway's answer, or raise Undelivered."""
        secret = self._secret()
        places = {
            "to": dialled(letter.to, self.settings.number_format),
            "text": letter.body,
            "id": letter.reference,
            "secret": secret,
        }
        try:
            status, text, pause = self._exchange(request_of(self.settings, places))
        except OSError as error:  # of requests, or of a CA bundle that is not there
            raise Undelivered(*_line_fault(error)) from error
        return self._judge(status, _without(text, secret), pause)

    def probe(self) -> str:
        """Open a connection to the gateway and send nothing, since every request may cost money."""
        self._secret()
        parts = urlsplit(PLACE.sub("1", self.settings.url))
        place = f"{parts.scheme}://{parts.netloc}/"
        try:
            with requests.Session() as session:
                session.head(
                    place,
                    timeout=self.settings.timeout_s,
                    verify=self._verify(),
                    allow_redirects=False,
                ).close()
        except OSError as error:
            raise Undelivered(*_line_fault(error)) from error
        return place

    def _secret(self) -> str:
        if not self.settings.secret_file:
            return ""
        try:
            return private_text(self.secrets / self.settings.secret_file)
        except Missing as error:
            raise Undelivered(Stage.SETTINGS, error.message) from error

    def _verify(self) -> bool | str:
        if not self.settings.ca_bundle:
            return True
        path = self.home / self.settings.ca_bundle
        if not path.is_file():
            raise Undelivered(Stage.SETTINGS, f"{path}: no such file")
        return str(path)

    def _exchange(self, request: requests.Request) -> tuple[int, str, int | None]:
        limit = clock.monotonic() + self.settings.timeout_s
        with requests.Session() as session:
            prepared = request.prepare()  # not by the session, which would add what a ~/.netrc says
            options = session.merge_environment_settings(
                prepared.url, {}, stream=True, verify=self._verify(), cert=None
            )
            answer = session.send(
                prepared,
                timeout=self.settings.timeout_s,
                allow_redirects=False,  # a redirect would carry the secret somewhere else
                **options,
            )
            with contextlib.closing(answer):
                body = b""
                for chunk in answer.iter_content(4096):
                    body += chunk
                    if len(body) > _MOST_BYTES or clock.monotonic() > limit:
                        break  # no stranger fills our memory or keeps us waiting
                return answer.status_code, body.decode("utf8", "replace"), _retry_after(answer)

    def _judge(self, status: int, text: str, pause: int | None) -> str:
        said = " ".join(f"{status} {text}".split())[:LONGEST_ANSWER]
        sms = self.settings
        if any(_covers(code, status) for code in sms.success_status):
            if sms.success_pattern and not re.search(sms.success_pattern, text):
                # It may have been sent all the same; asking again could cost and annoy.
                raise Undelivered(Stage.ANSWER, said, permanent=True)
            return said
        if status in _OURS:
            raise Undelivered(Stage.SIGN_IN, said)
        if status in _LATER or not 400 <= status < 500:
            raise Undelivered(Stage.ANSWER, said, retry_after=pause)
        raise Undelivered(Stage.CONTENT, said, permanent=True)


def request_of(sms: Sms, places: Mapping[str, str]) -> requests.Request:
    """Return the request with every place filled in as the place it stands in demands."""
    headers = {"Content-Type": _CONTENT_TYPES[sms.body_format]} if sms.body else {}
    for line in sms.headers:
        name, _colon, value = line.partition(":")
        headers[name] = _filled(value.strip(), places, lambda text: text)
    return requests.Request(
        sms.method,
        _filled(sms.url, places, lambda text: quote(text, safe="")),
        headers=headers,
        data=_filled(sms.body, places, _BODY_FORMS[sms.body_format]).encode() or None,
    )


def _filled(template: str, places: Mapping[str, str], write: Callable[[str], str]) -> str:
    return PLACE.sub(lambda place: write(places[place[1]]), template)


def dialled(number: str, form: str) -> str:
    """Return a kept number (E.164, perhaps with an extension) as the gateway wants it."""
    plain = number.partition(";")[0]
    if form == "national":
        try:
            parsed = phonenumbers.parse(plain, None)
        except phonenumbers.NumberParseException as error:
            raise Undelivered(Stage.RECIPIENT, str(error), permanent=True) from error
        shown = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        return "".join(letter for letter in shown if letter.isdecimal())
    digits = plain.removeprefix("+")
    return {"digits": digits, "zeros": f"00{digits}"}.get(form, plain)


def _covers(code: str, status: int) -> bool:
    return str(status) == code or (code.endswith("xx") and str(status)[0] == code[0])


def _without(text: str, secret: str) -> str:
    return text.replace(secret, "•••") if secret else text


def _retry_after(answer: requests.Response) -> int | None:
    value = answer.headers.get("Retry-After", "")
    return int(value[:9]) if value.isascii() and value.isdigit() else None


def _line_fault(error: OSError) -> tuple[Stage, str]:
    """Return the step and the reason; the text of requests would tell the address with its secrets."""
    if not isinstance(error, requests.RequestException):
        return Stage.SETTINGS, str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return Stage.TLS, _tls_reason(error)
    words = str(error)
    if "NameResolutionError" in words or "Failed to resolve" in words:
        return Stage.DNS, "The name does not resolve."
    return Stage.CONNECTION, _silence(error, words)


def _silence(error: requests.RequestException, words: str) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "The proxy refuses."
    if isinstance(error, requests.Timeout):
        return "No answer in time."
    return "Connection refused" if "refused" in words else type(error).__name__


def _tls_reason(error: BaseException) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return getattr(seen, "verify_message", "") or seen.reason or "SSLError"
        inner = seen.args[0] if seen.args else None
        reason = getattr(inner, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
    return "SSLError"
