"""Warnings of the licence: written once a day for each recipient and channel, in the recipient's language."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import time_machine
from sqlalchemy import select

from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import Entitlements
from server.core.format import Display, set_display
from server.core.letter_settings import Mail, Sms
from server.core.outbox import State
from server.core.postman import Postman, carriers
from server.notices.models import LicenseMatter
from server.notices.queries import preference_of, who_is_told
from server.notices.rules import PreferenceDraft
from server.notices.service import (
    choose_ways,
    tell_matters,
)
from tests.server.notices.conftest import NOON, RITA, House, said, silent, term_ending
from tests.support.gateway import running_gateway
from tests.support.mail import MailServer
from tests.support.racing import race


def test_a_day_brings_one_message_for_each_way(house: House) -> None:
    house.name()
    for minutes in range(0, 9 * 60, 180):
        now = NOON - timedelta(hours=4) + timedelta(minutes=minutes)
        house.tell(term_ending(NOON, 8), now)

    assert house.sent_to() == [
        ("email", "rita@example.com"),
        ("sms", "+989121234567"),
        ("email", "root@example.com"),
    ]


def test_ten_days_before_the_end_bring_ten_days_of_warnings(house: House) -> None:
    house.name()
    end = NOON + timedelta(days=10)
    for hour in range(0, 10 * 24, 6):
        now = NOON + timedelta(hours=hour)
        house.tell(term_ending(now, (end - now) / timedelta(days=1)), now)

    to_rita = [one for one in house.messages() if one.recipient == "rita@example.com"]
    assert len(to_rita) == 10
    urgent = [one.subject for one in to_rita if one.is_urgent]
    assert len(urgent) == 3
    assert all(subject.startswith("Urgent – Daftar:") for subject in urgent)
    assert "ends in 10 days" in to_rita[0].subject


def _tell(url: str, settings: Settings, verdict: Entitlements) -> int:
    with Database(url).write() as session:
        return tell_matters(session, verdict, NOON, settings)


def test_two_schedulers_write_one_message(house: House) -> None:
    house.name()
    lane = (house.database.url, house.settings, term_ending(NOON, 8))

    counts = race(house.database, _tell, [lane] * 3)

    assert sorted(int(str(count)) for count in counts) == [0, 0, 3]
    assert len(house.messages()) == 3


def test_at_night_nothing_is_written_and_in_the_morning_it_is(house: House) -> None:
    night = NOON.replace(hour=3)

    at_night = house.tell(said("suspended"), night)
    in_the_morning = house.tell(said("suspended"), night.replace(hour=8))

    assert (at_night, in_the_morning) == (0, 1)


def test_a_grave_word_is_repeated_weekly_and_forgotten_when_it_is_over(house: House) -> None:
    for day in range(15):
        house.tell(said("suspended"), NOON + timedelta(days=day))
    first = len(house.messages())
    house.tell(term_ending(NOON, 100_000), NOON + timedelta(days=15))
    house.tell(said("suspended"), NOON + timedelta(days=16))

    assert first == 3
    with house.database.read() as session:
        assert [row.code for row in session.scalars(select(LicenseMatter))] == ["suspended.locked"]
    assert house.messages()[-1].purpose == "license.suspended"


def test_a_clock_that_stood_in_2099_silences_nobody(house: House) -> None:
    house.tell(said("suspended"), NOON.replace(year=2099))

    assert house.tell(said("suspended"), NOON) == 1


def test_silence_is_told_at_each_of_its_steps(house: House) -> None:
    steps = {0: "warn_admin", 7: "warn_users", 14: "read_only", 25: "locked"}
    mode = ""
    for day in range(26):
        mode = steps.get(day, mode)
        house.tell(silent(mode), NOON + timedelta(days=day))

    days = [one.created_at.date() for one in house.messages()]
    assert len(days) == 1 + 1 + 11 + 1


def test_the_persian_reader_gets_persian_days(house: House) -> None:
    house.name(replace(RITA, locale="fa"))
    set_display(Display(zone="Asia/Tehran"))

    house.tell(term_ending(NOON, 8))

    mail, sms, root = house.messages()
    assert 'dir="rtl"' in mail.html
    assert "۱۴۰۵" in mail.subject + mail.body
    assert (mail.locale, sms.locale, root.locale) == ("fa", "fa", "en")
    assert (sms.subject, sms.html) == ("", "")
    assert 'dir="ltr"' in root.html


def test_what_is_written_says_the_duty_the_way_out_and_why_it_came(house: House) -> None:
    house.settings = replace(
        house.settings, web=replace(house.settings.web, public_url="https://crm.example.com")
    )
    house.name()
    house.tell(term_ending(NOON, 8))

    mail, sms, root = house.messages()
    assert "holds even if one of these messages was not delivered" in mail.body
    assert "holds even if a message was not delivered" in sms.body
    assert "https://crm.example.com/license" in mail.body
    assert "lic_7Q2M9K" in mail.body
    assert "cannot be switched off" in mail.body
    assert "switch these messages off" in root.body


def test_a_silent_admin_is_left_alone_once_somebody_represents(house: House) -> None:
    root = house.cast.root
    with house.database.write(root) as session:
        choose_ways(session, root, PreferenceDraft(by_email=False, by_sms=True, phone=""))
    house.tell(term_ending(NOON, 8))
    alone = house.sent_to()
    house.name()
    house.tell(term_ending(NOON, 7), NOON + timedelta(days=1))

    assert alone == [("email", "root@example.com")]
    assert house.sent_to()[1:] == [("email", "rita@example.com"), ("sms", "+989121234567")]


def test_an_admin_with_a_number_gets_sms_as_well(house: House) -> None:
    root = house.cast.root
    with house.database.write(root) as session:
        choose_ways(session, root, PreferenceDraft(phone="0912 000 0000"))

    house.tell(term_ending(NOON, 8))

    assert ("sms", "+989120000000") in house.sent_to()
    with house.database.read() as session:
        assert preference_of(session, root.user_id or 0).phone == "+989120000000"
        assert [admin.name for admin in who_is_told(session).admins] == ["Root"]


def test_a_warning_travels_to_the_mail_server_and_the_gateway(
    house: House, mail_server: MailServer
) -> None:
    house.name()
    with time_machine.travel(NOON), running_gateway() as gateway:
        house.tell(term_ending(NOON, 2))
        mail = Mail(
            host=mail_server.host,
            port=mail_server.port,
            security="none",
            from_address="crm@pars.example",
        )
        sms = Sms(url=f"{gateway.url}/send", body="to={to}&text={text}", body_format="form")
        carrying = carriers(mail, sms, home=Path(), secrets_dir=Path())
        Postman(house.database, carrying).work()

    assert sorted(str(kept["to"]) for kept in mail_server.wait_for(2)) == [
        "rita@example.com",
        "root@example.com",
    ]
    assert len(gateway.asked) == 1
    assert {one.state for one in house.messages()} == {State.SENT}
