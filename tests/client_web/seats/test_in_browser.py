"""A full house and the seats in a real browser: making room without losing what was typed."""

import pytest
from playwright.sync_api import expect

from server.core.actor import SYSTEM
from server.core.db import Database
from server.users.models import WebSession
from server.users.slots import hold_counter
from tests.client_web.conftest import OpenPage, cookie_of
from tests.server.conftest import Cast
from tests.server.users.devices import arrive, house, sell

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"


def fall_silent(database: Database, cast: Cast) -> None:
    """Let every device of Anna's that is connected now lose its slot, as after 15 silent minutes."""
    with database.write(SYSTEM) as session:
        counter = hold_counter(session)
        for one in session.query(WebSession).filter(WebSession.user_id == cast.anna.user_id):
            if one.slot is not None:
                counter.used -= 1
            one.slot = one.connected_at = one.seen_s = None


def test_somebody_before_a_full_house_makes_room_and_what_was_typed_arrives(
    open_page: OpenPage, database: Database, cast: Cast
) -> None:
    page = open_page("/companies/new", cast.anna)
    page.locator("#f-name").fill("Pars “Trading” & Söhne")
    fall_silent(database, cast)
    sell(database, 2)
    arrive(database, cast.ben)
    cookie_of(database, cast.anna, PHONE)
    page.locator("main form button[type=submit]").last.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("All devices are connected")
    page.get_by_role("button", name="End Safari on iPhone").click()
    expect(page.locator("#house")).to_contain_text("There is room now")
    page.get_by_role("button", name="Send it again").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Pars “Trading” & Söhne")
    assert house(database)[0].used == 2


def test_an_open_page_tells_that_it_is_looked_at(
    open_page: OpenPage, database: Database, cast: Cast
) -> None:
    page = open_page("/companies", cast.anna)
    page.clock.install()
    page.reload()
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url))

    page.clock.fast_forward(60_000)
    early = [url for url in told if url.endswith("/devices/alive")]
    with page.expect_response("**/devices/alive") as answer:
        page.clock.fast_forward(5 * 60_000)

    assert answer.value.status == 204
    assert early == []


@pytest.mark.parametrize(("lang", "width"), [("en", 1440), ("fa", 360)])
def test_the_pages_fit_the_screen(
    open_page: OpenPage, database: Database, cast: Cast, lang: str, width: int
) -> None:
    sell(database, 9)
    arrive(database, cast.ben, agent=PHONE)
    page = open_page("/license/seats?kind=concurrent", cast.root, lang, width=width)

    for address in ("/license/seats", "/license/seats/history", "/license/seats?kind=concurrent"):
        page.goto(address)
        expect(page.locator("#seats")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, address
