"""The licence page: what holds, activating, asking now, giving back; never locked itself."""

import html

import pytest

from server.activation.service import LicenseOffice
from server.http.app import DaftarFlask
from tests.client_web.conftest import Visit
from tests.licensing.client.vendor import SHOWN_CODE, Response
from tests.server.conftest import Cast, api_of
from tests.support.licensed import Stage


def text(page: str) -> str:
    return html.unescape(page)


def test_before_the_activation_everything_leads_here(visit: Visit, cast: Cast) -> None:
    root = visit(cast.root)

    home = root.get("/")
    companies = root.get("/companies")
    page = text(root.read("/license"))

    assert (home.status_code, home.location) == (302, "/license")
    assert companies.status_code == 402
    assert 'href="/license"' in companies.get_data(as_text=True)
    assert "This server is not activated yet" in page
    assert 'name="code"' in page
    assert "Give the licence back" not in page


def test_a_code_activates_the_server(visit: Visit, cast: Cast, stage: Stage) -> None:
    root = visit(cast.root)

    answer = root.post("/license/activate", code=SHOWN_CODE.lower())
    page = text(root.read("/license"))

    assert (answer.status_code, answer.location) == (302, "/license")
    assert "This server is activated" in page
    assert "The licence is in order" in page
    assert "Pars Trading" in page
    assert "4 of 25" in page
    assert root.get("/companies").status_code == 200
    assert stage.vendor.activations_made == 1


def test_a_mistyped_code_is_shown_again_with_what_is_wrong(visit: Visit, cast: Cast) -> None:
    root = visit(cast.root)

    answer = root.post("/license/activate", code="0123-4567")

    assert answer.status_code == 422
    page = text(answer.get_data(as_text=True))
    assert "This is no activation code" in page
    assert "0123-4567" in page


@pytest.mark.parametrize(
    ("denial", "words"),
    [
        ("E_ALREADY_ACTIVE", "already active on another server"),
        ("E_CODE", "does not know this activation code"),
        ("E_TRIAL_USED", "A trial was already used"),
    ],
)
def test_a_no_of_the_vendor_is_told_with_the_way_out(
    visit: Visit, cast: Cast, stage: Stage, denial: str, words: str
) -> None:
    stage.vendor.denial = denial

    answer = visit(cast.root).post("/license/activate", code=SHOWN_CODE)

    assert answer.status_code == 402
    assert words in text(answer.get_data(as_text=True))


def test_a_vendor_that_is_away_is_told_and_changes_nothing(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.vendor.instead = lambda _path: Response(503, b"")

    answer = visit(cast.root).post("/license/check-in")

    assert answer.status_code == 503
    page = text(answer.get_data(as_text=True))
    assert "Try again later" in page
    assert "The licence is in order" in page


def test_asking_now_brings_the_next_lease(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)

    answer = visit(cast.root).post("/license/check-in")

    assert answer.status_code == 302
    assert stage.vendor.seq == 2


def test_the_administrator_sees_what_will_be_sent_and_what_was(
    visit: Visit, cast: Cast, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    office.check_in(cast.root)

    page = text(visit(cast.root).read("/license"))

    assert '"client_nonce"' in page
    assert "no names of users" in page
    assert page.count("<summary>The last 4 messages</summary>") == 1
    assert SHOWN_CODE not in page


def test_giving_back_asks_first_and_locks(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    root = visit(cast.root)
    asked = "data-confirm=" in root.read("/license").split('id="deactivate"')[1].split(">")[0]

    answer = root.post("/license/deactivate", reason="move")
    page = text(root.read("/license"))

    assert asked
    assert answer.status_code == 302
    assert stage.board.verdict.mode == "locked"
    assert "The licence was given back" in page
    assert 'name="code"' in page


def test_who_only_reads_sees_the_state_and_no_button(
    visit: Visit, cast: Cast, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    guest = visit(cast.guest)

    page = guest.read("/license")

    assert "The licence is in order" in text(page)
    assert "/license/check-in" not in page
    assert "client_nonce" not in page
    assert guest.post("/license/check-in").status_code == 403


def test_a_banner_warns_everybody_in_the_last_days(
    visit: Visit, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    office.activate(cast.root, SHOWN_CODE)
    for _quarter in range(4):
        stage.pass_time(days=90)
        office.check_in(cast.root)
    first = [text(visit(actor).read("/license")) for actor in (cast.guest, cast.root)]
    stage.pass_time(days=3)
    office.check_in(cast.root)
    last = text(visit(cast.guest).read("/license"))

    warning = "The licence ends in"
    assert [warning in page for page in first] == [False, True]
    assert warning in last


def test_programs_read_the_status_in_every_mode(
    app: DaftarFlask, cast: Cast, stage: Stage, office: LicenseOffice
) -> None:
    api = api_of(app, stage.database, cast.guest)

    before = api.client.get("/api/v1/license", headers=api.headers)
    office.activate(cast.root, SHOWN_CODE)
    after = api.client.get("/api/v1/license", headers=api.headers)

    assert (before.status_code, before.get_json()["mode"]) == (200, "setup")
    assert (after.status_code, after.get_json()["mode"]) == (200, "ok")
    assert after.get_json()["seats"]["named"] == {"used": 4, "cap": 25}


@pytest.mark.parametrize("step", ["activate", "check-in", "deactivate"])
def test_the_address_of_a_refusal_leads_back_to_the_page(
    visit: Visit, cast: Cast, step: str
) -> None:
    answer = visit(cast.root).get(f"/license/{step}")

    assert (answer.status_code, answer.location) == (302, "/license")
