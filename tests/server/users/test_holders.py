"""Seats explained: who holds which and why, the history of days, and what the nightly count found."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Invalid, NotAllowed
from server.core.listing import Filter, ListQuery
from server.users import holders, seat_history
from server.users.holders import Holder, SeatKind
from server.users.models import SeatDay
from server.users.presence import Presence
from server.users.queries import administrators, device_seats
from server.users.rules import HISTORY_DAYS, Role, UserDraft, UserKind, UserStatus
from server.users.service import create_user, deactivate_user, former_user
from tests.client_web.conftest import counted
from tests.server.conftest import Cast
from tests.server.users.devices import arrive, house, is_connected, sell

TODAY = date(2027, 1, 15)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give one kind of database; test_holders_on_postgresql.py asks the other the same questions."""
    return sqlite_database


def list_of(database: Database, cast: Cast, kind: SeatKind, **wish: object) -> list[Holder]:
    with database.read() as session:
        return list(holders.list_holders(session, cast.root, kind, ListQuery(**wish)).items)  # type: ignore[arg-type] # parts of a wish


def some_of_every_kind(database: Database, cast: Cast) -> None:
    drafts = (
        UserDraft("dora@example.com", "Dora", status=UserStatus.INVITED),
        UserDraft("robot@example.com", "Robot", kind=UserKind.SERVICE),
    )
    with database.write(SYSTEM) as session:
        for draft in drafts:
            create_user(session, cast.root, draft)
        former_user(session, cast.root, "Somebody Who Left")
        deactivate_user(session, cast.root, cast.ben.user_id or 0)


def test_everybody_is_listed_with_the_reason_why_they_count_or_not(
    database: Database, cast: Cast
) -> None:
    some_of_every_kind(database, cast)

    people = list_of(database, cast, SeatKind.NAMED)
    programs = list_of(database, cast, SeatKind.SERVICE)

    assert [(one.name, one.word, one.counts) for one in people] == [
        ("Anna", "active", True),
        ("Ben", "deactivated", False),
        ("Dora", "invited", False),
        ("Guest", "active", True),
        ("Root", "active", True),
        ("Somebody Who Left", "former", False),
    ]
    assert [(one.name, one.counts) for one in programs] == [("Robot", True)]
    assert len({one.why for one in people}) == 4
    assert people[0].since is not None
    assert people[1].since is None


def test_what_is_listed_as_counting_is_what_is_counted(database: Database, cast: Cast) -> None:
    some_of_every_kind(database, cast)
    sell(database, 2)
    for who in (cast.anna, cast.guest, cast.anna, cast.root):
        arrive(database, who)

    for kind in SeatKind:
        yes = list_of(database, cast, kind, filters=(Filter("counts", "eq", "yes"),))
        no = list_of(database, cast, kind, filters=(Filter("counts", "eq", "no"),))
        both = list_of(database, cast, kind)
        with database.read() as session:
            used = holders.seats_of(session, kind).used
        assert len(yes) == used, kind
        assert {one.id for one in yes} | {one.id for one in no} == {one.id for one in both}
    words = [one.word for one in list_of(database, cast, SeatKind.CONCURRENT)]
    assert sorted(words) == ["licensed", "licensed", "none", "reserved"]


def test_a_device_tells_whose_it_is_and_where(database: Database, cast: Cast) -> None:
    arrive(database, cast.anna, agent="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")

    [one] = list_of(database, cast, SeatKind.CONCURRENT)

    assert (one.name, one.address, one.counts) == ("Anna", "192.0.2.7", True)
    assert "Firefox" in one.agent
    assert one.since is not None
    assert one.last_seen_at is not None


def test_it_is_told_when_people_and_programs_were_last_here(database: Database, cast: Cast) -> None:
    presence = Presence(database)
    presence.saw(cast.anna.user_id or 0)
    presence.beat()

    found = {one.name: one.last_seen_at for one in list_of(database, cast, SeatKind.NAMED)}

    assert found["Anna"] is not None
    assert found["Ben"] is None


def test_a_page_of_holders_takes_as_many_queries_as_a_page_of_one(
    database: Database, cast: Cast
) -> None:
    taken = []
    for number in range(2):
        for kind in (SeatKind.NAMED, SeatKind.CONCURRENT):
            with counted(database) as seen:
                list_of(database, cast, kind)
            taken.append(len([one for one in seen if one.startswith("SELECT")]))
        for who in (cast.anna, cast.ben, cast.guest):
            arrive(database, who, f"device {number}")

    assert taken[:2] == taken[2:] == [3, 3]


def test_pages_follow_each_other_and_a_file_holds_all_of_them(
    database: Database, cast: Cast
) -> None:
    for _number in range(5):
        arrive(database, cast.anna)
    with database.read() as session:
        first = holders.list_holders(session, cast.root, SeatKind.CONCURRENT, ListQuery(limit=3))
        rest = holders.list_holders(
            session, cast.root, SeatKind.CONCURRENT, ListQuery(limit=3, cursor=first.next_cursor)
        )
        everyone = list(holders.every_holder(session, cast.root, SeatKind.CONCURRENT, ListQuery()))

    assert [one.id for one in (*first.items, *rest.items)] == [one.id for one in everyone]
    assert len(everyone) == 5


def test_devices_are_found_by_whose_they_are(database: Database, cast: Cast) -> None:
    for who in (cast.anna, cast.ben):
        arrive(database, who)

    assert [one.name for one in list_of(database, cast, SeatKind.CONCURRENT, q="ann")] == ["Anna"]
    with pytest.raises(Invalid):
        list_of(database, cast, SeatKind.CONCURRENT, filters=(Filter("counts", "eq", "perhaps"),))


def test_where_colleagues_are_is_for_who_manages_users(database: Database, cast: Cast) -> None:
    with database.read() as session:
        for look in (
            lambda: holders.list_holders(session, cast.anna, SeatKind.NAMED, ListQuery()),
            lambda: seat_history.list_days(session, cast.anna, ListQuery()),
            lambda: seat_history.last_days(session, cast.anna, 5),
            lambda: holders.connected_devices(session, cast.anna, 5),
        ):
            with pytest.raises(NotAllowed):
                look()


def days(database: Database) -> list[tuple[date, int, int, int, int, int, int | None]]:
    with database.read() as session:
        found = seat_history.last_days(session, SYSTEM, 10)
    return [
        (
            *(one.day, one.named_used, one.named_cap, one.service_used, one.service_cap),
            *(one.devices_peak, one.devices_cap),
        )
        for one in found
    ]


def note(database: Database, day: date) -> None:
    with database.write(SYSTEM) as session:
        seat_history.note_day(session, day)


def test_each_day_keeps_the_most_that_was_taken(database: Database, cast: Cast) -> None:
    note(database, TODAY)
    sell(database, 9)
    inside = [arrive(database, cast.anna) for _number in range(3)]
    from server.users.sign_in import end_session

    with database.write(SYSTEM) as session:
        for secret in inside:
            end_session(session, secret)
        deactivate_user(session, cast.root, cast.ben.user_id or 0)
    note(database, TODAY)
    arrive(database, cast.anna)
    note(database, TODAY + timedelta(days=1))

    assert days(database) == [
        (TODAY, 4, 10, 0, 2, 3, 9),
        (TODAY + timedelta(days=1), 3, 10, 0, 2, 1, 9),
    ]


def test_a_peak_just_before_midnight_belongs_to_its_day(database: Database, cast: Cast) -> None:
    note(database, TODAY)
    for _number in range(2):
        arrive(database, cast.anna)
    note(database, TODAY + timedelta(days=1))

    assert [(day[0], day[5]) for day in days(database)] == [
        (TODAY, 2),
        (TODAY + timedelta(days=1), 2),
    ]


def test_days_are_kept_for_three_years(database: Database, cast: Cast) -> None:
    for ago in (0, HISTORY_DAYS, HISTORY_DAYS + 1):
        note(database, TODAY - timedelta(days=ago))
    with database.write(SYSTEM) as session:
        seat_history.forget_old_days(session, TODAY)
    with database.read() as session:
        kept = [one.day for one in session.query(SeatDay).order_by(SeatDay.day)]

    assert kept == [TODAY - timedelta(days=HISTORY_DAYS), TODAY]


def test_the_nightly_count_reports_what_it_set_right(database: Database, cast: Cast) -> None:
    sell(database, 5)
    secret = arrive(database, cast.anna)
    with database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET used = 4"))
        session.execute(text("UPDATE seat_counters SET used = 7 WHERE kind = 'human'"))
    with database.write(SYSTEM) as session:
        found = seat_history.count_anew(session)
    with database.write(SYSTEM) as session:
        again = seat_history.count_anew(session)
    with database.read() as session:
        told = seat_history.corrections(session, clock.now())
        later = seat_history.corrections(session, clock.now() + timedelta(days=31))
        assert device_seats(session).used == 1

    assert (found, again) == ({"named": -3, "concurrent": -3}, {})
    assert {(one.kind, one.difference) for one in told} == {("named", -3), ("concurrent", -3)}
    assert later == []
    assert is_connected(database, secret)
    assert house(database)[0].used == 1


def test_administrators_are_named_to_who_needs_them(database: Database, cast: Cast) -> None:
    with database.write(SYSTEM) as session:
        draft = UserDraft("robot@example.com", "Robot", Role.ADMIN, kind=UserKind.SERVICE)
        create_user(session, SYSTEM, draft)
    with database.read() as session:
        assert administrators(session) == ["Root"]
