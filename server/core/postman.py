"""Bringing out what lies in the outbox, by one policy for mail and SMS.

Each message is claimed in the database before it is sent, so that two processes never send the same one.
A worker that dies between sending and writing that down leaves it to a successor: mail then arrives twice
with one Message-ID, an SMS with one id. Logs name messages by number, never what they say or to whom.
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.core import clock
from server.core.db import Database
from server.core.letter_settings import Mail, Sms
from server.core.letters import (
    LONGEST_PAUSE,
    LONGEST_REST,
    MAX_ATTEMPTS,
    Carrier,
    Channel,
    Letter,
    Stage,
    Undelivered,
    pause_after,
    rest_after,
)
from server.core.outbox import OutgoingMessage, State

log = logging.getLogger(__name__)

# Longer than a carrier can take: ten exchanges with a mail server at the longest timeout.
CLAIM = timedelta(minutes=10)
# No pause is that long: whatever waits beyond was written under a clock that has been set back since.
BEYOND = LONGEST_PAUSE * 2
BUDGET_S = 20.0  # the scheduler has other work
KEPT = timedelta(days=180)


def carriers(mail: Mail, sms: Sms, *, home: Path, secrets_dir: Path) -> dict[Channel, Carrier]:
    """Return a carrier for each channel that is configured."""
    found: dict[Channel, Carrier] = {}
    if mail.host:
        from server.core.mail import MailCarrier

        found[Channel.EMAIL] = MailCarrier(mail, home=home, secrets=secrets_dir)
    if sms.url:
        from server.core.sms import SmsCarrier  # heavy, and only for who sends any

        found[Channel.SMS] = SmsCarrier(sms, home=home, secrets=secrets_dir)
    return found


@dataclass(frozen=True)
class _Claimed:
    id: int
    purpose: str
    attempts: int
    letter: Letter


@dataclass(frozen=True)
class _Rest:
    failures: int
    until: datetime


class Postman:
    """Sends what is due. One instance belongs to one process."""

    def __init__(self, database: Database, carrying: Mapping[Channel, Carrier]) -> None:
        self.database = database
        self.carrying = carrying
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._rests: dict[Channel, _Rest] = {}
        self._thread: threading.Thread | None = None

    def keep_going(self) -> None:
        """See to it that somebody sends while messages are due; return at once.

        A mail server that keeps us waiting must not hold up the scheduler's other jobs.
        """
        if (self._thread is not None and self._thread.is_alive()) or not self._is_any_due():
            return
        self._thread = threading.Thread(target=self._work_off, name="letters", daemon=True)
        self._thread.start()

    def _work_off(self) -> None:
        try:
            self.work()
        except SQLAlchemyError:
            log.exception("The outbox cannot be worked off; the next look tries again.")

    def _is_any_due(self) -> bool:
        now = clock.now()
        due = or_(
            OutgoingMessage.next_at <= now,
            OutgoingMessage.next_at > now + BEYOND,
            OutgoingMessage.expires_at <= now,
        )
        with self.database.read() as session:
            query = select(OutgoingMessage.id).where(OutgoingMessage.state == State.WAITING, due)
            return session.scalar(query.limit(1)) is not None

    def work(self) -> None:
        """Send what is due for a while, and give up what nobody wants any more."""
        self.give_up()
        end = clock.monotonic() + BUDGET_S
        while clock.monotonic() < end and self.deliver_next():
            pass

    def deliver_next(self, message_id: int | None = None) -> bool:
        """Try one message, by default the next that is due; tell whether there was one."""
        claimed = self._claim(message_id)
        if claimed is None:
            return False
        channel = claimed.letter.channel
        try:
            answer = self.carrying[channel].send(claimed.letter)
        except Undelivered as failure:
            self._failed(claimed, failure)
            return True
        except Exception:
            # A letter that a carrier stumbles over must not hold up those behind it.
            log.exception("Message %s (%s) broke the carrier.", claimed.id, claimed.purpose)
            self._failed(claimed, Undelivered(Stage.CONTENT, "internal error"))
            return True
        self._rests.pop(channel, None)
        self._sent(claimed, answer)
        return True

    def give_up(self) -> int:
        """Settle what waited until nobody wants it any more; return how many."""
        now = clock.now()
        with self.database.write() as session:
            late = session.scalars(
                select(OutgoingMessage)
                .where(
                    OutgoingMessage.state == State.WAITING,
                    OutgoingMessage.expires_at <= now,
                    or_(
                        OutgoingMessage.claimed_until.is_(None),
                        OutgoingMessage.claimed_until <= now,
                    ),
                )
                .limit(500)
                .with_for_update(skip_locked=True)
            ).all()
            for message in late:
                never = message.attempts == 0 and message.channel not in self.carrying
                stage = Stage.NOT_CONFIGURED if never else Stage.TOO_OLD
                _settle(message, State.FAILED, now, stage)
        return len(late)

    def _claim(self, message_id: int | None) -> _Claimed | None:
        now = clock.now()
        open_ = [channel for channel in self.carrying if not self._resting(channel, now)]
        if message_id is not None:
            open_ = list(self.carrying)
        free = or_(
            OutgoingMessage.claimed_until.is_(None),
            OutgoingMessage.claimed_until <= now,
            OutgoingMessage.claimed_until > now + CLAIM * 2,  # under a clock that was set back
        )
        query = (
            select(OutgoingMessage)
            .where(
                OutgoingMessage.state == State.WAITING,
                OutgoingMessage.channel.in_(open_),
                or_(OutgoingMessage.next_at <= now, OutgoingMessage.next_at > now + BEYOND),
                free,
            )
            .order_by(OutgoingMessage.is_urgent.desc(), OutgoingMessage.next_at, OutgoingMessage.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if message_id is not None:
            query = query.where(OutgoingMessage.id == message_id)
        if not open_:
            return None
        with self.database.write() as session:
            message = session.scalar(query)
            if message is None:
                return None
            message.claimed_by, message.claimed_until = self.name, now + CLAIM
            message.attempts += 1
            message.tried_at = now
            return _Claimed(message.id, message.purpose, message.attempts, message.letter)

    def _resting(self, channel: Channel, now: datetime) -> bool:
        rest = self._rests.get(channel)
        return rest is not None and now < rest.until <= now + LONGEST_REST

    def _sent(self, claimed: _Claimed, answer: str) -> None:
        with self.database.write() as session:
            message = _held(session, claimed.id)
            # What went out is sent, even if a successor thought us dead and took over meanwhile.
            if message is not None and message.state is not State.SENT:
                message.answer = answer
                _settle(message, State.SENT, clock.now())
        log.info("Message %s (%s) was sent.", claimed.id, claimed.purpose)

    def _failed(self, claimed: _Claimed, failure: Undelivered) -> None:
        now = clock.now()
        if failure.of_the_line:
            self._rest(claimed.letter.channel, now)
        pause = pause_after(claimed.attempts, _draw(), failure.retry_after)
        with self.database.write() as session:
            message = _held(session, claimed.id)
            if message is None or message.claimed_by != self.name:
                return
            message.answer = failure.answer
            if failure.permanent:
                _settle(message, State.FAILED, now, failure.stage)
            elif claimed.attempts >= MAX_ATTEMPTS:
                _settle(message, State.FAILED, now, Stage.TOO_OFTEN)
            else:
                message.problem = failure.stage.value
                message.next_at = now + pause
                message.claimed_by = message.claimed_until = None
        log.warning(
            "Message %s (%s) was not delivered at attempt %s: %s%s.",
            claimed.id,
            claimed.purpose,
            claimed.attempts,
            failure.stage.value,
            ", for good" if failure.permanent else "",
        )

    def _rest(self, channel: Channel, now: datetime) -> None:
        before = self._rests.get(channel)
        failures = before.failures + 1 if before else 1
        self._rests[channel] = _Rest(failures, now + rest_after(failures))


def _held(session: Session, message_id: int) -> OutgoingMessage | None:
    query = select(OutgoingMessage).where(OutgoingMessage.id == message_id).with_for_update()
    return session.scalar(query)


def _settle(
    message: OutgoingMessage, state: State, now: datetime, stage: Stage | None = None
) -> None:
    message.state, message.settled_at = state, now
    message.problem = stage.value if stage else ""
    message.claimed_by = message.claimed_until = None
    if message.is_secret:
        message.body = message.html = ""


def forget_settled(database: Database) -> int:
    """Remove what was settled half a year ago; return how many messages that were."""
    with database.write() as session:
        gone = session.execute(
            delete(OutgoingMessage).where(
                OutgoingMessage.state != State.WAITING,
                OutgoingMessage.created_at < clock.now() - KEPT,
            )
        )
        return int(gone.rowcount)  # type: ignore[attr-defined] # a cursor result


@dataclass(frozen=True)
class Traffic:
    """How one channel stands: what waits, since when at the longest, and what failed in a day."""

    waiting: int
    oldest: datetime | None
    failed_today: int


def traffic(session: Session, channel: Channel) -> Traffic:
    """Return how the channel stands, for the doctor and for pages."""
    of = OutgoingMessage.channel == channel
    waiting, oldest = session.execute(
        select(func.count(), func.min(OutgoingMessage.created_at)).where(
            of, OutgoingMessage.state == State.WAITING
        )
    ).one()
    day = clock.now() - timedelta(days=1)
    failed = session.scalar(
        select(func.count())
        .select_from(OutgoingMessage)
        .where(of, OutgoingMessage.state == State.FAILED, OutgoingMessage.settled_at >= day)
    )
    return Traffic(waiting, oldest, failed or 0)


def _draw() -> float:
    return secrets.randbelow(1_000_000) / 1_000_000
