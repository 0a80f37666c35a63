"""Trying out mail and SMS at once, as `notify test` does: the step that fails is told word for word."""

import secrets
from collections.abc import Mapping
from datetime import timedelta

from server.core import clock
from server.core.contact import clean_email, clean_phone
from server.core.db import Database
from server.core.errors import DaftarError, Missing, Unreachable
from server.core.i18n import current_locale, mark
from server.core.i18n import gettext as _
from server.core.letter_text import write_letter
from server.core.letters import OF_THE_LINE, Carrier, Channel, Stage, stage_sentence
from server.core.outbox import Message, OutgoingMessage, State, enqueue, message_of
from server.core.postman import Postman

TEST = "test"
TEST_LABEL = mark("Test")


def trial_message(channel: Channel, to: str) -> Message:
    """Return a test message to this address or number. Raise Invalid when it is none."""
    if channel is Channel.EMAIL:
        to = clean_email(to, "mail")
        written = write_letter(
            _("A test message from Daftar"),
            [
                _("This is a test. If you can read it, mail from Daftar reaches you."),
                _("There is nothing to do."),
            ],
        )
        subject, body, html = written.subject, written.body, written.html
    else:
        to = clean_phone(to, "sms")
        subject, body, html = "", _("This is a test. SMS from Daftar reach you."), ""
    return Message(
        channel=channel,
        to=to,
        subject=subject,
        body=body,
        html=html,
        purpose=TEST,
        once_key=f"{TEST} {secrets.token_hex(8)}",
        locale=current_locale(),
        good_for=timedelta(hours=1),
        urgent=True,
    )


def try_out(
    database: Database, carrying: Mapping[Channel, Carrier], channel: Channel, to: str
) -> str:
    """Send a test message now and return the other side's answer.

    It stands on record like every other. Raise Missing when nothing is configured, Unreachable or another
    DaftarError with the step that failed.
    """
    message = trial_message(channel, to)
    if channel not in carrying:
        raise Missing(stage_sentence(Stage.NOT_CONFIGURED))
    with database.write() as session:
        enqueue(session, message)
        found = message_of(session, message.once_key).id
    Postman(database, carrying).deliver_next(found)
    with database.write() as session:
        row = session.get_one(OutgoingMessage, found)
        if row.state is State.WAITING:  # a test that comes tomorrow helps nobody
            row.state, row.settled_at = State.FAILED, clock.now()
        state, problem, answer = row.state, row.problem, row.answer
    if state is State.SENT:
        return answer
    sentence = f"{stage_sentence(problem)} ({answer})"
    kind = Unreachable if problem in {stage.value for stage in OF_THE_LINE} else DaftarError
    raise kind(sentence, code=problem)
