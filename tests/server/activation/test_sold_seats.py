"""Seats as the licence sells them, through HTTP: taken over, told to the vendor, lowered at a renewal."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from server.activation.document import show_status
from server.activation.queries import license_status
from server.activation.service import LicenseOffice
from server.app import create_app
from server.core.actor import SYSTEM
from server.http.app import DaftarFlask
from server.users.queries import device_seats, seats, sold_seats
from server.users.rules import Seats, SoldSeats
from server.users.sign_in import end_session
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import Cast, api_of
from tests.server.http.test_sign_in import form_token, sign_in
from tests.server.users.devices import arrive, house, is_connected
from tests.support.licensed import Stage


@pytest.fixture
def licensed(stage: Stage, office: LicenseOffice, cast: Cast) -> DaftarFlask:
    """Give the application of an installation that is activated."""
    office.activate(cast.root, SHOWN_CODE)
    app = create_app(stage.settings, stage.database, stage.board, office)
    app.testing = True
    return app


def renew(stage: Stage, office: LicenseOffice, **sold: int) -> None:
    """Let the next check-in bring a licence with these seats."""
    serial = int(str(stage.vendor.sold["serial"])) + 1
    stage.vendor.sold = {**stage.vendor.sold, "serial": serial, "seats": sold}
    stage.vendor.embed = {"license": stage.vendor.license().decode(), "license_serial": serial}
    office.check_in(SYSTEM)
    stage.vendor.embed = {}


def read(client: FlaskClient, address: str) -> str:
    return client.get(address).get_data(as_text=True)


def test_an_activation_takes_over_every_cap(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice
) -> None:
    with stage.database.read() as session:
        assert sold_seats(session) == SoldSeats(named=25, service=5, devices=25)


def test_the_vendor_is_told_the_peak_since_it_last_answered(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice, cast: Cast
) -> None:
    inside = [arrive(stage.database, cast.anna) for _number in range(3)]
    with stage.database.write(SYSTEM) as session:
        end_session(session, inside[0])
        end_session(session, inside[1])
    told = []
    stage.vendor.denial = "E_SUPERSEDED"
    stage.pass_time(days=1)
    office.check_in_if_due()
    stage.vendor.denial = None
    for _check_in in range(2):
        office.check_in(cast.root)
        told.append(stage.vendor.requests[-1]["usage"])

    assert told == [
        {"named": 4, "peak_concurrent": 3, "service": 0},
        {"named": 4, "peak_concurrent": 1, "service": 0},
    ]


def test_page_api_metrics_and_enforcement_say_the_same(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice, cast: Cast
) -> None:
    renew(stage, office, named=25, concurrent=2, service_accounts=5)
    client = sign_in(licensed, "root@example.com")[0]
    arrive(stage.database, cast.anna)
    outside = arrive(stage.database, cast.ben)
    api = api_of(licensed, stage.database, cast.root)

    page = read(client, "/license")
    seats_page = read(client, "/license/seats?kind=concurrent")
    status = api.client.get("/api/v1/license", headers=api.headers).get_json()
    explained = api.client.get("/api/v1/license/seats?kind=concurrent", headers=api.headers)
    metrics = read(client, "/metrics")

    assert not is_connected(stage.database, outside)
    assert house(stage.database) == (Seats(2, 2), 0)
    assert "2 of 2" in page
    assert "2 of 2" in seats_page
    assert status["seats"]["concurrent"] == {"used": 2, "cap": 2}
    assert (explained.get_json()["used"], explained.get_json()["cap"]) == (2, 2)
    assert 'daftar_seats_used{kind="concurrent"} 2.0' in metrics
    assert 'daftar_seats_cap{kind="concurrent"} 2.0' in metrics
    assert "daftar_devices_peak 2.0" in metrics
    with stage.database.read() as session:
        shown = show_status(license_status(session, cast.root, office))
    assert shown["seats"]["concurrent"] == {"used": 2, "cap": 2}  # type: ignore[index] # JSON


def test_a_lowered_cap_throws_nobody_out_and_is_said(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice, cast: Cast
) -> None:
    client = sign_in(licensed, "root@example.com")[0]
    anna = arrive(stage.database, cast.anna)
    renew(stage, office, named=2, concurrent=1, service_accounts=1)
    office.tick()

    with stage.database.read() as session:
        assert (seats(session), device_seats(session)) == (Seats(4, 2), Seats(2, 1))
    assert is_connected(stage.database, anna)
    assert stage.board.verdict.may_write
    assert "more users than seats" in read(client, "/license")
    status = api_of(licensed, stage.database, cast.root)
    notices = status.client.get("/api/v1/license", headers=status.headers).get_json()["notices"]
    assert "SEATS_OVER_NEW_CAP" in notices


def test_14_days_after_a_lowered_cap_records_are_only_read_and_users_can_be_deactivated(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice, cast: Cast
) -> None:
    renew(stage, office, named=2, concurrent=9, service_accounts=1)
    office.tick()
    stage.pass_time(days=13)
    office.check_in(SYSTEM)
    office.tick()
    assert office.refresh().may_write
    stage.pass_time(days=1, minutes=1)
    office.tick()
    verdict = office.refresh()
    assert (verdict.mode, verdict.reason) == ("read_only", "seats_over_cap")

    client, api = (
        sign_in(licensed, "root@example.com")[0],
        api_of(licensed, stage.database, cast.root),
    )
    token = form_token(read(client, "/settings/users"))
    refused = client.post("/companies/new", data={"csrf_token": token, "name": "Pars"})
    opened = {
        address: client.get(address).status_code
        for address in ("/companies", "/settings/users", "/license", "/license/seats")
    }
    ways = [
        client.post(f"/settings/users/{cast.ben.user_id}/deactivate", data={"csrf_token": token}),
        api.client.post(f"/api/v1/users/{cast.guest.user_id}/deactivate", headers=api.headers),
    ]
    office.tick()

    assert refused.status_code == 402
    assert opened == dict.fromkeys(opened, 200)
    assert [way.status_code for way in ways] == [302, 200]
    with stage.database.read() as session:
        assert seats(session) == Seats(2, 2)
    assert office.refresh().may_write


def test_caps_that_somebody_changed_in_the_database_are_those_of_the_licence_again(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice, cast: Cast
) -> None:
    """So does a database from before the last renewal, and one of a release that knew no devices."""
    with stage.database.write(SYSTEM) as session:
        session.execute(text("UPDATE device_counter SET cap = NULL, ceiling = NULL"))
        session.execute(text("UPDATE seat_counters SET cap = 999, ceiling = 999"))

    office.tick()

    with stage.database.read() as session:
        assert sold_seats(session) == SoldSeats(named=25, service=5, devices=25)


def test_what_is_sold_more_lets_those_in_who_waited(
    stage: Stage, licensed: DaftarFlask, office: LicenseOffice, cast: Cast
) -> None:
    renew(stage, office, named=25, concurrent=1, service_accounts=5)
    sign_in(licensed, "anna@example.com")
    ben = sign_in(licensed, "ben@example.com")[0]
    before = ben.get("/companies").status_code
    renew(stage, office, named=25, concurrent=2, service_accounts=5)

    assert (before, ben.get("/companies").status_code) == (402, 200)
