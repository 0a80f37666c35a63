"""The record of messages: sending again, forgetting, and how each channel stands."""

from datetime import timedelta

import pytest
import time_machine

from server.core.db import Database
from server.core.errors import NotFound
from server.core.letters import Channel, Stage, Undelivered
from server.core.outbox import State, send_again
from server.core.postman import KEPT, Postman, forget_settled, traffic
from tests.server.core.test_outbox import NOON, Carrying, message, put, row, rows


def test_sending_again_leaves_the_record_and_sends_one_more(database: Database) -> None:
    carrying = Carrying()
    postman = Postman(database, {Channel.EMAIL: carrying})
    put(database, message())
    postman.work()
    first = row(database).id

    with database.write() as session:
        second = send_again(session, first)
    with database.write() as session:
        clicked_twice = send_again(session, first)
    postman.work()
    with database.write() as session:
        third = send_again(session, second)
    postman.work()

    assert second == clicked_twice
    assert third not in {first, second}
    assert len(carrying.sent) == 3
    assert len({letter.reference for letter in carrying.sent}) == 3
    assert [kept.state for kept in rows(database)] == [State.SENT] * 3


def test_a_waiting_message_is_tried_at_once_when_somebody_asks(database: Database) -> None:
    carrying = Carrying()
    carrying.failures = [Undelivered(Stage.RECIPIENT, "450 Greylisted")]
    postman = Postman(database, {Channel.EMAIL: carrying})
    put(database, message())
    postman.work()
    with database.write() as session:
        same = send_again(session, row(database).id)

    postman.work()

    assert same == row(database).id
    assert row(database).state is State.SENT
    with pytest.raises(NotFound), database.write() as session:
        send_again(session, 999)


def test_old_messages_are_forgotten_and_waiting_ones_are_not(database: Database) -> None:
    carrying = Carrying()
    postman = Postman(database, {Channel.EMAIL: carrying})
    with time_machine.travel(NOON, tick=False) as time:
        put(database, message("old"))
        postman.work()
        put(database, message("waiting", channel="sms", good_for=KEPT * 3))
        time.shift(KEPT + timedelta(hours=1))
        put(database, message("new"))
        postman.work()
        gone = forget_settled(database)

    assert gone == 1
    assert [kept.once_key for kept in rows(database)] == ["waiting", "new"]


def test_traffic_tells_what_waits_and_what_failed(database: Database) -> None:
    carrying = Carrying()
    carrying.failures = [Undelivered(Stage.RECIPIENT, "550", permanent=True)]
    put(database, message("one"), message("two", channel="sms"))
    Postman(database, {Channel.EMAIL: carrying}).work()

    with database.read() as session:
        mail, sms = traffic(session, Channel.EMAIL), traffic(session, Channel.SMS)

    assert (mail.waiting, mail.failed_today, mail.oldest) == (0, 1, None)
    assert (sms.waiting, sms.failed_today) == (1, 0)
