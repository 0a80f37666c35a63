"""The pages of seats: who holds each and why, the files to download, the days, and what the night found."""

import csv
import io
import re
from dataclasses import replace

import pytest
from sqlalchemy import text

from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.users.rules import UserDraft, UserKind, UserStatus
from server.users.seat_history import count_anew, note_day
from server.users.service import (
    ProfileChange,
    change_user,
    create_user,
    deactivate_user,
    set_seat_caps,
)
from server.users.sign_in import signed_in
from tests.client_web.conftest import Visit, Visitor
from tests.server.conftest import Cast
from tests.server.users.devices import arrive, sell
from tests.server.users.test_holders import TODAY


@pytest.fixture
def root(visit: Visit, database: Database, cast: Cast) -> Visitor:
    """Give the administrator of a house with room for nine devices."""
    sell(database, 9)
    return visit(cast.root)


def rows(page: str) -> list[str]:
    """Return the words of each row of the list."""
    found = re.findall(r'<tr id="(?:holder|day)-.*?</tr>', page, re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in found]


def test_the_page_names_everybody_and_the_reason(
    root: Visitor, database: Database, cast: Cast
) -> None:
    with database.write(SYSTEM) as session:
        draft = UserDraft("dora@example.com", "Dora", status=UserStatus.INVITED)
        create_user(session, SYSTEM, draft)
        deactivate_user(session, cast.root, cast.ben.user_id or 0)

    page = root.read("/license/seats")

    anna, ben, dora, *_rest = rows(page)
    assert "Active accounts take a seat." in anna
    assert "Deactivated: the seat is free" in ben
    assert "Invited: takes a seat once a password is chosen." in dora
    assert "3 of 10" in page
    assert "Every active user takes one seat" in page
    only = rows(root.read("/license/seats?filter%5Bcounts%5D=no"))
    assert [row.split()[1] for row in only] == ["Ben", "Dora"]


def test_devices_are_told_in_words_and_ended_after_a_question(
    root: Visitor, database: Database, cast: Cast
) -> None:
    anna = arrive(database, cast.anna, agent="Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")

    page = root.read("/license/seats?kind=concurrent")

    assert "2 of 9" in page
    assert [row for row in rows(page) if "Firefox on Windows" in row and "192.0.2.7" in row]
    ends = re.findall(r'action="(/license/seats/devices/\d+/end)"[^>]*data-confirm="([^"]+)"', page)
    assert any("Anna is signed out" in question for _address, question in ends)
    address = next(address for address, question in ends if "Anna" in question)
    assert root.post(address).location == "/license/seats?kind=concurrent"
    with database.read() as session:
        assert session.execute(text("SELECT used FROM device_counter")).scalar() == 1
    assert root.post(address).status_code == 404
    assert root.get(address).status_code == 302
    assert anna


def test_an_empty_list_says_what_would_stand_there(root: Visitor) -> None:
    assert "No service account yet" in root.read("/license/seats?kind=service")
    assert "Nobody fits" in root.read("/license/seats?q=nobody")
    assert "No day yet" in root.read("/license/seats/history")


def test_an_unknown_kind_shows_people(root: Visitor) -> None:
    assert rows(root.read("/license/seats?kind=everything"))[0].split()[1] == "Anna"


def sheet_of(root: Visitor, address: str) -> list[list[str]]:
    answer = root.get(address)
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith('.csv"')
    raw = answer.get_data()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_a_file_holds_what_the_page_shows_and_nothing_that_calculates(
    root: Visitor, database: Database, cast: Cast
) -> None:
    evil = '=HYPERLINK("https://evil.example")'
    with database.write(SYSTEM) as session:
        change_user(session, SYSTEM, cast.anna.user_id or 0, ProfileChange(display_name=evil))
        create_user(
            session,
            SYSTEM,
            UserDraft("robot@example.com", "@SUM(1)", kind=UserKind.SERVICE),
        )

    named = sheet_of(root, "/license/seats.csv")
    service = sheet_of(root, "/license/seats.csv?kind=service")
    devices = sheet_of(root, "/license/seats.csv?kind=concurrent")
    found = sheet_of(root, "/license/seats.csv?q=ben")

    assert named[0] == ["Name", "Email", "Takes a seat", "Why", "Since", "Last seen"]
    assert len(named) == 5
    assert f"'{evil}" in [row[0] for row in named]
    assert service[1][0] == "'@SUM(1)"
    assert devices[0][-3:] == ["Device", "Address", "Number of the device"]
    assert devices[1][:3] == ["Root", "root@example.com", "Yes"]
    assert [row[0] for row in found[1:]] == ["Ben"]


def test_the_file_speaks_the_language_of_its_reader(
    root: Visitor, database: Database, cast: Cast
) -> None:
    with database.write(SYSTEM) as session:
        change_user(session, SYSTEM, cast.root.user_id or 0, ProfileChange(locale="fa"))

    head = sheet_of(root, "/license/seats.csv")[0]

    assert head[0] == "نام"


def test_the_history_is_shown_drawn_and_downloaded(root: Visitor, database: Database) -> None:
    from datetime import timedelta

    with database.write(SYSTEM) as session:
        for ago in range(3):
            note_day(session, TODAY - timedelta(days=ago))

    page = root.read("/license/seats/history")
    lines = sheet_of(root, "/license/seats/history.csv")

    assert len(rows(page)) == 3
    assert "4 of 10" in rows(page)[0]
    assert "1 of 9" in rows(page)[0]
    assert page.count("<polyline") == 4
    assert [line[0] for line in lines[1:]] == ["2027-01-13", "2027-01-14", "2027-01-15"]
    assert lines[3][1:] == ["4", "10", "0", "2", "1", "9"]
    assert len(rows(root.read("/license/seats/history?limit=2"))) == 2


def test_a_difference_that_the_night_found_is_told_on_the_page(
    root: Visitor, database: Database
) -> None:
    with database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET used = 3"))
        count_anew(session)

    page = root.read("/license/seats")

    assert "The count of devices was wrong by -2" in page.replace("−", "-")
    assert "Nobody was disconnected" in page


def test_more_than_a_lowered_cap_is_said(
    root: Visitor, visit: Visit, database: Database, cast: Cast
) -> None:
    visit(cast.anna)
    sell(database, 1)
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 2})

    page = root.read("/license/seats")

    assert "4 of 2" in page
    assert "2 of 1" in page
    assert "More devices are connected than the licence covers." in page
    assert "More users are active than the licence covers." in page


def test_the_pages_stay_open_in_every_mode_of_the_licence(
    root: Visitor, database: Database, board: EntitlementsBoard, cast: Cast
) -> None:
    for mode in ("locked", "read_only", "setup"):
        anna = arrive(database, cast.anna)
        board.publish(replace(UNLIMITED, mode=mode, reason="seats_over_cap"))

        for address in ("/license/seats", "/license/seats/history", "/license/seats.csv"):
            assert root.get(address).status_code == 200
        page = root.read("/license/seats?kind=concurrent")
        ends = re.findall(r'action="(/license/seats/devices/\d+/end)"[^>]*data-confirm="Anna', page)
        assert root.post(ends[0]).status_code == 302
        with database.read() as session:
            assert signed_in(session, anna) is None


def test_the_pages_of_users_and_of_the_licence_lead_here(
    root: Visitor, visit: Visit, cast: Cast
) -> None:
    assert 'href="/license/seats"' in root.read("/settings/users")
    anna = visit(cast.anna)
    assert "/license/seats" not in anna.read("/settings/users")
    assert anna.get("/license/seats").status_code == 403
