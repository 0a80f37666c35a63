"""The whole way of an import in a real browser, in Persian."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Page, expect

from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.exchange.desk import ImportDesk
from server.exchange.service import workshop
from server.http.app import DaftarFlask
from tests.client_web.conftest import OpenPage
from tests.server.conftest import Cast

COMPANIES = "نام شرکت;صنعت;شهر;تلفن;رنگ\n" + "".join(
    f"شرکت {number};انرژی;تهران;{phone};سبز\n"
    for number, phone in enumerate(["021 8888 7777", "۰۲۱۸۸۸۸۷۷۷۶", "نامعلوم", ""])
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Run on one database: the browser sees no difference."""
    return sqlite_url


@pytest.fixture
def working(app: DaftarFlask, cast: Cast) -> Iterator[None]:
    """Work on imports in the background, as the scheduler does."""
    settings, door = app.extensions["daftar.settings"], app.extensions["daftar.door"]
    board = EntitlementsBoard(UNLIMITED)
    desk = ImportDesk(workshop(settings, door.database), board, lambda _session, _user: cast.root)
    stop = Event()

    def work() -> None:
        while not stop.wait(0.2):
            desk.work()

    thread = Thread(target=work, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("working")
def test_a_persian_file_is_tried_imported_and_taken_back(
    open_page: OpenPage, cast: Cast, tmp_path: Path
) -> None:
    file = tmp_path / "مشتریان.csv"
    file.write_bytes(COMPANIES.encode("utf-8-sig"))
    page = open_page("/imports", cast.root, "fa")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")

    choose_file(page, file)
    try_and_run(page)
    look_at_rows(page)
    page.locator("form[action$='/undo'] button").click()
    page.locator("[data-confirm-yes]").click()

    expect(page.locator("form[action$='/again'] button")).to_be_visible(timeout=30_000)
    page.goto("/companies")
    expect(page.locator("#companies tbody tr")).to_have_count(0)


def choose_file(page: Page, file: Path) -> None:
    page.locator("a[href='/imports/new']").first.click()
    page.locator("input[name=kind][value=companies]").check()
    page.locator("input[type=file]").set_input_files(file)
    page.locator("#upload button[type=submit]").click()
    expect(page.locator("h1")).to_contain_text("مشتریان.csv")
    expect(page.locator("#f-column-0")).to_have_value("name")
    expect(page.locator("#f-column-3")).to_have_value("phones")
    expect(page.locator("#f-column-4")).to_have_value("")


def try_and_run(page: Page) -> None:
    page.locator("button[name=step][value=try]").click()
    expect(page.locator("#row-2")).to_be_visible(timeout=30_000)
    expect(page.locator("form[action$='/run'] button")).to_be_visible(timeout=30_000)
    page.locator("form[action$='/run'] button").click()
    expect(page.locator("form[action$='/undo'] button")).to_be_visible(timeout=30_000)


def look_at_rows(page: Page) -> None:
    page.locator("#row-2 summary").click()
    expect(page.locator("#row-2 details")).to_contain_text("سبز")
    page.locator("select[name='filter[outcome]']").select_option("refused")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#row-4")).to_contain_text("نامعلوم")
