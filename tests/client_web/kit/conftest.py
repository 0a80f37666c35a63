"""The gallery on a real socket, and pages of it that listen for trouble."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.client_web.kit.gallery import Moves, running_gallery
from tests.support.browser import Browser

OpenPage = Callable[..., Page]

# What loads its script itself says so when it is ready; the rest of a page is ready when it is loaded.
UNFINISHED = "daftar-select select:not(.tomselected), daftar-board:not([data-ready]), [x-cloak]"


@pytest.fixture
def gallery() -> Iterator[tuple[str, Moves]]:
    """Give the address of a running gallery and what its board asked for."""
    with running_gallery() as running:
        yield running


@pytest.fixture
def open_page(gallery: tuple[str, Moves], browser: Browser) -> OpenPage:
    """Open a page of the gallery; a breach of the content policy fails the test."""

    def open_one(name: str, lang: str = "en", **screen: int | str) -> Page:
        page = browser.open(base_url=gallery[0], locale=lang, **screen)  # type: ignore[arg-type]  # width, scheme
        page.on("console", lambda said: _listen(browser, said.text))
        page.goto(f"/{name}?lang={lang}")
        expect(page.locator(UNFINISHED)).to_have_count(0)
        return page

    return open_one


def _listen(browser: Browser, text: str) -> None:
    if "Content Security Policy" in text:
        browser.troubles.append(text)
