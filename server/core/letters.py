"""What is sent to people, by which channel, and how it may fail. No network and no table here.

A carrier (`server.core.mail`, `server.core.sms`) takes a letter and returns the other side's answer, or
raises Undelivered. One policy says when both of them try again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Protocol

from server.core.i18n import gettext as _
from server.core.i18n import mark

# Nobody is woken: what comes up at night is told in the morning.
FIRST_HOUR = time(8)
LAST_HOUR = time(21)

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
LONGEST_REST = timedelta(minutes=15)
MAX_ATTEMPTS = 20
GOOD_FOR = timedelta(days=3)
LONGEST_ANSWER = 300


class Channel(StrEnum):
    """By which way a message reaches somebody."""

    EMAIL = "email"
    SMS = "sms"


class Stage(StrEnum):
    """How far a letter came before it failed."""

    SETTINGS = "settings"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    ANSWER = "answer"
    TOO_OLD = "too_old"
    TOO_OFTEN = "too_often"
    NOT_CONFIGURED = "not_configured"


# What fails for every letter alike: the next one need not be tried at once.
OF_THE_LINE = frozenset({Stage.SETTINGS, Stage.DNS, Stage.CONNECTION, Stage.TLS, Stage.SIGN_IN})

CHANNEL_LABELS = {Channel.EMAIL: mark("Email"), Channel.SMS: mark("SMS")}

STAGE_SENTENCES: Mapping[Stage, str] = {
    Stage.SETTINGS: mark(
        "A file that the settings name cannot be used. Correct it, then test again."
    ),
    Stage.DNS: mark(
        "The server's name cannot be resolved. Check the name in the settings and the name servers."
    ),
    Stage.CONNECTION: mark(
        "The server does not answer. Check host, port and the firewall in between."
    ),
    Stage.TLS: mark(
        "The encrypted connection fails. Check “security”, the clock and the certificate bundle."
    ),
    Stage.SIGN_IN: mark("The server refuses our sign-in. Check the user and the secret file."),
    Stage.SENDER: mark(
        "The server does not let us send from this address. Check “from_address” in the settings."
    ),
    Stage.RECIPIENT: mark("The server refuses the recipient. Check the address or number."),
    Stage.CONTENT: mark("The server refuses the message itself."),
    Stage.ANSWER: mark("The server answers something that is no confirmation."),
    Stage.TOO_OLD: mark("It could not be delivered while it was of use, and was given up."),
    Stage.TOO_OFTEN: mark("It was tried as often as is allowed, and was given up."),
    Stage.NOT_CONFIGURED: mark(
        "Nothing was configured that could send it. Fill in [mail] or [sms] in the settings."
    ),
}


def stage_sentence(stage: str) -> str:
    """Return where a delivery failed and what to do, in the reader's language; empty for no failure."""
    try:
        return _(STAGE_SENTENCES[Stage(stage)])
    except ValueError:
        return ""


@dataclass(frozen=True)
class Letter:
    """One message on its way. `reference` stays the same however often it is tried.

    `html` is empty for a letter of plain text alone; an SMS has neither it nor a subject.
    """

    channel: Channel
    to: str
    subject: str
    body: str
    reference: str
    html: str = ""
    locale: str = "en"


class Undelivered(Exception):
    """A letter did not get through. `answer` is what the other side said, without our secrets.

    A permanent one is never tried again. `retry_after` is what the other side asked for, in seconds.
    """

    def __init__(
        self,
        stage: Stage,
        answer: str,
        *,
        permanent: bool = False,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{stage.value}: {answer}")
        self.stage = stage
        self.answer = answer[:LONGEST_ANSWER]
        self.permanent = permanent
        self.retry_after = retry_after

    @property
    def of_the_line(self) -> bool:
        """Tell whether every other letter would fail as well."""
        return self.stage in OF_THE_LINE


class Carrier(Protocol):
    """Brings letters of one channel out of the house."""

    def send(self, letter: Letter) -> str:
        """Hand the letter over and return the other side's answer, or raise Undelivered."""

    def probe(self) -> str:
        """Go as far as it goes without sending anything; return the answer, or raise Undelivered."""


def may_leave(local: datetime) -> bool:
    """Tell whether people may be warned at this local time of day."""
    return FIRST_HOUR <= local.time() < LAST_HOUR


def pause_after(attempts: int, draw: float, retry_after: int | None = None) -> timedelta:
    """Return how long to wait after so many attempts (≥ 1): twice as long each time, half of it by chance.

    `draw` is a random number in [0, 1). What the other side asks for is the least, up to the longest pause.
    """
    doubled = FIRST_PAUSE * (1 << min(max(attempts, 1) - 1, 20))
    pause = min(doubled, LONGEST_PAUSE) * (0.5 + draw / 2)
    asked = timedelta(seconds=max(0, retry_after or 0))
    return max(pause, min(asked, LONGEST_PAUSE))


def rest_after(failures: int) -> timedelta:
    """Return how long a channel whose line is down is left alone after so many failures (≥ 1) in a row."""
    return min(FIRST_PAUSE * (1 << min(max(failures, 1) - 1, 20)), LONGEST_REST)
