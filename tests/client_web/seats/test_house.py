"""The slot of a device before every page: it costs nothing once held, and a full house keeps what was typed."""

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.app import SESSION_COOKIE
from server.audit.models import AuditEntry
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.users.models import WebSession
from server.users.rules import Seats
from tests.client_web.conftest import Visit, Visitor, cookie_of, counted
from tests.server.conftest import PASSWORD, Cast, api_of
from tests.server.http.test_sign_in import form_token
from tests.server.users.devices import arrive, house, sell

DEVICE_COOKIE = "daftar_device"


def come(client: FlaskClient, email: str) -> int:
    """Sign in by the form, as a browser does."""
    token = form_token(client.get("/sign-in").get_data(as_text=True))
    return client.post(
        "/sign-in", data={"email": email, "password": PASSWORD, "csrf_token": token}
    ).status_code


def test_a_browser_is_the_same_device_after_signing_out(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    sell(database, 5)
    client = app.test_client()
    come(client, "anna@example.com")
    cookie = client.get_cookie(DEVICE_COOKIE)
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    token = form_token(client.get("/settings/profile").get_data(as_text=True))
    client.post("/sign-out", data={"csrf_token": token})
    out = house(database)
    come(client, "anna@example.com")

    again = client.get_cookie(DEVICE_COOKIE)
    assert again is not None
    assert again.value == cookie.value
    assert (out, house(database)) == ((Seats(0, 5), 0), (Seats(1, 5), 0))


def test_a_lost_session_cookie_costs_no_second_slot(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    sell(database, 5)
    client = app.test_client()
    come(client, "anna@example.com")
    client.delete_cookie(SESSION_COOKIE)
    come(client, "anna@example.com")

    assert house(database) == (Seats(1, 5), 0)
    with database.read() as session:
        assert session.query(WebSession).count() == 1


def test_colleagues_who_take_turns_at_a_counter_need_one_slot(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    sell(database, 1)
    client = app.test_client()
    come(client, "anna@example.com")
    page = client.get("/settings/profile").get_data(as_text=True)
    ben = {"email": "ben@example.com", "password": PASSWORD, "csrf_token": form_token(page)}
    client.post("/sign-in", data=ben)  # on a page that was open when Anna came

    assert "Ben" in client.get("/settings/profile").get_data(as_text=True)
    assert house(database) == (Seats(1, 1), 0)


def test_signing_in_is_never_refused_for_seats(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    sell(database, 1)
    arrive(database, cast.ben)
    client = app.test_client()

    came = come(client, "anna@example.com")
    page = client.get("/companies")

    assert (came, page.status_code) == (302, 402)
    assert "All devices are connected" in page.get_data(as_text=True)


@pytest.fixture
def full(visit: Visit, database: Database, cast: Cast) -> Visitor:
    """Give Anna on a device that found no slot; Ben holds the only one."""
    anna = visit(cast.anna)
    anna.read("/settings/profile")
    with database.write(SYSTEM) as session:
        session.query(WebSession).update(
            {"slot": None, "connected_at": None, "seen_s": None, "address": "192.0.2.1"}
        )
    set_used(database, 0)
    sell(database, 1)
    arrive(database, cast.ben, agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")
    return anna


def set_used(database: Database, used: int) -> None:
    from server.users.slots import hold_counter

    with database.write(SYSTEM) as session:
        hold_counter(session).used = used


def test_a_page_of_somebody_connected_asks_and_writes_nothing_more(
    visit: Visit, database: Database, cast: Cast
) -> None:
    anna = visit(cast.anna)
    anna.read("/companies")

    with counted(database) as seen:
        anna.read("/companies")

    asked = [one for one in seen if "web_sessions" in one or "device_counter" in one]
    assert len(asked) == 1
    assert "JOIN web_sessions" in asked[0]
    assert not [one for one in seen if one.split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert "BEGIN IMMEDIATE" not in seen


def test_a_device_that_was_silent_takes_its_slot_again_by_itself(
    full: Visitor, database: Database
) -> None:
    sell(database, 2)

    assert full.get("/companies").status_code == 200
    assert house(database) == (Seats(2, 2), 0)


def test_a_full_house_says_how_full_it_is_and_who_can_make_room(full: Visitor) -> None:
    page = full.get("/companies").get_data(as_text=True)

    assert "The licence covers 1 connected device." in page
    assert "Connected now: 1 of 1." in page
    assert "You are connected on no other device." in page
    assert "An administrator can end any device, or buy more: Root." in page
    assert 'href="/companies"' in page
    assert "Windows" not in page  # where colleagues are is not everybody's matter


def test_a_form_that_met_a_full_house_can_be_sent_again(
    full: Visitor, database: Database, cast: Cast
) -> None:
    typed = 'Pars "Trading" & Söhne\nsecond line <b>'
    answer = full.post("/companies/new", name=typed, notes="", emails="a@example.com")
    page = answer.get_data(as_text=True)

    assert answer.status_code == 402
    form = page.split('id="again"')[1].split("</form>")[0]
    fields = [
        (name, html.unescape(value))
        for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)
    ]
    assert ("name", typed) in fields
    assert 'action="/companies/new"' in page
    sell(database, 2)
    sent = full.client.post("/companies/new", data=dict(fields))
    assert sent.status_code in {302, 422}
    assert "All devices" not in sent.get_data(as_text=True)


def test_a_password_is_not_written_into_the_page(full: Visitor) -> None:
    secret = "seven-blue-lanterns"
    answer = full.post("/settings/profile/password", current=PASSWORD, password=secret)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 402
    assert secret not in page
    assert PASSWORD not in page
    assert "reload this page and let the browser send it again" in page


def test_a_part_of_a_page_keeps_the_page_as_it_is(full: Visitor) -> None:
    answer = full.client.get("/companies", headers={"HX-Request": "true"})

    assert answer.status_code == 402
    assert "What you typed is still here" in answer.headers["HX-Trigger"]
    assert {"HX-Redirect", "HX-Refresh"}.isdisjoint(answer.headers.keys())


def test_somebody_makes_room_by_ending_a_device_of_their_own(
    full: Visitor, database: Database, cast: Cast
) -> None:
    sell(database, 2)
    cookie_of(database, cast.anna, "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1")
    page = full.get("/tasks").get_data(as_text=True)
    assert "Safari on iPhone" in page
    end = re.search(r'action="(/devices/\d+/end)"', page)
    assert end

    part = full.client.post(end[1], headers={"HX-Request": "true"}, data={"csrf_token": full.token})

    assert part.status_code == 200
    assert part.get_data(as_text=True).lstrip().startswith("<section")
    assert "There is room now" in part.get_data(as_text=True)
    assert full.get("/tasks").status_code == 200
    with database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "end_device")).one()
    assert (entry.user_name, entry.record_id) == ("Anna", cast.anna.user_id)
    assert "iPhone" in entry.changes["device"]


def test_nobody_ends_the_device_of_a_colleague(
    full: Visitor, database: Database, cast: Cast
) -> None:
    with database.read() as session:
        bens = session.scalars(
            select(WebSession.id).where(WebSession.user_id == cast.ben.user_id)
        ).one()

    assert full.post(f"/devices/{bens}/end").status_code == 404
    assert house(database) == (Seats(1, 1), 0)


def test_an_administrator_comes_in_above_the_cap_and_the_next_one_makes_room(
    full: Visitor, visit: Visit, database: Database, cast: Cast
) -> None:
    first, second = visit(cast.root), visit(cast.root)

    assert first.get("/license/seats").status_code == 200
    page = second.get("/license/seats")
    shown = page.get_data(as_text=True)
    assert page.status_code == 402
    assert "One place above the cap is kept for an administrator" in shown
    assert "Chrome on Windows" in shown  # Ben's
    ends = re.findall(r'action="(/devices/\d+/end)"', shown)
    assert len(ends) == 2  # their own other one, and Ben's
    second.post(ends[1])
    assert second.get("/license/seats").status_code in {200, 402}
    second.post(ends[0])
    assert second.get("/license/seats").status_code == 200


def test_whoever_finds_no_room_can_leave(full: Visitor) -> None:
    full.get("/companies")

    assert full.post("/sign-out").status_code == 302
    assert full.get("/companies").status_code == 302


def test_the_way_out_stands_in_every_mode_of_the_licence(
    full: Visitor, board: EntitlementsBoard
) -> None:
    from dataclasses import replace

    for mode in ("locked", "read_only", "setup"):
        board.publish(replace(UNLIMITED, mode=mode, reason="term_ended"))
        assert full.get("/devices").status_code == 200
        assert full.get("/settings/profile").status_code == 402


def test_an_open_page_that_is_looked_at_counts_as_somebody_being_there(
    visit: Visit, full: Visitor, database: Database, cast: Cast
) -> None:
    ben = visit(cast.guest)
    sell(database, 2)

    assert '<meta name="presence" content="/devices/alive">' in ben.read("/settings/profile")
    assert ben.get("/devices/alive").status_code == 204
    assert full.get("/devices/alive").status_code == 402
    assert full.get("/devices/alive").get_data() == b""
    assert visit().get("/devices/alive").status_code == 302


def test_programs_take_no_slot(
    full: Visitor, app: DaftarFlask, database: Database, cast: Cast
) -> None:
    for actor in (cast.anna, cast.root):
        api = api_of(app, database, actor)
        assert api.client.get("/api/v1/users/me", headers=api.headers).status_code == 200

    assert house(database) == (Seats(1, 1), 0)


def test_the_page_of_devices_leads_whoever_is_connected_to_the_profile(
    visit: Visit, cast: Cast
) -> None:
    answer = visit(cast.anna).get("/devices")

    assert (answer.status_code, answer.location) == (302, "/settings/profile/security")


def test_the_profile_shows_each_device_once_and_whether_it_is_connected(
    visit: Visit, database: Database, cast: Cast
) -> None:
    sell(database, 1)
    anna = visit(cast.anna)
    cookie_of(database, cast.anna, "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1")

    page = anna.read("/settings/profile/security")

    assert page.count("Safari on iPhone") == 1
    assert page.count("Signed in, not connected") == 1
    assert page.count(">Connected<") == 1
