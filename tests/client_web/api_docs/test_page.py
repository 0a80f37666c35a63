"""The page of the API says everything that openapi.json says, in words, to whoever is signed in."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from playwright.sync_api import expect

from client_web.api_docs.operations import Manual, read_manual
from server.api import describe
from server.api.description import operations
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.users.service import ProfileChange, change_user
from tests.client_web.conftest import OpenPage, Visit, counted
from tests.server.conftest import Cast

PATH = "/api/docs"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; the page asks it for nothing."""
    return sqlite_database


@pytest.fixture
def described(app: DaftarFlask) -> dict[str, Any]:
    """Give what programs are told."""
    return describe(app)


@pytest.fixture
def manual(described: dict[str, Any]) -> Manual:
    """Give what people are told."""
    return read_manual(described)


def sections(page: str) -> dict[str, str]:
    """Return the text of every section of the page by its id, without the marks."""
    found = {}
    for part in re.split(r'<section class="k-panel" id="', page)[1:]:
        text = re.sub(r"</?code[^>]*>", "", part.split("</section>")[0])
        found[part.split('"')[0]] = unescape(re.sub(r"<[^>]+>", " ", text))
    return found


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_operation_is_there_with_all_it_takes(
    visit: Visit, database: Database, cast: Cast, described: dict[str, Any], lang: str
) -> None:
    with database.write(SYSTEM) as session:
        change_user(session, SYSTEM, cast.guest.user_id or 0, ProfileChange(locale=lang))
    page = visit(cast.guest).read(PATH)
    shown = sections(page)
    seen = 0

    for path, method, operation in operations(described):
        text = next(
            text
            for text in shown.values()
            if re.search(rf"{method.upper()}\s+{re.escape(path)}\s", text)
        )
        assert operation["summary"].replace("`", "") in text
        assert operation.get("x-permission", "") in text
        for parameter in operation.get("parameters", []):
            assert parameter["name"] in text
        for status in operation["responses"]:
            assert f" {status} " in text
        seen += 1

    assert seen > 50
    assert f'<html lang="{lang}" dir="{"rtl" if lang == "fa" else "ltr"}"' in page


def test_every_field_of_a_body_is_told_with_its_type(
    visit: Visit, cast: Cast, described: dict[str, Any]
) -> None:
    deal = sections(visit(cast.guest).read(PATH))["post-deals"]
    fields = described["components"]["schemas"]["NewDeal"]["properties"]

    assert [name for name in fields if name not in deal] == []
    assert "1 to 250 characters" in deal
    assert "one of open, won, lost" in deal
    assert "integer or null" in deal


def test_every_link_of_the_page_leads_to_a_place_on_it(visit: Visit, cast: Cast) -> None:
    page = visit(cast.root).read(PATH)
    places = re.findall(r'\bid="([^"]+)"', page)

    assert len(places) == len(set(places))
    assert [one for one in re.findall(r'href="#([^"]+)"', page) if one not in places] == []


def test_the_permission_is_the_one_that_the_door_asks(manual: Manual) -> None:
    by_anchor = {one.anchor: one for part in manual.parts for one in part.operations}

    assert by_anchor["post-companies"].permission == "companies.create"
    assert by_anchor["get-users-me"].permission == ""
    assert by_anchor["get-license"].always
    assert not by_anchor["post-companies"].always


@pytest.mark.parametrize(
    ("query", "inside", "outside"),
    [
        ("?q=restore+deals", "post-deals-deal_id-restore", "get-companies"),
        ("?q=IF-MATCH+stages", "patch-stages-stage_id", "get-stages"),
        ("?q=backups.run", "post-backups-runs", "get-backups"),
        ("?part=audit", "get-audit-seal", "get-companies"),
    ],
)
def test_a_search_keeps_what_speaks_of_every_word(
    visit: Visit, cast: Cast, query: str, inside: str, outside: str
) -> None:
    shown = sections(visit(cast.guest).read(PATH + query))

    assert inside in shown
    assert outside not in shown


def test_a_search_that_finds_nothing_says_so(visit: Visit, cast: Cast) -> None:
    page = visit(cast.guest).read(PATH + "?q=%3Cscript%3E&part=nothing")

    assert sections(page) == {}
    assert "Nothing in the API speaks of that" in page
    assert "<script>" not in page


def test_a_stranger_is_led_to_the_sign_in_page_and_a_token_is_no_sign_in(visit: Visit) -> None:
    answer = visit().get(PATH)

    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in")


def test_it_is_open_in_every_licence_mode(
    visit: Visit, board: EntitlementsBoard, cast: Cast
) -> None:
    board.publish(replace(UNLIMITED, mode="locked", reason="term_ended"))

    assert visit(cast.root).get(PATH).status_code == 200


def test_the_tokens_page_leads_there(visit: Visit, cast: Cast) -> None:
    assert f'href="{PATH}"' in visit(cast.anna).read("/settings/profile/tokens")


def test_it_asks_the_database_only_who_is_there(
    visit: Visit, database: Database, cast: Cast
) -> None:
    anna = visit(cast.anna)
    with counted(database) as elsewhere:
        anna.read("/settings/profile")
    with counted(database) as here:
        anna.read(PATH)

    assert len(here) <= len(elsewhere)


def test_one_searches_while_one_types(open_page: OpenPage, cast: Cast) -> None:
    page = open_page(PATH, cast.anna, width=360, height=800)
    page.get_by_role("searchbox").fill("pipelines restore")

    expect(page.locator("#post-pipelines-pipeline_id-restore")).to_be_visible()
    expect(page.locator("#get-companies")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="operation")).to_have_text("2 operations")
    page.get_by_role("navigation", name="Contents").get_by_text(
        "/pipelines/{pipeline_id}/restore"
    ).click()
    expect(page).to_have_url(re.compile("#post-pipelines-pipeline_id-restore$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
