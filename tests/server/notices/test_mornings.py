"""The letter of each morning: what it says, to whom, once a day, over days and the change of the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from backup.plan import Kind, State
from server.backups.models import BackupRun, BackupSet
from server.backups.queries import Morning, Night
from server.backups.rules import Action, RunState
from server.core.actor import SYSTEM
from server.core.config import BackupSettings, Organization, Settings, Web
from server.core.db import Database
from server.core.i18n import use_locale
from server.core.letter_settings import Mail
from server.core.outbox import OutgoingMessage
from server.core.postman import Postman, carriers
from server.notices.mornings import MorningWriter, letter
from server.notices.rules import Contact, PreferenceDraft, RepresentativeDraft
from server.notices.service import choose_ways, name_representative
from tests.server.conftest import Cast, people
from tests.support.mail import running_mail_server

PARIS = ZoneInfo("Europe/Paris")
RITA = RepresentativeDraft("Rita", "rita@example.com", "", "fr")


@pytest.fixture
def cast(database: Database) -> Cast:
    """Give the people; Root and Anna may confirm, the representative has no account."""
    cast = people(database)
    with database.write(cast.root) as session:
        name_representative(session, cast.root, RITA)
    return cast


def settings(zone: str = "Europe/Paris", *, wanted: bool = True) -> Settings:
    return Settings(
        home=Path("/nowhere"),
        web=Web(public_url="https://crm.example.com"),
        organization=replace(Organization(), name="Pars", locale="en", timezone=zone),
        backup=BackupSettings(letter=wanted),
    )


def put(database: Database, made_at: datetime, state: State = State.VERIFIED) -> str:
    """Mirror a backup that was made at this moment."""
    name = made_at.strftime("%Y%m%dT%H%M%SZ-abcdef")
    problems = ["A part is missing."] if state is State.FAILED else []
    with database.write(SYSTEM) as session:
        session.add(
            BackupSet(
                name=name,
                created_at=made_at,
                kind=Kind.DAILY,
                bytes=1000,
                state=state,
                restore_seconds=95.0 if state is State.VERIFIED else None,
                shown={"verification": {"ok": not problems, "problems": problems}},
            )
        )
    return name


def letters(database: Database) -> list[OutgoingMessage]:
    with database.read() as session:
        return list(session.scalars(select(OutgoingMessage).order_by(OutgoingMessage.id)))


def test_everybody_with_the_right_is_written_to_once_a_day_over_the_change_of_the_clock(
    database: Database, cast: Cast
) -> None:
    writer = MorningWriter(settings(), database)
    first = datetime(2026, 10, 23, tzinfo=PARIS)  # the clock goes back on the 25th
    told: dict[str, set[str]] = {}
    for quarter in range(4 * 24 * 5):
        moment = first.astimezone(UTC) + timedelta(minutes=15 * quarter)
        local = moment.astimezone(PARIS)
        if (local.hour, local.minute) == (2, 15) and not local.fold:
            put(database, moment)
        if local.hour < 7 or (local.hour > 9 and local.hour not in {20, 21} and quarter % 4):
            continue
        with time_machine.travel(moment, tick=False):
            writer.write()
        for each in letters(database)[sum(map(len, told.values())) :]:
            assert (local.hour, local.minute) == (8, 0)
            told.setdefault(local.date().isoformat(), set()).add(each.recipient)

    days = [f"2026-10-{day}" for day in range(23, 28)]
    assert list(told) == days
    assert {len(who) for who in told.values()} == {len(told[days[0]])}
    assert {"rita@example.com", "root@example.com"} <= told[days[0]]
    assert "guest@example.com" not in told[days[0]]


@pytest.mark.parametrize(
    ("age_hours", "state", "subject"),
    [
        (6, State.VERIFIED, "Daftar: the backup is in order"),
        (6, State.FAILED, "Urgent – Daftar: the backup has a problem"),
        (6, State.COMPLETE, "Daftar: the backup was not proved yet"),
        (30, State.VERIFIED, "Urgent – Daftar: there is no backup of last night"),
    ],
)
def test_the_result_stands_in_the_subject(
    sqlite_database: Database, age_hours: int, state: State, subject: str
) -> None:
    cast = people(sqlite_database)
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    name = put(sqlite_database, noon - timedelta(hours=age_hours), state)

    with time_machine.travel(noon, tick=False):
        MorningWriter(settings(), sqlite_database).write()

    root = next(each for each in letters(sqlite_database) if each.recipient == "root@example.com")
    assert root.subject == subject
    assert cast.root.name == root.addressee
    if state is State.VERIFIED:
        assert "you would be back in" in root.body
    if age_hours < 26:
        assert f"https://crm.example.com/backups/{name}/check" in root.body
    if state is State.FAILED:
        assert "A part is missing." in root.body


def test_who_does_not_want_it_and_who_switched_it_off_gets_none(sqlite_database: Database) -> None:
    cast = people(sqlite_database)
    with sqlite_database.write(cast.root) as session:
        choose_ways(session, cast.root, PreferenceDraft(by_email=False))
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=False):
        MorningWriter(settings(wanted=False), sqlite_database).write()
        assert letters(sqlite_database) == []
        MorningWriter(settings(), sqlite_database).write()

    assert "root@example.com" not in [each.recipient for each in letters(sqlite_database)]


def test_the_letter_waits_for_a_verification_under_way_until_ten(sqlite_database: Database) -> None:
    people(sqlite_database)
    with sqlite_database.write(SYSTEM) as session:
        session.add(BackupRun(action=Action.VERIFY, state=RunState.QUEUED, asked_by="System"))
    writer = MorningWriter(settings("UTC"), sqlite_database)
    for hour, expected in ((9, False), (10, True)):
        with time_machine.travel(datetime(2026, 11, 24, hour, tzinfo=UTC), tick=False):
            writer.write()
        assert bool(letters(sqlite_database)) is expected


def test_the_letter_travels_to_the_mail_server(sqlite_database: Database, tmp_path: Path) -> None:
    cast = people(sqlite_database)
    with sqlite_database.write(cast.root) as session:
        name_representative(session, cast.root, replace(RITA, locale="fa"))
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    put(sqlite_database, noon - timedelta(hours=6))
    with running_mail_server() as server:
        mail = Mail(
            host=server.host, port=server.port, security="none", from_address="crm@example.com"
        )
        carrying = carriers(mail, settings().sms, home=tmp_path, secrets_dir=tmp_path)
        with time_machine.travel(noon, tick=False):
            MorningWriter(settings(), sqlite_database).write()
            count = len(letters(sqlite_database))
            Postman(sqlite_database, carrying).work()
        came = server.wait_for(count)

    rita = next(each for each in came if "rita@example.com" in str(each["to"]))
    html = rita.get_body(("html",))
    assert html is not None
    assert 'dir="rtl"' in html.get_content()


def test_a_checked_night_asks_for_nothing_more() -> None:
    found = Morning(
        Night.IN_ORDER,
        name="x",
        made_at=datetime(2026, 11, 24, 2, 15, tzinfo=UTC),
        checked_by="Anna",
        restore_seconds=0.4,
        lost=timedelta(hours=6),
        unchecked_days=2,
    )
    with use_locale("en"):
        written = letter(found, Contact("Root", "root@example.com", "", "en", 1), "")

    assert "Anna has checked it already." in written.body
    assert "back in 1 second and lose the work of 6 hours" in written.body
    assert "2 days before today" in written.body
