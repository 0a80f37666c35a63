"""The date field: by keyboard, by typing, in both calendars."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.client_web.kit.conftest import OpenPage


def sent(page: Page, name: str) -> str:
    """Return what the form would send under a name."""
    value: str = page.evaluate(
        "(name) => new FormData(document.querySelector('.k-form')).get(name)", name
    )
    return value


@pytest.mark.parametrize(
    ("lang", "shown", "label", "week_start"),
    [
        ("fa", "۱۴۰۵/۰۹/۰۱", "پیش‌بینی بستن", "2026-11-21"),
        ("en", "2026-11-22", "Expected close", "2026-11-16"),
    ],
)
def test_one_walks_through_the_month_by_keyboard(
    open_page: OpenPage, lang: str, shown: str, label: str, week_start: str
) -> None:
    page = open_page("form", lang)
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_value(shown)

    field.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("td:focus")).to_have_attribute("data-day", "2026-11-22")
    page.keyboard.press("Home")
    expect(page.locator("td:focus")).to_have_attribute("data-day", week_start)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(field).to_be_focused()
    week, day = divmod(int(week_start[-2:]) + 7, 100)
    assert sent(page, "expected_close_on") == f"2026-11-{week * 100 + day}"


def test_the_arrow_to_the_left_is_the_next_day_in_persian_and_the_day_before_in_english(
    open_page: OpenPage,
) -> None:
    for lang, day in (("fa", "2026-11-23"), ("en", "2026-11-21")):
        page = open_page("form", lang)
        page.locator("#f-expected_close_on").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowLeft")

        expect(page.locator("td:focus")).to_have_attribute("data-day", day)


def test_a_month_further_is_a_month_of_the_readers_calendar(open_page: OpenPage) -> None:
    page = open_page("form", "fa")
    page.locator("#f-expected_close_on").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("Enter")

    expect(page.locator("#f-expected_close_on")).to_have_value("۱۴۰۵/۱۰/۰۱")
    assert sent(page, "expected_close_on") == "2026-12-22"


def test_escape_leaves_the_date_as_it_was(open_page: OpenPage) -> None:
    page = open_page("form", "fa")
    page.locator("#f-expected_close_on").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#f-expected_close_on")).to_be_focused()
    assert sent(page, "expected_close_on") == "2026-11-22"


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("۱۴۰۵/۱۲/۲۹", "2027-03-20"),
        ("1405/1/1", "2026-03-21"),
        ("14051201", "2027-02-20"),
        ("2026-12-31", "2026-12-31"),
        ("۳۱-۱۲-۲۰۲۶", "2026-12-31"),
        ("", ""),
    ],
)
def test_a_typed_date_is_understood(open_page: OpenPage, typed: str, day: str) -> None:
    page = open_page("form", "fa")
    page.locator("#f-expected_close_on").fill(typed)
    page.keyboard.press("Tab")

    assert sent(page, "expected_close_on") == day


@pytest.mark.parametrize("typed", ["1405/13/01", "1405/12/30", "tomorrow", "2026-02-30"])
def test_what_is_no_date_is_refused_in_words_and_sent_as_typed(
    open_page: OpenPage, typed: str
) -> None:
    page = open_page("form", "en")
    page.locator("#f-expected_close_on").fill(typed)
    page.keyboard.press("Tab")

    expect(page.get_by_text("This is not a date.")).to_be_visible()
    assert sent(page, "expected_close_on") == typed


def test_date_and_time_travel_together(open_page: OpenPage) -> None:
    page = open_page("form", "fa")
    time = page.locator("daftar-date[data-with-time] .k-time")
    expect(time).to_have_value("۱۴:۳۰")
    time.fill("۸:۰۵")
    page.keyboard.press("Tab")

    assert sent(page, "due_at") == "2026-11-22T08:05"


def test_the_month_tells_a_screen_reader_what_it_shows(open_page: OpenPage) -> None:
    page = open_page("form", "en")
    page.locator("#f-expected_close_on").focus()
    page.keyboard.press("ArrowDown")

    expect(page.get_by_role("grid", name="November 2026")).to_be_visible()
    chosen = page.get_by_role("gridcell", name="Sunday, November 22, 2026")
    expect(chosen).to_have_attribute("aria-selected", "true")


def test_amounts_are_grouped_for_the_eye_and_plain_for_the_server(open_page: OpenPage) -> None:
    page = open_page("form", "fa")
    amount = page.locator("#f-amount")
    expect(amount).to_have_value("۱٬۲۵۰٬۰۰۰٫۵۰")

    amount.fill("")
    amount.press_sequentially("۹۸۱۲۳۴۵/5".replace("/", "."))

    expect(amount).to_have_value("۹٬۸۱۲٬۳۴۵٫۵")
    assert sent(page, "amount") == "9812345.5"
    amount.fill("12a")
    assert sent(page, "amount") == "12a"


def test_a_form_sends_what_it_shows(open_page: OpenPage) -> None:
    page = open_page("form", "fa")
    page.get_by_role("button", name="ذخیره").click()

    fields = json.loads(page.locator("body").inner_text())
    assert fields["csrf_token"] == ["token-of-the-gallery"]
    assert fields["amount"] == ["1250000.50"]
    assert fields["currency"] == ["IRR"]
    assert fields["expected_close_on"] == ["2026-11-22"]
    assert fields["due_at"] == ["2026-11-22T14:30"]
    assert fields["company_id"] == ["7"]
    assert fields["tags"] == ["vip"]
