"""Banners and refusals in a real browser: read aloud, put away by keyboard, nothing covered, nothing lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from server.core import clock
from server.core.db import Database
from server.core.entitlements import UNLIMITED, Entitlements, EntitlementsBoard, Facts, Notice
from server.http.app import DaftarFlask
from tests.client_web.conftest import OpenPage
from tests.server.conftest import Cast
from tests.server.http.walk import write_some_records

WARNING = Notice("no_contact", "everybody", "warning", mode="warn_users")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the browser shows does not depend on its kind."""
    return sqlite_database


def standing(mode: str) -> Entitlements:
    """Return the verdict of a server that has been silent for long."""
    now = clock.now()
    facts = Facts(read_only_at=now, locked_at=now + timedelta(days=9), administrators=("Root",))
    level = "warning" if mode.startswith("warn") else "danger"
    notice = replace(WARNING, mode=mode, level=level)
    known = replace(UNLIMITED, last_contact_at=now - timedelta(days=20), license_id="lic_1")
    return replace(known, mode=mode, reason="no_contact", notices=(notice,), facts=facts)


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_a_warning_is_put_away_by_keyboard_and_covers_nothing(
    open_page: OpenPage, cast: Cast, board: EntitlementsBoard, lang: str
) -> None:
    board.publish(standing("warn_users"))
    page = open_page("/companies", cast.anna, lang, width=360)
    banner = page.locator(".k-banners .k-banner")
    heading = page.locator("main h1")

    expect(banner).to_have_attribute("role", "status")
    above, below = banner.bounding_box(), heading.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    banner.locator(".k-banner-close").focus()
    page.keyboard.press("Enter")
    expect(banner).to_have_count(0)
    page.reload()
    expect(page.locator("main h1")).to_be_visible()
    expect(banner).to_have_count(0)


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_what_stops_work_is_an_alert_without_a_way_to_put_it_away(
    open_page: OpenPage, cast: Cast, board: EntitlementsBoard, lang: str
) -> None:
    board.publish(standing("read_only"))
    page = open_page("/companies/new", cast.anna, lang, width=360)
    banner = page.locator(".k-banners .k-banner")

    expect(banner).to_have_attribute("role", "alert")
    expect(banner.locator(".k-banner-close")).to_have_count(0)
    expect(page.locator("input[name=name]")).to_be_disabled()
    expect(page.locator("main form button[type=submit]").first).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_form_that_was_open_when_it_stopped_keeps_what_was_typed(
    open_page: OpenPage, cast: Cast, board: EntitlementsBoard
) -> None:
    page = open_page("/companies/new", cast.anna)
    page.fill("input[name=name]", "Pars Trading")
    board.publish(standing("read_only"))
    page.click("main form button[type=submit]")

    expect(page.get_by_text("It is not lost")).to_be_visible()
    expect(page.locator("#typed input[name=name]")).to_have_value("Pars Trading")
    board.publish(UNLIMITED)
    page.click("#typed button[type=submit]")
    expect(page.locator("h1")).to_contain_text("Pars Trading")


def test_a_part_of_a_page_that_is_refused_says_why_with_a_link(
    open_page: OpenPage,
    app: DaftarFlask,
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
) -> None:
    write_some_records(app, database, cast)
    page = open_page("/companies/1", cast.root)
    page.fill("[data-composer] textarea", "They called")
    board.publish(standing("read_only"))
    page.click("[data-composer] button[type=submit]")

    link = page.locator(".k-toast-danger a")
    expect(link).to_have_attribute("href", "/license")
    expect(page.locator("[data-composer] textarea")).to_have_value("They called")
