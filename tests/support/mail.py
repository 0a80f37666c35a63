"""A mail server for tests: takes every message and keeps it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.ports import free_port

PATIENCE_SECONDS = 20


class MailServer:
    """A real SMTP server on the loopback and the messages it was given, oldest first."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()  # the controller cannot tell which port 0 became
        self.messages: list[EmailMessage] = []
        self._arrived = threading.Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message as it came."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()
        return "250 Kept"

    def wait_for(self, count: int) -> list[EmailMessage]:
        """Return the messages as soon as there are so many; fail when they do not come."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.messages) >= count, PATIENCE_SECONDS)
            subjects = [message["subject"] for message in self.messages]
            assert came, f"Expected {count} messages, got {len(subjects)}: {subjects}"
            return list(self.messages)


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """Run a mail server inside the block."""
    server = MailServer()
    controller = Controller(server, hostname=server.host, port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
