"""Every page of the gallery, in both directions, on narrow and wide screens."""

import pytest
from playwright.sync_api import expect

from tests.client_web.kit.conftest import UNFINISHED, OpenPage

PAGES = ["home", "list", "record", "form", "board", "auth", "empty", "missing"]

UNLABELLED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter((field) => !field.labels?.length && !field.getAttribute('aria-label') && !field.ariaHidden
    && !field.getAttribute('aria-labelledby')).map((field) => field.outerHTML)"""
NAMELESS = """() => [...document.querySelectorAll('button, a')]
  .filter((element) => !element.innerText.trim() && !element.getAttribute('aria-label')
    && !element.textContent.trim()).map((element) => element.outerHTML)"""
REPEATED = """() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  return ids.filter((id, n) => ids.indexOf(id) !== n) }"""
DANGLING = """() => [...document.querySelectorAll('[aria-describedby], [aria-labelledby]')]
  .flatMap((e) => `${e.getAttribute('aria-describedby') ?? ''} ${e.getAttribute('aria-labelledby') ?? ''}`
    .split(' ')).filter((id) => id && !document.getElementById(id))"""


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_every_page_fits_the_smallest_phone_and_names_its_parts(
    open_page: OpenPage, lang: str
) -> None:
    page = open_page(PAGES[0], lang, width=360, height=740)

    for name in PAGES:
        page.goto(f"/{name}?lang={lang}")
        expect(page.locator(UNFINISHED)).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        assert page.locator("h1").count() == 1, name
        for question in (UNLABELLED, NAMELESS, REPEATED, DANGLING):
            assert page.evaluate(question) == [], name


def test_a_persian_page_reads_from_the_right_and_an_english_one_from_the_left(
    open_page: OpenPage,
) -> None:
    place = "document.querySelector('.k-sidebar').getBoundingClientRect().left > innerWidth / 2"

    assert open_page("home", "fa").evaluate(place) is True
    assert open_page("home", "en").evaluate(place) is False


def test_the_icons_are_drawn(open_page: OpenPage) -> None:
    page = open_page("home")

    # What a <use> draws has a box only when its symbol was found in the sprite.
    boxes = page.evaluate(
        "[...document.querySelectorAll('.k-nav use')].map((u) => u.getBBox().width)"
    )

    assert boxes
    assert min(boxes) > 0


def test_the_theme_follows_the_system_and_then_the_choice(open_page: OpenPage) -> None:
    page = open_page("home", scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    page.get_by_role("button", name="Light or dark").click()
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_menu_of_a_phone_opens_and_closes_with_escape(open_page: OpenPage) -> None:
    page = open_page("home", width=360, height=740)
    expect(page.locator("#sidebar")).not_to_be_visible()

    page.get_by_role("button", name="Open menu").click()
    expect(page.locator("#sidebar")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#sidebar")).not_to_be_visible()


def test_a_light_says_its_colour_in_words(open_page: OpenPage) -> None:
    page = open_page("home")

    for word in ("Good", "Needs attention", "Act now", "Not known yet"):
        expect(page.get_by_text(word, exact=True)).to_be_visible()
