"""The browser of the tests itself."""

import pytest

from tests.support.browser import Browser


def test_a_page_speaks_the_language_of_its_person(browser: Browser) -> None:
    page = browser.open(locale="fa", width=360)

    assert page.evaluate("[navigator.language, window.innerWidth]") == ["fa-IR", 360]


def test_a_page_with_a_broken_script_fails_its_test(browser: Browser) -> None:
    page = browser.open()
    page.set_content("<script>missing()</script>")

    with pytest.raises(AssertionError, match="missing is not defined"):
        browser.close_pages()


def test_a_page_that_asks_another_server_fails_its_test(browser: Browser) -> None:
    page = browser.open()
    page.route("**/*", lambda route: route.abort())
    page.set_content('<img src="http://elsewhere.example/pixel.png" alt="">')

    with pytest.raises(AssertionError, match=r"elsewhere\.example"):
        browser.close_pages()
