"""Handing letters to a mail server over SMTP: every failure told by the step at which it happened."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from pathlib import Path

from server.core import clock
from server.core.errors import Missing
from server.core.letter_settings import Mail
from server.core.letters import LONGEST_ANSWER, Letter, Stage, Undelivered
from server.core.secret_files import private_text

_PERMANENT = 500


class MailCarrier:
    """Brings mail to the server of the settings, one connection for each letter."""

    def __init__(self, settings: Mail, *, home: Path, secrets: Path) -> None:
        self.settings = settings
        self.home = home
        self.secrets = secrets

    def send(self, letter: Letter) -> str:
        """Hand over the letter and return the server's last word, or raise Undelivered."""
        message = mail_of(letter, self.settings)
        with self._signed_in() as server:
            return _hand_over(server, message, self.settings.from_address, letter.to)

    def probe(self) -> str:
        """Connect and sign in, and send nothing. Raise Undelivered at the step that fails."""
        with self._signed_in() as server:
            return _said(*server.noop())

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        context = self._context()
        password = self._password()
        server = self._connect(context)
        try:
            if self.settings.security == "starttls":
                _start_tls(server, context)
            if password is not None:
                _sign_in(server, self.settings.user, password)
            yield server
        except smtplib.SMTPServerDisconnected as error:
            raise Undelivered(Stage.CONNECTION, str(error)) from error
        except OSError as error:
            raise Undelivered(*_line_fault(error)) from error
        finally:
            # The letter is taken or refused by now; how the goodbye goes does not matter.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        mail = self.settings
        name = mail.from_address.rpartition("@")[2]  # else smtplib asks the DNS who we are
        try:
            if mail.security == "tls":
                return smtplib.SMTP_SSL(
                    mail.host,
                    mail.port,
                    local_hostname=name,
                    timeout=mail.timeout_s,
                    context=context,
                )
            return smtplib.SMTP(mail.host, mail.port, local_hostname=name, timeout=mail.timeout_s)
        except smtplib.SMTPConnectError as error:
            raise Undelivered(Stage.CONNECTION, _said(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPException as error:
            raise Undelivered(Stage.CONNECTION, str(error)) from error
        except OSError as error:
            raise Undelivered(*_line_fault(error)) from error

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.settings.ca_bundle:
            path = self.home / self.settings.ca_bundle
            try:
                context.load_verify_locations(path)
            except OSError as error:  # an SSLError is one, for a file that holds no certificate
                why = error.strerror or str(error)
                raise Undelivered(Stage.SETTINGS, f"{path}: {why}") from error
        return context

    def _password(self) -> str | None:
        if not self.settings.password_file:
            return None
        try:
            return private_text(self.secrets / self.settings.password_file)
        except Missing as error:
            raise Undelivered(Stage.SETTINGS, error.message) from error


def mail_of(letter: Letter, mail: Mail) -> EmailMessage:
    """Return the letter as it travels. Its Message-ID is the same however often it is tried."""
    domain = mail.from_address.rpartition("@")[2]
    message = EmailMessage(policy=WIRE)
    try:
        message["From"] = Address(mail.from_name, addr_spec=mail.from_address)
        message["To"] = Address(addr_spec=letter.to)
        message["Subject"] = letter.subject
    except (ValueError, IndexError) as error:  # what the standard library raises for no address
        raise Undelivered(Stage.RECIPIENT, str(error), permanent=True) from error
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.reference}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no holiday note answers it
    message.set_content(letter.body, cte="base64")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", cte="base64")
    message["Content-Language"] = letter.locale  # last: a second part would carry it away
    return message


def _start_tls(server: smtplib.SMTP, context: ssl.SSLContext) -> None:
    try:
        server.starttls(context=context)
    except smtplib.SMTPNotSupportedError as error:
        raise Undelivered(Stage.TLS, "The server does not offer STARTTLS.") from error
    except smtplib.SMTPResponseException as error:
        raise Undelivered(Stage.TLS, _said(error.smtp_code, error.smtp_error)) from error


def _sign_in(server: smtplib.SMTP, user: str, password: str) -> None:
    try:
        server.login(user, password)
    except smtplib.SMTPResponseException as error:
        raise Undelivered(Stage.SIGN_IN, _said(error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPNotSupportedError, UnicodeEncodeError) as error:
        raise Undelivered(Stage.SIGN_IN, "The server offers no sign-in that we know.") from error
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as error:
        raise Undelivered(Stage.SIGN_IN, str(error)) from error


def _hand_over(server: smtplib.SMTP, message: EmailMessage, sender: str, to: str) -> str:
    """Give sender, recipient and content one after the other, so that each refusal has its step."""
    content = message.as_bytes()
    international = not (sender.isascii() and to.isascii())
    _code, _greeting = _step(server, Stage.CONNECTION, *server.ehlo())
    if international and not server.has_extn("smtputf8"):
        raise Undelivered(Stage.RECIPIENT, "The server takes only ASCII addresses.", permanent=True)
    options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
    _step(server, Stage.SENDER, *server.mail(sender, options))
    _step(server, Stage.RECIPIENT, *server.rcpt(to))
    try:
        code, answer = server.data(content)
    except smtplib.SMTPDataError as error:
        code, answer = error.smtp_code, error.smtp_error  # type: ignore[assignment] # bytes in fact
    return _said(*_step(server, Stage.CONTENT, code, answer))


def _step(server: smtplib.SMTP, stage: Stage, code: int, answer: bytes) -> tuple[int, bytes]:
    if 200 <= code < 300:
        return code, answer
    with contextlib.suppress(smtplib.SMTPException, OSError):
        server.rset()
    # 421 says that the server is about to leave, at whatever step.
    found = Stage.CONNECTION if code == 421 else stage
    raise Undelivered(found, _said(code, answer), permanent=code >= _PERMANENT)


def _said(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(f"{code} {text}".split())[:LONGEST_ANSWER]


def _line_fault(error: OSError) -> tuple[Stage, str]:
    if isinstance(error, ssl.SSLError):
        return Stage.TLS, getattr(error, "verify_message", "") or error.reason or str(error)
    if isinstance(error, socket.gaierror):
        return Stage.DNS, error.strerror or str(error)
    if isinstance(error, TimeoutError):
        return Stage.CONNECTION, "No answer in time."
    return Stage.CONNECTION, error.strerror or str(error)
