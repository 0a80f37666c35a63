"""Companies and people in a real browser, in Persian and in English, on a phone and on a desk."""

import re

import pytest
from playwright.sync_api import expect

from server.companies.models import Company
from server.companies.rules import CompanyDraft
from server.companies.service import create_companies
from server.core.actor import SYSTEM
from server.core.db import Database
from server.people.models import Person
from server.people.rules import PersonDraft
from server.people.service import create_people
from tests.client_web.conftest import OpenPage
from tests.client_web.kit.test_pages import DANGLING, NAMELESS, REPEATED, UNLABELLED
from tests.server.conftest import Cast

LONG = "بازرگانی بین‌المللی صنایع فولاد و معادن خاورمیانه و شرکا Aktiengesellschaft"


@pytest.fixture
def house(database: Database, cast: Cast) -> tuple[int, int]:
    """Give a company with a long name, and a person who works there."""
    with database.write(cast.root) as session:
        drafts = [
            CompanyDraft(
                name=LONG,
                industry="Manufacturing and trade",
                phones=("021 8888 7777",),
                emails=("a.very.long.address.of.the.purchasing.department@foolad.example",),
                website="https://www.foolad.example/a/long/path/that/does/not/end",
                owner_id=cast.anna.user_id,
                notes="مشتری قدیمی\nOld customer.",
            ),
            CompanyDraft(name="Cancity"),
        ]
        company_id = create_companies(session, SYSTEM, drafts)[0]
        person = PersonDraft(last_name="احمدی", company_id=company_id, phones=("09123456789",))
        return company_id, create_people(session, SYSTEM, [person])[0]


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_page_fits_a_phone_and_names_its_controls(
    open_page: OpenPage, house: tuple[int, int], cast: Cast, lang: str
) -> None:
    company_id, person_id = house
    page = open_page("/companies", cast.root, lang, width=360, height=740)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if lang == "fa" else "ltr")

    for path in (
        "/companies",
        "/companies/bin",
        f"/companies/{company_id}",
        f"/companies/{company_id}/edit",
        "/people",
        "/people/bin",
        f"/people/{person_id}",
        "/people/new",
        f"/history/company/{company_id}",
        "/settings/users",
        "/settings/users/new",
        f"/settings/users/{cast.ben.user_id}",
        "/settings/profile",
        "/settings/profile/security",
        "/settings/profile/tokens",
    ):
        page.goto(path)
        expect(page.locator("daftar-select select:not(.tomselected)")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.locator("h1").count() == 1, path
        for question in (UNLABELLED, NAMELESS, REPEATED, DANGLING):
            assert page.evaluate(question) == [], path


def test_a_list_is_searched_while_one_types_and_opened_by_keyboard(
    open_page: OpenPage, house: tuple[int, int], cast: Cast
) -> None:
    page = open_page("/companies", cast.anna)
    expect(page.get_by_role("link", name="Cancity")).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type("فولاد")

    expect(page.get_by_role("link", name="Cancity")).to_have_count(0)
    expect(page.get_by_text(LONG)).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 700, "y": 880})
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/companies/{house[0]}")


def test_a_deleted_company_is_back_at_once_when_undone(
    open_page: OpenPage, house: tuple[int, int], cast: Cast
) -> None:
    page = open_page(f"/companies/{house[0]}", cast.root)

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("is in the bin.")).to_be_visible()
    expect(page.locator("#companies").get_by_text(LONG)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()

    page.wait_for_url(f"**/companies/{house[0]}")
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG)


def test_a_look_alike_is_shown_while_one_writes(
    open_page: OpenPage, house: tuple[int, int], cast: Cast
) -> None:
    page = open_page("/companies/new", cast.anna)

    page.get_by_label("Name").first.fill("CANCITY")
    page.keyboard.press("Tab")

    expect(page.get_by_text("A company of this name exists already: Cancity")).to_be_visible()


@pytest.mark.parametrize(
    ("lang", "company", "save"), [("en", "Company", "Write down"), ("fa", "شرکت", "ثبت")]
)
def test_a_person_gets_a_company_that_is_written_down_on_the_way(
    open_page: OpenPage, database: Database, cast: Cast, lang: str, company: str, save: str
) -> None:
    page = open_page("/people/new", cast.anna, lang)

    page.locator("#f-last_name").fill("Frase")
    page.locator("#f-phones").fill("۰۹۱۲۳۴۵۶۷۸۹")
    page.get_by_role("combobox", name=company, exact=True).and_(page.locator("input")).focus()
    page.keyboard.type("Dontechi")
    expect(page.locator(".ts-dropdown .create")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#f-company_id")).to_have_value("new:Dontechi")
    page.get_by_role("button", name=save, exact=True).click()

    page.wait_for_url(re.compile(r"/people/\d+$"))
    expect(page.locator("#person-details").get_by_role("link", name="Dontechi")).to_be_visible()
    with database.read() as session:
        person = session.query(Person).one()
        assert session.query(Company).one().id == person.company_id
        assert person.phones == ["+989123456789"]


def test_a_chosen_company_can_be_taken_away_again(
    open_page: OpenPage, house: tuple[int, int], database: Database, cast: Cast
) -> None:
    page = open_page(f"/people/{house[1]}/edit", cast.anna)

    page.get_by_role("combobox", name="Company", exact=True).and_(page.locator("input")).focus()
    page.keyboard.press("Backspace")
    expect(page.locator("#f-company_id")).to_have_value("")
    page.get_by_role("button", name="Save").click()

    page.wait_for_url(f"**/people/{house[1]}")
    with database.read() as session:
        assert session.get_one(Person, house[1]).company_id is None
