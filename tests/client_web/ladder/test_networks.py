"""Allowed networks as people meet them: refused, warned, counted, widened by a renewed licence (R-LIC-5)."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.activation.models import OutsideVisit
from server.activation.outside import OutsideTally, count_recent
from server.activation.service import LicenseOffice
from server.core import clock
from server.core.actor import SYSTEM
from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.http.forwarded import UNKNOWN
from server.http.network import TALLY, is_inside
from server.users.service import ProfileChange, change_user
from tests.client_web.conftest import Visit
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import Cast, api_of
from tests.support.licensed import licensed_stage
from tests.support.standings import renew

NETWORKS = ("10.0.0.0/8", "fe80::/10", "fc00::/7", "169.254.0.0/16")
OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}
ENFORCED = replace(UNLIMITED, networks=NETWORKS, network_mode="enforce")
WARNED = replace(UNLIMITED, networks=NETWORKS, network_mode="warn")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; networks do not depend on its kind."""
    return sqlite_database


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.9.8.7", True),
        ("::ffff:10.9.8.7", True),
        ("fe80::1%eth0", True),
        ("169.254.3.4", True),
        ("fd12::1", True),
        ("127.0.0.53", True),
        ("::1", True),
        ("11.0.0.1", False),
        ("::10.9.8.7", False),
        ("64:ff9b::a09:807", False),
        ("2002:a09:807::1", False),
        ("10.9.8.7.", False),
        ("0x0a.9.8.7", False),
        ("localhost", False),
        (None, False),
    ],
)
def test_where_an_address_lies(address: str | None, inside: bool) -> None:
    assert is_inside(address, NETWORKS) is inside


@pytest.mark.parametrize("lang", ["en", "fa", "fr"])
def test_the_refusal_is_a_page_that_names_address_and_networks(
    visit: Visit, cast: Cast, database: Database, board: EntitlementsBoard, lang: str
) -> None:
    with database.write(SYSTEM) as session:
        change_user(session, SYSTEM, cast.anna.user_id or 0, ProfileChange(locale=lang))
    board.publish(ENFORCED)
    anna = visit(cast.anna)

    answer = anna.client.get("/companies", environ_base=OUTSIDE)

    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert f'lang="{lang}"' in page
    assert "203.0.113.9" in page
    assert "10.0.0.0/8" in page
    assert 'action="/sign-out"' in page


def test_programs_read_address_and_networks_in_the_problem(
    app: DaftarFlask, cast: Cast, database: Database, board: EntitlementsBoard
) -> None:
    board.publish(ENFORCED)
    api = api_of(app, database, cast.anna)

    answer = api.client.get("/api/v1/companies", headers=api.headers, environ_base=OUTSIDE)

    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (403, "outside_network")
    assert (problem["address"], problem["networks"]) == ("203.0.113.9", list(NETWORKS))


def test_a_proxy_on_this_machine_that_keeps_silent_does_not_make_visitors_local(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    board.publish(ENFORCED)
    anna = visit(cast.anna)
    silent = {"REMOTE_ADDR": "127.0.0.1", UNKNOWN: True}

    refused = anna.client.get("/companies", environ_overrides=silent)
    local = anna.client.get("/companies", environ_base={"REMOTE_ADDR": "127.0.0.1"})

    assert (refused.status_code, local.status_code) == (403, 200)
    assert "X-Forwarded-For" in refused.get_data(as_text=True)


def test_whoever_is_refused_can_still_sign_out_and_see_what_is_public(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    anna = visit(cast.anna)
    anna.read("/")
    board.publish(ENFORCED)
    opened = {
        path: anna.client.get(path, environ_base=OUTSIDE).status_code
        for path in ("/healthz", "/api/v1/openapi.json")
    }

    left = anna.client.post("/sign-out", data={"csrf_token": anna.token}, environ_base=OUTSIDE)

    assert opened == dict.fromkeys(opened, 200)
    assert (left.status_code, left.location) == (302, "/sign-in")


def test_where_the_licence_only_warns_the_person_and_the_administrator_see_it(
    app: DaftarFlask, visit: Visit, cast: Cast, database: Database, board: EntitlementsBoard
) -> None:
    tally = app.extensions[TALLY] = OutsideTally(database)
    board.publish(WARNED)
    anna = visit(cast.anna)

    page = anna.client.get("/companies", environ_base=OUTSIDE).get_data(as_text=True)
    anna.client.get("/people", environ_base=OUTSIDE)
    inside = anna.client.get("/companies").get_data(as_text=True)
    tally.flush()
    tally.flush()
    board_page = visit(cast.root).read("/license/networks")

    assert "You work from 203.0.113.9, outside the networks" in page
    assert "outside the networks" not in inside
    assert "203.0.113.9" in board_page
    assert "served" in board_page
    assert "Anna" in board_page
    with database.read() as session:
        assert count_recent(session) == 2
        [row] = session.query(OutsideVisit).all()
        assert (row.address, row.refused, row.count) == ("203.0.113.9", False, 2)


def test_who_wanders_through_addresses_fills_no_memory(database: Database) -> None:
    tally = OutsideTally(database)
    for number in range(2_000):
        tally.note(f"2001:db8::{number:x}", None, refused=True)

    tally.flush()

    with database.read() as session:
        assert session.query(OutsideVisit).count() == 500


def test_counts_survive_a_database_that_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = OutsideTally(database)
    tally.note("203.0.113.9", None, refused=True)
    with monkeypatch.context() as away:
        away.setattr(clock, "now", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tally.flush()
    tally.note("203.0.113.9", None, refused=True)
    tally.flush()

    with database.read() as session:
        assert count_recent(session) == 2


def test_a_network_that_a_renewed_licence_adds_counts_from_the_check_in_on(
    settings: Settings, database: Database, cast: Cast
) -> None:
    with licensed_stage(settings, database) as stage:
        office: LicenseOffice = stage.open_office()
        office.activate(SYSTEM, SHOWN_CODE)
        before = is_inside("192.168.7.8", stage.board.verdict.networks)
        scope = {"mode": "enforce", "cidrs": ["10.0.0.0/8", "192.168.7.0/24"]}
        renew(stage.vendor, network_scope=scope)
        stage.pass_time(days=1)
        office.check_in(SYSTEM)
        after = is_inside("192.168.7.8", stage.board.verdict.networks)

    assert (before, after) == (False, True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings of a home beside the application's."""
    return Settings(home=tmp_path / "licensed")
