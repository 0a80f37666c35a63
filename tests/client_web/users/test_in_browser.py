"""Inviting a colleague in a real browser, from the form to the first sign-in."""

from playwright.sync_api import expect

from tests.client_web.conftest import OpenPage
from tests.server.conftest import Cast
from tests.support.browser import Browser


def test_the_first_password_is_asked_for_only_when_one_sets_it(
    open_page: OpenPage, cast: Cast
) -> None:
    page = open_page("/settings/users/new", cast.root)
    expect(page.locator("#f-password")).not_to_be_visible()

    page.get_by_text("I set a first password and tell it to them").click()

    expect(page.locator("#f-password")).to_be_visible()


def test_a_colleague_is_invited_and_comes_in(
    open_page: OpenPage, cast: Cast, address: str, browser: Browser
) -> None:
    page = open_page("/settings/users", cast.root)
    page.keyboard.press("n")
    page.wait_for_url("**/settings/users/new")
    page.get_by_label("Name").fill("Dora")
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_role("button", name="Create user").click()
    link = page.locator(".k-copy code").inner_text()
    assert link.startswith(f"{address}/choose-password/")

    own = browser.open(locale="en")
    own.goto(link)
    expect(own.get_by_role("heading", level=1)).to_have_text("Welcome, Dora")
    own.locator("#f-password").fill("seven-blue-lanterns")
    own.get_by_role("button", name="Set password").click()
    own.wait_for_url("**/sign-in")
    own.locator("#f-email").fill("dora@example.com")
    own.locator("#f-password").fill("seven-blue-lanterns")
    own.keyboard.press("Enter")

    expect(own.get_by_role("button", name="Account of Dora")).to_be_visible()
    page.goto("/settings/users")
    expect(page.locator("#users").get_by_role("row", name="Dora")).to_contain_text("Active")


def test_somebody_is_deactivated_after_a_question(open_page: OpenPage, cast: Cast) -> None:
    page = open_page("/settings/users", cast.root)

    page.get_by_role("button", name="Actions for Ben").click()
    page.get_by_role("menuitem", name="Deactivate").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Ben can no longer sign in")
    question.get_by_role("button", name="Deactivate").click()

    expect(page.locator("#users").get_by_role("row", name="Ben")).to_contain_text("Deactivated")
