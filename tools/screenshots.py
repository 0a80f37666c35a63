"""A picture of every page of the demo: fa and en, 360 and 1440 pixels, light and dark.

Both of its doors are visited, the CRM and the vendor's console. The pages are found as a person finds
them, by following links from the start page; of pages that differ only in a record's number, one is
enough. The demo is started when it is not running.
"""

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

import pyotp
import requests
from playwright.sync_api import Page

from server.core import clock
from tests.support.browser import Browser, running_chromium

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "var" / "screenshots"
EMAIL, PASSWORD = "admin@example.com", "daftar-demo-1404"  # the demo's, known to all
LOCALES = ("fa", "en")
WIDTHS = (360, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
START_SECONDS = 600
MOST_PAGES = 80
NOT_PAGES = re.compile(r"^/(api|static|metrics|healthz|sign-out|files)\b|\.\w{2,4}$")
STAFF = "owner@example.com"
SECOND_FACTOR = ROOT / "var" / "demo-authority" / "console-second-factor"
STEP_SECONDS = 30


@dataclass(frozen=True)
class Door:
    """One application of the demo: where it is, its first and its sign-in page, how one comes in."""

    name: str
    address: str
    start: str
    sign_in_page: str
    sign_in: Callable[[Page], None]


def address() -> str:
    """Return where the demo answers."""
    return f"http://127.0.0.1:{os.environ.get('DAFTAR_PORT', '8000')}"


def answers() -> bool:
    """Tell whether the demo is up."""
    try:
        return requests.get(f"{address()}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def running_demo() -> Iterator[None]:
    """Have the demo running inside the block; leave it as it was found."""
    if answers():
        yield
        return
    demo = subprocess.Popen([sys.executable, "-m", "installer.demo"], cwd=ROOT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if demo.poll() is not None or time.monotonic() > deadline:
                sys.exit("The demo did not start; its own words above say why.")
            time.sleep(0.5)
        yield
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()


def sign_in(page: Page) -> None:
    """Sign in as the demo's administrator."""
    page.goto("/sign-in?lang=en")
    page.fill("input[name=email]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def sign_in_to_console(page: Page) -> None:
    """Sign in as the demo's vendor. Every code works once, so a new one is waited for."""
    page.goto("/console/sign-in?lang=en")
    page.fill("input[name=email]", STAFF)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/second-factor*")
    totp = pyotp.TOTP(SECOND_FACTOR.read_text("utf8").strip())
    while "/second-factor" in page.url:
        page.fill("input[name=code]", totp.now())
        page.click("button[type=submit]")
        page.wait_for_load_state()
        if "/second-factor" in page.url:
            time.sleep(STEP_SECONDS - clock.timestamp() % STEP_SECONDS)


def doors() -> tuple[Door, Door]:
    """Return both doors of the demo."""
    port = os.environ.get("DAFTAR_AUTHORITY_PORT", "8100")
    return (
        Door("", address(), "/", "/sign-in", sign_in),
        Door(
            "console",
            f"http://127.0.0.1:{port}",
            "/console/",
            "/console/sign-in",
            sign_in_to_console,
        ),
    )


def shape(path: str) -> str:
    """Return what pages of one kind have in common: numbers and long ids are left out."""
    return re.sub(r"/(\d+|(?:lic|cus)_\w+|[0-9A-Za-z_-]{16,})(?=/|$)", "/one", path)


def find_pages(page: Page, door: Door) -> list[str]:
    """Follow links from the start page and return one path of each shape."""
    found, waiting = {shape(door.start): door.start}, [door.start]
    while waiting and len(found) < MOST_PAGES:
        page.goto(waiting.pop(0))
        for link in page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            target = urlsplit(urljoin(page.url, link))
            if not target.geturl().startswith(door.address) or NOT_PAGES.search(target.path):
                continue
            if shape(target.path) not in found:
                found[shape(target.path)] = target.path
                waiting.append(target.path)
    return sorted(found.values())


def picture(page: Page, path: str, locale: str, look: str) -> None:
    """Open the page in the language and keep its picture."""
    page.goto(f"{path}?lang={locale}")
    page.wait_for_load_state("networkidle")
    name = shape(path).strip("/").replace("/", "-") or "home"
    page.screenshot(path=PICTURES / f"{name}.{locale}.{look}.png", full_page=True)


def visit(browser: Browser, door: Door) -> int:
    """Take the pictures of one door and return how many pages it has."""
    paths: list[str] = []
    state = None
    for locale, width, scheme in itertools.product(LOCALES, WIDTHS, SCHEMES):
        look = f"{width}.{scheme}"
        page = browser.open(base_url=door.address, locale=locale, width=width, scheme=scheme)
        picture(page, door.sign_in_page, locale, look)
        if state is None:
            door.sign_in(page)
            state = page.context.cookies()
            paths = find_pages(page, door)
        page.context.add_cookies(state)  # type: ignore[arg-type] # what was given out is taken back
        for path in paths:
            picture(page, path, locale, look)
        page.context.close()
    browser.contexts.clear()
    return len(paths) + 1


def main() -> None:
    """Take every picture and say how many there are."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with running_demo(), running_chromium() as chromium:
        browser = Browser(chromium)
        count = sum(visit(browser, door) for door in doors())
        browser.close_pages()
    sys.stdout.write(f"{8 * count} pictures of {count} pages: {PICTURES}\n")


if __name__ == "__main__":
    main()
