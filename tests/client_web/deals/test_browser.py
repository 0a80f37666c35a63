"""List, form and record of deals in a real browser."""

from datetime import date

from playwright.sync_api import expect

from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.listing import ListQuery
from server.deals import queries
from tests.client_web.conftest import OpenPage
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, new_company, new_deal


def test_a_deal_is_written_down_in_persian_with_toman_and_a_jalali_date(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    company = new_company(database, "فولاد کاوه")
    page = open_page("/deals/new", cast.anna, "fa")

    page.locator("#f-title").fill("ده پمپ")
    page.locator("#f-amount").fill("۱۲۵۰۰۰۰")
    expect(page.locator("#f-amount")).to_have_value("۱٬۲۵۰٬۰۰۰")
    page.locator("[name=currency]").select_option("IRT")
    page.locator("#f-expected_close_on").fill("۱۴۰۵/۱۰/۱۵")
    page.locator("#f-expected_close_on").blur()
    # A keyboard of Arabic letters finds what Persian ones wrote.
    picker = page.locator("daftar-select", has=page.locator("#f-company_id"))
    picker.locator("input[role=combobox]").fill("كاوه")
    picker.get_by_role("option", name="فولاد کاوه").click()
    page.locator("#deal-form button[type=submit]").click()

    expect(page.locator("h1")).to_have_text("ده پمپ")
    expect(page.locator("#deal-details")).to_contain_text("۱٬۲۵۰٬۰۰۰ تومان")
    expect(page.locator("#deal-details")).to_contain_text("۱۵ دی ۱۴۰۵")
    with database.read() as session:
        deal = queries.list_deals(session, SYSTEM, ListQuery()).items[0]
    assert (deal.amount, deal.currency, deal.company_id) == (12_500_000, "IRR", company)
    assert deal.expected_close_on == date(2027, 1, 5)


def test_the_list_is_narrowed_while_one_types_and_chooses(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    company = new_company(database, "Cancity")
    new_deal(database, cast.anna, title="Pumps", company_id=company)
    new_deal(database, cast.anna, title="Valves", stage_id=selling.won)
    page = open_page("/deals?view=list", cast.anna)
    rows = page.locator("#deals tbody tr")

    page.get_by_role("searchbox").fill("canc")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Pumps")
    page.get_by_role("searchbox").fill("")
    expect(rows).to_have_count(2)
    page.get_by_label("Status").select_option("Won")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Valves")
    assert "view=list" in page.url
    page.get_by_role("link", name="Clear filters").click()
    expect(rows).to_have_count(2)


def test_more_filters_wait_in_a_dialog_and_work_at_once(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    new_deal(database, cast.anna, title="Pumps")
    new_deal(database, cast.anna, title="Valves", expected_close_on=date(2027, 1, 5))
    page = open_page("/deals?view=list", cast.anna)
    rows = page.locator("#deals tbody tr")

    page.get_by_role("button", name="More filters").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("#filter-from").fill("2027-01-01")
    dialog.locator("#filter-from").blur()
    expect(rows).to_have_count(1)
    dialog.get_by_role("button", name="Done").click()
    expect(rows).to_contain_text("Valves")
    page.get_by_role("link", name="Title").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Title")
    expect(rows).to_have_count(1)


def test_a_deal_is_lost_from_its_page_and_put_into_the_bin_and_back(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    deal_id = new_deal(database, cast.root, title="Pumps")
    page = open_page(f"/deals/{deal_id}", cast.root)

    page.get_by_role("button", name="Engaging").click()
    expect(page.get_by_text("Pumps is now in “Engaging”.")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_have_text("Engaging")
    page.get_by_role("button", name="Lost").first.click()
    dialog = page.get_by_role("dialog")
    box = dialog.locator("input[role=combobox]")
    box.fill("Their cousin sells pumps")
    box.press("Enter")
    expect(dialog.locator(".ts-control .item")).to_have_text("Their cousin sells pumps")
    expect(dialog.locator(".ts-control .item")).to_be_visible()
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(page.locator("#deal-details")).to_contain_text("Their cousin sells pumps")

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Pumps is in the bin.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Pumps")


def test_pipelines_are_set_up_without_a_mouse(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    page = open_page("/settings/pipelines", cast.root)

    page.get_by_role("button", name="Move Engaging up").press("Enter")
    expect(page.locator("tbody tr").first).to_contain_text("Engaging")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Service")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Service")).to_be_visible()
    page.get_by_role("button", name="More about Service").press("Enter")
    page.get_by_role("menuitem", name="Let new deals go here").press("Enter")

    expect(page.locator(".k-panel-head", has_text="Service")).to_contain_text("New deals go here")
