"""Warnings in a real browser: naming the representative, sending again, by keyboard, in two directions."""

import pytest
from playwright.sync_api import expect

from server.core.db import Database
from tests.client_web.conftest import OpenPage
from tests.client_web.notices.test_pages import put, send
from tests.server.conftest import Cast


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; a browser cannot tell its kind."""
    return sqlite_database


def test_the_representative_is_named_and_a_test_is_sent(open_page: OpenPage, cast: Cast) -> None:
    page = open_page("/", cast.root)
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_url("**/settings/notices")
    page.get_by_role("navigation", name="Warnings").get_by_role("link", name="Who is told").click()
    form = page.locator("#representative-form")
    form.get_by_label("Name").fill("Rita")
    form.get_by_label("Email address").fill("rita@example.com")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("From now on Rita is told.")).to_be_visible()

    page.locator("#test-form").get_by_role("button", name="Send a test message").click()

    page.wait_for_url("**/settings/notices/*")
    expect(page.get_by_text("This is a test.")).to_be_visible()


def test_a_message_is_sent_again_after_a_question(
    open_page: OpenPage, database: Database, cast: Cast
) -> None:
    put(database, "one")
    send(database)
    page = open_page("/settings/notices", cast.root)

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/notices/1")
    page.get_by_role("button", name="Send again").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("once more")
    question.get_by_role("button", name="Send again").click()

    page.wait_for_url("**/settings/notices/2")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    "path", ["/settings/notices", "/settings/warnings", "/settings/profile/notices"]
)
def test_nothing_sticks_out_on_any_screen(
    open_page: OpenPage, database: Database, cast: Cast, path: str, width: int
) -> None:
    put(database, "one")
    put(database, "two", to="ben@example.com", addressee="Ben")
    send(database)
    page = open_page(path, cast.root, "fa", width=width)

    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )

    assert wider <= 0
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
