"""Backups in a real browser: asked for, watched, looked at and signed, in Persian and English."""

import threading

import pyrage
import pytest
from playwright.sync_api import expect

from backup.confirm import confirmations
from backup.plan import Kind
from server.backups.worker import Worker
from tests.client_web.conftest import OpenPage
from tests.server.backups.home import Home
from tests.server.conftest import PASSWORD


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_a_person_asks_watches_and_signs(
    home: Home, open_page: OpenPage, worker: Worker, lang: str
) -> None:
    page = open_page("/backups", home.cast.root, lang)
    page.locator("form[action='/backups/run'] button").first.click()
    expect(page.locator("#backup-progress")).to_have_attribute("hx-trigger", "every 2s")

    working = threading.Thread(target=worker.work_off)
    working.start()
    sign = page.locator("a[data-key=e]")
    expect(sign).to_be_visible(timeout=60_000)  # the page found out by itself
    working.join()

    sign.click()
    form = page.locator("#sheet #check-form")
    expect(form).to_be_visible()
    form.locator("input[name=password]").fill("not mine at all")
    form.locator("button[type=submit]").click()
    expect(page.locator("#sheet .k-form-summary")).to_be_visible()
    form.locator("input[name=password]").fill(PASSWORD)
    form.locator("button[type=submit]").click()
    page.wait_for_url("**/backups/2*")

    (said,) = confirmations(home.store)
    assert said.user_name == "Root"
    expect(page.locator(".k-record-side")).to_contain_text("Root")


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_the_pages_fit_the_smallest_phone(home: Home, open_page: OpenPage, lang: str) -> None:
    name = home.office.run(home.cast.root, Kind.MANUAL).id
    part = home.store.sets / name / "secrets.tar.zst.age"
    part.write_bytes(part.read_bytes()[:-1])
    home.office.verify(home.cast.root)

    keys = ("/backups/keys", "/backups/keys/working")
    for path in ("/backups", f"/backups/{name}", f"/backups/{name}/check", *keys):
        page = open_page(path, home.cast.root, lang, width=360, height=740)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.locator("h1").count() == 1


def test_a_download_arrives_whole(home: Home, open_page: OpenPage) -> None:
    name = home.office.run(home.cast.root, Kind.MANUAL).id
    page = open_page(f"/backups/{name}", home.cast.root)

    with page.expect_download() as arriving:
        page.locator("form[action$='/download'] button").click()

    arrived = arriving.value
    assert arrived.suggested_filename == f"daftar-{name}.tar"
    assert arrived.path().stat().st_size > 10_000


def test_a_holder_proves_a_key_and_takes_a_new_one_with_its_sheet(
    home: Home, open_page: OpenPage
) -> None:
    home.store.possession.unlink()
    page = open_page("/backups/keys/escrow", home.cast.root)
    with page.expect_download() as arriving:
        page.locator("form[action$='/escrow/test'] button").first.click()
    identity = pyrage.x25519.Identity.from_str(home.shown_once.escrow_private)
    letters = pyrage.decrypt(arriving.value.path().read_bytes(), [identity]).decode()
    page.locator("input[name=letters]").fill(letters)
    page.keyboard.press("Enter")
    page.wait_for_url("**/backups/keys")
    expect(page.locator("#key-proofs")).to_contain_text("Root")

    page.locator("#rotate-form input[name=working]").check()
    page.locator("#rotate-form input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("New keys of the backups")
    with page.expect_download() as sheet:
        page.locator("form[action$='/keys/sheet'] button").click()
    assert sheet.value.suggested_filename == "recovery-sheet-working.pdf"
    assert sheet.value.path().read_bytes().startswith(b"%PDF-")
