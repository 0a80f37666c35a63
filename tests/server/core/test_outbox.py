"""The outbox: each message once, through rollbacks, races, dead workers and dead mail servers."""

import logging
import multiprocessing
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from server.core.db import Database
from server.core.errors import Conflict
from server.core.letter_settings import Mail, Sms
from server.core.letters import (
    LONGEST_PAUSE,
    MAX_ATTEMPTS,
    Channel,
    Letter,
    Stage,
    Undelivered,
)
from server.core.outbox import Message, OutgoingMessage, State, enqueue, send_again
from server.core.postman import CLAIM, Postman, carriers
from tests.support.mail import MailServer
from tests.support.racing import race

NOON = datetime(2027, 3, 20, 12, tzinfo=UTC)
HERE = Path()
NO_SMS = Sms()


class Carrying:
    """A carrier that keeps what it gets, or fails as the test says; the border of the house."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []
        self.failures: list[Undelivered] = []

    def send(self, letter: Letter) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(letter)
        return "250 Kept"

    def probe(self) -> str:
        return "250 Here"


def message(key: str = "deal 7 to anna", **changes: object) -> Message:
    values: dict[str, object] = {
        "channel": "email",
        "to": "anna@example.com",
        "subject": "Deal 7",
        "body": "It was won.",
        "purpose": "deal_won",
        "once_key": key,
    }
    return Message(**(values | changes))  # type: ignore[arg-type] # the fields of a message


def put(database: Database, *messages: Message) -> list[bool]:
    with database.write() as session:
        return [enqueue(session, one) for one in messages]


def rows(database: Database) -> list[OutgoingMessage]:
    with database.read() as session:
        return list(session.scalars(select(OutgoingMessage).order_by(OutgoingMessage.id)))


def row(database: Database) -> OutgoingMessage:
    (only,) = rows(database)
    return only


def test_one_occasion_is_told_once(database: Database) -> None:
    carrying = Carrying()
    postman = Postman(database, {Channel.EMAIL: carrying})

    new = put(database, message(), message(), message("deal 8 to anna"))
    postman.work()
    late = put(database, message())
    postman.work()

    assert (new, late) == ([True, False, True], [False])
    assert len(carrying.sent) == 2
    assert [kept.state for kept in rows(database)] == [State.SENT, State.SENT]
    assert {kept.answer for kept in rows(database)} == {"250 Kept"}


def test_what_was_rolled_back_is_never_sent(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        enqueue(session, message())
        raise ZeroDivisionError

    assert rows(database) == []
    assert put(database, message()) == [True]


def _tell(url: str, key: str) -> bool:
    return put(Database(url), message(key))[0]


def test_processes_that_tell_of_the_same_thing_write_one_message(database: Database) -> None:
    told = race(database, _tell, [(database.url, "deal 7 to anna")] * 4)

    assert sorted(map(bool, told)) == [False, False, False, True]
    assert len(rows(database)) == 1


def _work(url: str, host: str, port: int) -> int:
    mail = Mail(host=host, port=port, security="none", from_address="crm@pars.example")
    postman = Postman(Database(url), carriers(mail, sms=NO_SMS, home=HERE, secrets_dir=HERE))
    count = 0
    while postman.deliver_next():
        count += 1
    return count


def test_two_workers_send_each_message_once(database: Database, mail_server: MailServer) -> None:
    put(database, *(message(f"deal {n} to anna", subject=f"Deal {n}") for n in range(12)))

    counts = race(database, _work, [(database.url, mail_server.host, mail_server.port)] * 2)

    subjects = sorted(str(kept["subject"]) for kept in mail_server.messages)
    assert sum(map(int, map(str, counts))) == 12
    assert subjects == sorted(f"Deal {n}" for n in range(12))
    assert {kept.state for kept in rows(database)} == {State.SENT}
    assert {kept.attempts for kept in rows(database)} == {1}


def _stall(url: str, ready: "multiprocessing.synchronize.Event") -> None:
    class Stalling(Carrying):
        def send(self, letter: Letter) -> str:
            ready.set()
            threading.Event().wait()
            return ""

    Postman(Database(url), {Channel.EMAIL: Stalling()}).deliver_next()


def test_a_killed_worker_leaves_its_message_to_a_successor(database: Database) -> None:
    put(database, message())
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_stall, args=(database.url, ready))
    process.start()
    assert ready.wait(60)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    carrying = Carrying()
    successor = Postman(database, {Channel.EMAIL: carrying})

    at_once = successor.deliver_next()
    with time_machine.travel(datetime.now(UTC) + CLAIM + timedelta(seconds=1)):
        later = successor.deliver_next()

    assert (at_once, later) == (False, True)
    assert (row(database).state, row(database).attempts) == (State.SENT, 2)
    assert [letter.reference for letter in carrying.sent] == [row(database).reference]


def test_a_worker_that_was_thought_dead_still_writes_down_what_it_sent(database: Database) -> None:
    put(database, message())
    slow, second = Carrying(), Carrying()

    class Slow(Carrying):
        def send(self, letter: Letter) -> str:
            with time_machine.travel(datetime.now(UTC) + CLAIM * 2):
                second.failures = [Undelivered(Stage.CONNECTION, "refused")]
                Postman(database, {Channel.EMAIL: second}).deliver_next()
            return slow.send(letter)

    Postman(database, {Channel.EMAIL: Slow()}).deliver_next()

    assert (row(database).state, row(database).problem) == (State.SENT, "")


def test_pauses_grow_until_the_message_is_given_up(database: Database) -> None:
    carrying = Carrying()
    postman = Postman(database, {Channel.EMAIL: carrying})
    tries = 0
    with time_machine.travel(NOON, tick=False) as time:
        put(database, message(good_for=timedelta(days=365)))
        carrying.failures = [Undelivered(Stage.ANSWER, "451 Busy") for _n in range(50)]
        pauses = []
        while row(database).state is State.WAITING:
            before = row(database).next_at
            time.move_to(before)
            postman.work()
            tries += 1
            pauses.append(row(database).next_at - before)

    settled = row(database)
    assert (settled.state, settled.problem, tries) == (State.FAILED, "too_often", MAX_ATTEMPTS)
    assert settled.answer == "451 Busy"
    assert timedelta(seconds=30) <= pauses[0] <= timedelta(minutes=1)
    assert max(pauses) <= LONGEST_PAUSE
    assert pauses[0] < pauses[3] < pauses[6]


def test_what_is_refused_for_good_is_not_tried_again(database: Database) -> None:
    carrying = Carrying()
    carrying.failures = [Undelivered(Stage.RECIPIENT, "550 No such user", permanent=True)]
    put(database, message())
    postman = Postman(database, {Channel.EMAIL: carrying})

    postman.work()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        postman.work()

    kept = row(database)
    assert (kept.state, kept.problem, kept.attempts) == (State.FAILED, "recipient", 1)
    assert kept.answer == "550 No such user"
    assert carrying.sent == []


def test_what_nobody_wants_any_more_is_given_up(database: Database) -> None:
    carrying = Carrying()
    with time_machine.travel(NOON, tick=False) as time:
        put(
            database,
            message(good_for=timedelta(hours=1)),
            message("sms", channel="sms", to="+989121234567", good_for=timedelta(hours=1)),
        )
        time.shift(timedelta(hours=2))
        Postman(database, {Channel.EMAIL: carrying}).work()

    assert carrying.sent == []
    assert [kept.problem for kept in rows(database)] == ["too_old", "not_configured"]


def test_a_channel_that_is_not_configured_waits_and_is_used_once_it_is(database: Database) -> None:
    carrying = Carrying()
    put(database, message())
    Postman(database, {}).work()
    waiting = row(database)

    Postman(database, {Channel.EMAIL: carrying}).work()

    assert (waiting.state, waiting.attempts) == (State.WAITING, 0)
    assert row(database).state is State.SENT


def test_while_the_line_is_down_only_one_message_is_tried(database: Database) -> None:
    carrying = Carrying()
    postman = Postman(database, {Channel.EMAIL: carrying})
    with time_machine.travel(NOON, tick=False) as time:
        put(database, *(message(f"deal {n}") for n in range(5)))
        carrying.failures = [Undelivered(Stage.CONNECTION, "refused")]
        postman.work()
        tried = [kept.attempts for kept in rows(database)]
        time.shift(timedelta(minutes=1, seconds=1))
        postman.work()

    assert tried == [1, 0, 0, 0, 0]
    assert len(carrying.sent) == 5


def test_the_urgent_goes_first(database: Database) -> None:
    carrying = Carrying()
    put(database, message("campaign"), message("sign in", subject="Link", urgent=True))

    Postman(database, {Channel.EMAIL: carrying}).work()

    assert [letter.subject for letter in carrying.sent] == ["Link", "Deal 7"]


def test_a_letter_that_breaks_the_carrier_does_not_hold_up_the_next(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    class Breaking(Carrying):
        def send(self, letter: Letter) -> str:
            if letter.subject == "Bad":
                raise KeyError("oops")
            return super().send(letter)

    carrying = Breaking()
    put(database, message("bad", subject="Bad"), message("good"))

    Postman(database, {Channel.EMAIL: carrying}).work()

    bad, good = rows(database)
    assert (bad.state, bad.problem, good.state) == (State.WAITING, "content", State.SENT)
    assert "broke the carrier" in caplog.text


def test_a_secret_is_forgotten_once_it_is_sent(database: Database) -> None:
    carrying = Carrying()
    put(database, message(body="https://crm.example/sign-in/xyz", html="<p>xyz</p>", secret=True))

    Postman(database, {Channel.EMAIL: carrying}).work()

    assert carrying.sent[0].body.endswith("xyz")
    assert (row(database).body, row(database).html) == ("", "")
    with pytest.raises(Conflict), database.write() as session:
        send_again(session, row(database).id)


def test_logs_tell_numbers_and_never_texts_or_addresses(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    carrying = Carrying()
    carrying.failures = [Undelivered(Stage.RECIPIENT, "550 No anna here", permanent=True)]
    put(database, message(), message("second"))

    Postman(database, {Channel.EMAIL: carrying}).work()

    assert "was sent" in caplog.text
    assert "anna" not in caplog.text
    assert "won." not in caplog.text


def test_the_background_thread_sends_what_is_due(database: Database) -> None:
    came = threading.Event()

    class Telling(Carrying):
        def send(self, letter: Letter) -> str:
            came.set()
            return "250"

    postman = Postman(database, {Channel.EMAIL: Telling()})
    put(database, message())

    postman.keep_going()

    assert came.wait(30)
    assert postman._thread is not None
    postman._thread.join(30)
    assert row(database).state is State.SENT


def test_a_clock_that_stood_in_2099_holds_no_message_back(database: Database) -> None:
    carrying = Carrying()
    carrying.failures = [Undelivered(Stage.CONNECTION, "refused")]
    postman = Postman(database, {Channel.EMAIL: carrying})
    with time_machine.travel(NOON.replace(year=2099), tick=False) as time:
        put(database, message("tried"), message("not tried"))
        postman.work()
        time.move_to(NOON)
        postman.work()

    assert {kept.state for kept in rows(database)} == {State.SENT}
