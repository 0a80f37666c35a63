"""A real browser for tests: Debian's Chromium, driven by Playwright.

A page that asks another server for anything, or whose scripts fail, fails its test.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LANGUAGES = {"fa": "fa-IR", "en": "en-US", "fr": "fr-FR"}


class NoBrowser(Exception):
    """Chromium is not on this machine."""


def chromium() -> str:
    """Return the path of the browser."""
    found = os.environ.get("DAFTAR_TEST_CHROMIUM") or shutil.which("chromium")
    if not found:
        raise NoBrowser(
            "The tests need Chromium and found none. Run 'make setup-test' as root, or install "
            "the package 'chromium', or name the program in DAFTAR_TEST_CHROMIUM."
        )
    return found


@dataclass
class Browser:
    """Opens pages for people with a language, a screen and a taste, and listens for trouble."""

    chromium: Chromium
    contexts: list[BrowserContext] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def open(
        self,
        *,
        base_url: str | None = None,
        locale: str = "en",
        width: int = 1440,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        """Open a page of a new person: no cookies, nothing remembered."""
        context = self.chromium.new_context(
            base_url=base_url,
            locale=LANGUAGES[locale],
            timezone_id="Asia/Tehran",
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(f"script error: {error}"))
        page.on("request", lambda request: self._watch(request.url))
        return page

    def _watch(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in LOOPBACK:
            self.troubles.append(f"request to another server: {url}")

    def close_pages(self) -> None:
        """Close what was opened and fail when a page had trouble."""
        for context in self.contexts:
            context.close()
        troubles = [*self.troubles]
        self.contexts.clear()
        self.troubles.clear()
        assert not troubles, "\n".join(troubles)


@contextmanager
def running_chromium() -> Iterator[Chromium]:
    """Run the browser inside the block."""
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield program
        finally:
            program.close()
