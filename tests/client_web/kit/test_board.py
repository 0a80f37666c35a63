"""The board: moving cards by keyboard and by pointer, and what happens when the server refuses."""

from playwright.sync_api import Page, expect

from tests.client_web.kit.conftest import OpenPage
from tests.client_web.kit.gallery import Moves


def column_of(page: Page, card: int) -> str | None:
    """Return the column a card stands in."""
    return page.locator(f"#card-{card}").locator("xpath=..").get_attribute("data-column")


def settled(page: Page, card: int, column: int) -> None:
    """Wait until the card stands in the column and the server has answered."""
    expect(page.locator(f"[data-column='{column}'] #card-{card}:not([aria-busy])")).to_be_visible()


def test_a_card_moves_by_keyboard(open_page: OpenPage, gallery: tuple[str, Moves]) -> None:
    page = open_page("board")
    live = page.locator("[data-board-live]")

    page.locator("#card-12").focus()
    page.keyboard.press("Space")
    expect(live).to_contain_text("Deal 12 lifted from “New contact”")
    page.keyboard.press("ArrowRight")
    expect(live).to_have_text("Deal 12 over “Qualified”, place 2 of 4.")
    page.keyboard.press("ArrowUp")
    expect(live).to_have_text("Deal 12 over “Qualified”, place 1 of 4.")
    page.keyboard.press("Enter")

    expect(live).to_have_text("Deal 12 is now in “Qualified”.")
    settled(page, 12, 2)
    expect(page.locator("#card-12")).to_be_focused()
    expect(page.locator("#card-12")).to_have_attribute("data-version", "2")
    assert gallery[1].sent == [
        {
            "card": "12",
            "token": "token-of-the-gallery",
            "stage_id": "2",
            "version": "1",
            "before_id": "21",
        }
    ]


def test_in_persian_the_next_column_is_to_the_left(
    open_page: OpenPage, gallery: tuple[str, Moves]
) -> None:
    page = open_page("board", "fa")

    page.locator("#card-11").focus()
    for key in ("Space", "ArrowLeft", "Enter"):
        page.keyboard.press(key)

    settled(page, 11, 2)
    assert gallery[1].sent[0]["stage_id"] == "2"


def test_escape_puts_a_lifted_card_back_and_asks_nothing_of_the_server(
    open_page: OpenPage, gallery: tuple[str, Moves]
) -> None:
    page = open_page("board")

    page.locator("#card-12").focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "Escape"):
        page.keyboard.press(key)

    expect(page.locator("[data-board-live]")).to_have_text("Deal 12 is back in “New contact”.")
    cards = page.locator("[data-column='1'] [data-card]").evaluate_all("c => c.map((e) => e.id)")
    assert cards == ["card-11", "card-12", "card-13"]
    assert gallery[1].sent == []


def test_arrows_walk_over_the_cards_and_enter_opens_one(open_page: OpenPage) -> None:
    page = open_page("board")

    page.locator("#card-11").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#card-12")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#card-22")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url("**/record?lang=en")


def test_a_refused_move_goes_back_and_says_why(
    open_page: OpenPage, gallery: tuple[str, Moves]
) -> None:
    page = open_page("board")

    page.locator("#card-31").focus()
    for key in ("Space", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)

    expect(page.get_by_text("A deal needs an offer to be won.")).to_be_visible()
    settled(page, 31, 3)
    expect(page.locator("[data-board-live]")).to_contain_text("could not be moved")
    assert len(gallery[1].sent) == 1


def test_a_card_that_may_not_move_stays(open_page: OpenPage, gallery: tuple[str, Moves]) -> None:
    page = open_page("board")

    page.locator("#card-51").focus()
    for key in ("Space", "ArrowLeft"):
        page.keyboard.press(key)

    expect(page.locator("#card-51")).not_to_be_focused()
    expect(page.locator("[data-board-live]")).to_be_empty()
    assert column_of(page, 51) == "5"
    assert gallery[1].sent == []


def test_a_card_is_dragged_to_an_empty_column(
    open_page: OpenPage, gallery: tuple[str, Moves]
) -> None:
    page = open_page("board")
    expect(page.locator("daftar-board[data-ready]")).to_be_visible()
    start = page.locator("#card-21").bounding_box()
    goal = page.locator("[data-column='4']").bounding_box()
    assert start
    assert goal

    page.mouse.move(start["x"] + 60, start["y"] + 60)
    page.mouse.down()
    page.mouse.move(start["x"] + 90, start["y"] + 70, steps=4)
    page.mouse.move(goal["x"] + 60, goal["y"] + 40, steps=8)
    page.mouse.up()

    settled(page, 21, 4)
    expect(page.locator("#card-21")).to_have_attribute("data-version", "2")
    assert [(move["card"], move["stage_id"]) for move in gallery[1].sent] == [("21", "4")]
