"""A mail server for tests: takes every message and keeps it, or refuses as it is told to."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.support.ports import free_port

PATIENCE_SECONDS = 20


@dataclass
class Manners:
    """How a mail server behaves. `refusals` are answers by step: `MAIL`, `RCPT`, `DATA`; a list is used up.

    An answer of `hang up` closes the connection instead. With `password` one can sign in as `user`.
    """

    refusals: dict[str, list[str]] = field(default_factory=dict)
    user: str = "daftar"
    password: str = ""
    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None


class MailServer:
    """A real SMTP server on the loopback and the messages it was given, oldest first."""

    def __init__(self, manners: Manners | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()  # the controller cannot tell which port 0 became
        self.manners = manners or Manners()
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self._arrived = threading.Condition()

    def _refusal(self, step: str, server: Any) -> str | None:
        waiting = self.manners.refusals.get(step, [])
        if not waiting:
            return None
        answer = waiting.pop(0)
        if answer == "hang up":
            server.transport.close()
        return answer

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Take the sender, or refuse it."""
        refusal = self._refusal("MAIL", server)
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 Sender taken"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Take the recipient, or refuse it."""
        refusal = self._refusal("RCPT", server)
        if refusal is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return refusal or "250 Recipient taken"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message as it came, or refuse it."""
        refusal = self._refusal("DATA", server)
        if refusal is not None:
            return refusal
        message = message_from_bytes(envelope.content, policy=policy.default)
        with self._arrived:
            self.messages.append(message)
            self.recipients += envelope.rcpt_tos
            self._arrived.notify_all()
        return "250 Kept"

    def check_password(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, offered: Any
    ) -> AuthResult:
        """Let in who knows user and password."""
        known = (self.manners.user.encode(), self.manners.password.encode())
        return AuthResult(success=(offered.login, offered.password) == known, handled=False)

    def wait_for(self, count: int) -> list[EmailMessage]:
        """Return the messages as soon as there are so many; fail when they do not come."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.messages) >= count, PATIENCE_SECONDS)
            subjects = [message["subject"] for message in self.messages]
            assert came, f"Expected {count} messages, got {len(subjects)}: {subjects}"
            return list(self.messages)


@contextmanager
def running_mail_server(manners: Manners | None = None) -> Iterator[MailServer]:
    """Run a mail server inside the block."""
    server = MailServer(manners)
    wanted = server.manners
    controller = Controller(
        server,
        hostname=server.host,
        port=server.port,
        ssl_context=wanted.tls,
        tls_context=wanted.starttls,
        require_starttls=wanted.starttls is not None,
        authenticator=server.check_password if wanted.password else None,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
