"""The licence in a real browser, in Persian and English: carried by file, and the way to the vendor looked at."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.activation.service import LicenseOffice
from tests.client_web.conftest import OpenPage
from tests.licensing.client.vendor import SHOWN_CODE, Response
from tests.server.activation.carrying import LEAVE, answered
from tests.server.conftest import Cast
from tests.support.licensed import Stage

PAGE = b"<html><head><title>Hotel</title></head></html>"


def arrived(page: Page, where: str) -> bytes:
    with page.expect_download() as arriving:
        page.locator(where).click()
    return Path(arriving.value.path()).read_bytes()


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_a_server_is_activated_without_a_line(
    stage: Stage, office: LicenseOffice, cast: Cast, open_page: OpenPage, tmp_path: Path, lang: str
) -> None:
    page = open_page("/license/offline", cast.root, lang)
    code = page.locator("#make-activate input[name=code]")
    code.fill("0123")
    page.locator("#make-activate button[type=submit]").click()
    expect(page.locator("#f-code-error")).to_be_visible()
    expect(page.locator("#make-activate input[name=code]")).to_have_value("0123")
    page.locator("#make-activate input[name=code]").fill(SHOWN_CODE)
    page.locator("#make-activate button[type=submit]").click()
    expect(page.locator(".k-qr img").first).to_be_visible()
    loaded = "image => image.complete && image.naturalWidth > 0"
    assert page.locator(".k-qr img").first.evaluate(loaded)

    request = arrived(page, "a[href='/license/offline/request.dftreq']")
    file = tmp_path / "answer.dftlic"
    file.write_bytes(answered(stage, "activate", request))
    page.locator("#take-answer input[type=file]").set_input_files(file)
    page.locator("#take-answer button[type=submit]").click()
    page.wait_for_url("**/license")

    assert stage.board.verdict.mode == "ok"
    expect(page.locator(".k-light-green")).to_be_visible()


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_the_way_to_the_vendor_is_looked_at_while_the_page_waits(
    stage: Stage, office: LicenseOffice, cast: Cast, open_page: OpenPage, lang: str
) -> None:
    stage.vendor.instead = lambda _path: Response(200, PAGE, {"Content-Type": "text/html"})
    page = open_page("/license/diagnosis", cast.root, lang)

    page.locator("form[action='/license/diagnosis'] button").first.click()

    answer = page.locator("[data-step=answer]")
    expect(answer).to_have_attribute("data-status", "fail")
    expect(answer).to_contain_text("Hotel")
    expect(page.locator(".k-light-red")).to_be_visible()
    report = arrived(page, "a[href='/license/diagnosis.txt']").decode()
    assert "answer_page" in report
    expect(page.locator("#report")).to_contain_text("answer_page")


def test_the_pages_fit_the_smallest_phone(
    stage: Stage, office: LicenseOffice, cast: Cast, open_page: OpenPage
) -> None:
    stage.vendor.instead = lambda _path: None
    office.activate(cast.root, SHOWN_CODE)
    office.doctor.begin(cast.root)
    office.export_request(cast.root, replace(LEAVE, reason="move"))

    for path in ("/license", "/license/offline", "/license/diagnosis"):
        page = open_page(path, cast.root, "fa", width=360, height=740)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.locator("h1").count() == 1
