"""The console in a real browser, in Persian and in English, on a phone and on a desk."""

import re

import pytest
from playwright.sync_api import Page, expect

from licensing.authority.licenses.flags import raise_flag
from licensing.authority.licenses.queries import get_license
from licensing.authority.licenses.rules import FlagKind
from tests.client_web.kit.test_pages import DANGLING, NAMELESS, REPEATED, UNLABELLED
from tests.licensing.authority.console_pages.conftest import PASSWORD, OpenPage, code_now, email_of
from tests.licensing.authority.stage import Vendor


@pytest.fixture
def license_id(shop: Vendor) -> str:
    """Give a licence with a server and a flag."""
    issued = shop.sell(email="a.very.long.address.of.the.purchasing.department@pars.example")
    shop.stranger().activate(issued.code)
    with shop.database.write() as session:
        license_ = get_license(session, issued.license_id)
        raise_flag(session, license_, FlagKind.CLONE_REVIEW, "2 forks")
    return issued.license_id


def check(page: Page, path: str) -> None:
    """Hold what every page owes its readers."""
    page.goto(f"/console{path}")
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide, f"{path} is wider than the screen"
    assert page.locator("h1").count() == 1, path
    for question in (UNLABELLED, NAMELESS, REPEATED, DANGLING):
        assert page.evaluate(question) == [], path


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_page_fits_a_phone_and_names_its_controls(
    open_page: OpenPage, license_id: str, lang: str
) -> None:
    page = open_page("/console/", "Root", lang, width=360, height=740)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if lang == "fa" else "ltr")
    of_license = f"/licenses/{license_id}"

    for path in (
        *("/", "/customers", "/customers/new", "/licenses", "/licenses/new", of_license),
        *(f"{of_license}/documents/1", f"{of_license}/terms", f"{of_license}/revoke"),
        *(
            "/activations",
            "/flags",
            "/flags/1",
            "/offline",
            "/refunds",
            "/keys",
            "/deliveries",
            "/audit",
        ),
        *("/staff", "/staff/1", "/staff/new", "/account", "/confirm"),
    ):
        check(page, path)


def test_somebody_signs_in_and_sells_a_licence(open_page: OpenPage, shop: Vendor) -> None:
    shop.customer("info@pars.example")
    page = open_page("/console/sign-in", "Anna")
    page.context.clear_cookies()
    page.goto("/console/sign-in")
    page.get_by_label("Email").fill(email_of("Anna"))
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(code_now())
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="New licence").click()
    picker = page.locator("daftar-select input")
    picker.fill("Pars")
    page.locator("[role=option]", has_text="Pars Trading").first.click()
    page.get_by_label("Users").fill("25")
    page.get_by_label("Users").blur()
    expect(page.locator("#outlook")).to_contain_text("The last paid day is")
    page.get_by_role("button", name="Issue the licence").click()

    expect(page.locator("#activation-code code")).to_have_text(re.compile(r"^[0-9A-Z*~$=-]{30,}$"))
    page.reload()
    expect(page.locator("#activation-code")).to_have_count(0)


def test_keys_of_the_keyboard_go_where_they_do_in_the_crm(
    open_page: OpenPage, license_id: str
) -> None:
    page = open_page("/console/", "Root")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/console/licenses")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/licenses/{license_id}")

    page.go_back()
    page.keyboard.press("n")

    page.wait_for_url("**/console/licenses/new")


def test_a_search_narrows_the_list_while_it_is_typed(
    open_page: OpenPage, shop: Vendor, license_id: str
) -> None:
    other = shop.sell().license_id
    page = open_page("/console/licenses", "Guest")
    expect(page.locator("#licenses-table tbody tr")).to_have_count(2)

    page.get_by_role("searchbox").fill(other)

    expect(page.locator("#licenses-table tbody tr")).to_have_count(1)
    expect(page.locator("#licenses-table")).to_contain_text(other)


def test_putting_somebody_out_asks_first(open_page: OpenPage) -> None:
    page = open_page("/console/staff/2", "Root")

    page.get_by_role("button", name="Deactivate").click()
    expect(page.locator("#confirm")).to_contain_text("signed out at once")
    page.locator("#confirm [data-confirm-yes]").click()

    expect(page.get_by_role("button", name="Let in again")).to_be_visible()
