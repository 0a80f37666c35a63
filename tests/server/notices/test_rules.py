"""Which warnings leave, how often, at which hours, and to whom."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from server.core.letters import Channel, may_leave
from server.notices.rules import (
    Contact,
    deliveries,
    is_due,
    matters_of,
    once_key,
)
from tests.server.notices.conftest import NOON, said, silent, term_ending

RITA = Contact("Rita", "rita@example.com", "+989121234567", "fa")
ROOT = Contact("Root", "root@example.com", "", "en", user_id=4)
TODAY = date(2027, 3, 10)


def ways(verdict_matter: object, *people: Contact, rita: Contact | None = RITA) -> list[str]:
    found = deliveries(verdict_matter, rita, people)  # type: ignore[arg-type] # a matter
    return [f"{way.channel.value} {way.to}" + (" duty" if way.duty else "") for way in found]


@pytest.mark.parametrize(
    ("days", "urgent"), [(10, False), (3.5, False), (3, True), (1, True), (0.2, True)]
)
def test_the_end_of_the_term_is_told_daily_by_both_ways(days: float, urgent: bool) -> None:
    (matter,) = matters_of(term_ending(NOON, days), NOON)

    assert (matter.daily, matter.by_sms, matter.urgent) == (True, True, urgent)


@pytest.mark.parametrize(
    ("mode", "daily", "by_sms"),
    [("warn_admin", False, False), ("warn_users", False, False), ("read_only", True, True)],
)
def test_silence_is_told_louder_with_each_step(mode: str, daily: bool, by_sms: bool) -> None:
    (matter,) = matters_of(silent(mode), NOON)

    assert (matter.daily, matter.by_sms) == (daily, by_sms)
    assert matter.code == f"no_contact.{mode}"


@pytest.mark.parametrize("code", ["not_activated", "not_started", "deactivated", "fresh"])
def test_what_is_no_news_is_not_told(code: str) -> None:
    assert matters_of(said(code), NOON) == ()


def test_notices_of_the_vendor_are_told_unless_they_are_harmless() -> None:
    told = matters_of(said("CLONE_REVIEW", "warning", ""), NOON)
    harmless = matters_of(said("STATE_RESYNC", "info", ""), NOON)

    assert [matter.purpose for matter in told] == ["license.CLONE_REVIEW"]
    assert harmless == ()


@pytest.mark.parametrize(
    ("clock", "may"),
    [("07:59", False), ("08:00", True), ("20:59", True), ("21:00", False), ("00:00", False)],
)
def test_nobody_is_woken(clock: str, may: bool) -> None:
    hour, minute = map(int, clock.split(":"))

    assert may_leave(datetime(2027, 3, 10, hour, minute, tzinfo=UTC)) is may


@pytest.mark.parametrize(
    ("since_days", "told_days", "daily", "due"),
    [
        (0, None, True, True),
        (1, 0, True, False),
        (1, 1, True, True),
        (9, 1, True, True),
        (14, 1, True, False),  # after two weeks of daily words a weekly one
        (14, 7, True, True),
        (6, 6, False, False),
        (7, 7, False, True),
        (400, 400, False, True),
        (0, -26_000, False, True),  # told under a clock that stood in 2098
    ],
)
def test_how_often_a_matter_is_told(
    since_days: int, told_days: int | None, daily: bool, due: bool
) -> None:
    (matter,) = matters_of(term_ending(NOON, 8), NOON)
    told_on = None if told_days is None else TODAY - timedelta(days=told_days)
    since = TODAY - timedelta(days=since_days)

    assert is_due(replace(matter, daily=daily), since=since, told_on=told_on, today=TODAY) is due


def test_the_representative_is_told_by_mail_and_sms_and_admins_by_mail() -> None:
    (matter,) = matters_of(term_ending(NOON, 8), NOON)

    assert ways(matter, ROOT) == [
        "email rita@example.com duty",
        "sms +989121234567 duty",
        "email root@example.com",
    ]


def test_what_is_not_grave_costs_no_sms() -> None:
    (matter,) = matters_of(silent("warn_admin"), NOON)

    assert ways(matter, replace(ROOT, phone="+989120000000")) == [
        "email rita@example.com duty",
        "email root@example.com",
    ]


def test_an_admin_may_be_silent_and_the_representative_may_not() -> None:
    (matter,) = matters_of(term_ending(NOON, 8), NOON)
    quiet = replace(ROOT, by_email=False, by_sms=False, phone="+989120000000")

    assert ways(matter, quiet) == ["email rita@example.com duty", "sms +989121234567 duty"]


def test_until_a_representative_is_named_the_admins_have_the_duty() -> None:
    (matter,) = matters_of(term_ending(NOON, 8), NOON)

    assert ways(matter, replace(ROOT, by_email=False), rita=None) == ["email root@example.com duty"]


def test_one_address_is_told_once() -> None:
    (matter,) = matters_of(term_ending(NOON, 8), NOON)
    herself = replace(ROOT, email="Rita@Example.com", phone="+989121234567;ext=5")

    assert ways(matter, herself) == ["email rita@example.com duty", "sms +989121234567 duty"]


def test_who_has_no_number_gets_no_sms() -> None:
    (matter,) = matters_of(term_ending(NOON, 8), NOON)

    assert ways(matter, rita=replace(RITA, phone="")) == ["email rita@example.com duty"]


def test_the_steps_of_one_reason_share_the_key_of_a_day() -> None:
    (first,) = matters_of(silent("warn_users"), NOON)
    (second,) = matters_of(silent("read_only"), NOON)
    (way, *_rest) = deliveries(first, RITA, [])

    assert once_key(first, way, TODAY) == once_key(second, way, TODAY)
    assert way.channel is Channel.EMAIL
