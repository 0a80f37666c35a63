"""The board in a real browser: dragging, the keyboard, the reason for losing, long columns."""

from playwright.sync_api import Page, expect

from server.core.actor import SYSTEM
from server.core.db import Database
from server.deals import queries
from server.deals.board import Wish, board
from server.deals.models import Deal
from server.deals.rules import CARDS_SHOWN
from tests.client_web.conftest import OpenPage
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, many_deals, new_deal


def deal_of(database: Database, deal_id: int) -> Deal:
    with database.read() as session:
        return queries.get_deal(session, SYSTEM, deal_id)


def settled(page: Page, deal_id: int, stage_id: int) -> None:
    """Wait until the card stands in the column and the server has answered."""
    card = f"[data-column='{stage_id}'] #card-{deal_id}:not([aria-busy])"
    expect(page.locator(card)).to_be_visible()


def drag(page: Page, deal_id: int, stage_id: int, *, below: int = 40) -> None:
    """Drag a card with the mouse to a place in a column, so many pixels below its upper edge."""
    expect(page.locator("daftar-board[data-ready]")).to_be_visible()
    page.locator(f"#card-{deal_id}").scroll_into_view_if_needed()
    start = page.locator(f"#card-{deal_id}").bounding_box()
    goal = page.locator(f"[data-column='{stage_id}']").bounding_box()
    assert start
    assert goal
    page.mouse.move(start["x"] + 60, start["y"] + 50)
    page.mouse.down()
    page.mouse.move(start["x"] + 80, start["y"] + 60, steps=4)
    page.mouse.move(goal["x"] + 60, goal["y"] + below, steps=8)
    page.mouse.up()


def column(database: Database, selling: Selling, place: int) -> list[int]:
    with database.read() as session:
        found = board(session, SYSTEM, Wish(selling.pipeline_id))
        return [deal.id for deal in found[place].deals]


def test_a_card_is_dragged_to_another_stage_and_the_sums_follow(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    deal_id = new_deal(database, cast.anna, amount=500_00)
    new_deal(database, cast.anna, amount=100_00, stage_id=selling.engaging)
    page = open_page("/deals", cast.anna)
    expect(page.locator(f"#board-head-{selling.prospecting}")).to_contain_text("$500.00")

    drag(page, deal_id, selling.engaging)

    settled(page, deal_id, selling.engaging)
    expect(page.locator(f"#board-head-{selling.engaging}")).to_contain_text("$600.00")
    expect(page.locator(f"#board-head-{selling.prospecting} .k-count")).to_have_text("0")
    assert deal_of(database, deal_id).stage_id == selling.engaging
    page.reload()
    settled(page, deal_id, selling.engaging)


def test_a_card_is_moved_by_keyboard_to_an_exact_place(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    third, second, first = (
        new_deal(database, cast.anna, title=f"Deal {n}", stage_id=selling.engaging)
        for n in (3, 2, 1)
    )
    moving = new_deal(database, cast.anna, title="Pumps")
    page = open_page("/deals", cast.anna)
    expect(page.locator("daftar-board[data-ready]")).to_be_visible()

    page.locator(f"#card-{moving}").focus()
    for key in ("Space", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)

    settled(page, moving, selling.engaging)
    expect(page.locator("[data-board-live]")).to_have_text("Pumps is now in “Engaging”.")
    expect(page.locator(f"#card-{moving}")).to_be_focused()
    assert column(database, selling, 1) == [first, moving, second, third]


def test_a_card_dropped_on_lost_asks_why_and_keeps_the_answer(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    deal_id = new_deal(database, cast.anna, title="Pumps", stage_id=selling.proposal)
    page = open_page("/deals", cast.anna)

    drag(page, deal_id, selling.lost)

    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Why was it lost?")
    box = dialog.locator("input[role=combobox]")  # there once the picker is
    expect(box).to_have_accessible_name("Reason")
    box.fill("No bud")
    box.press("Enter")
    expect(dialog.locator(".ts-control .item")).to_have_text("No budget")
    expect(dialog.locator(".ts-control .item")).to_be_visible()
    dialog.get_by_role("button", name="Keep the reason").click()
    expect(dialog).to_be_hidden()
    # The card carries the version of the answer, so that it can be moved on at once.
    expect(page.locator(f"#card-{deal_id}")).to_have_attribute("data-version", "3")
    deal = deal_of(database, deal_id)
    assert (deal.status, deal.lost_reason) == ("lost", "No budget")


def test_a_move_that_came_too_late_goes_back_and_says_why(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    from server.deals.service import Step, move_deal

    deal_id = new_deal(database, cast.anna, title="Pumps")
    page = open_page("/deals", cast.anna)
    with database.write(cast.root) as session:
        move_deal(session, cast.root, deal_id, Step(selling.proposal))

    drag(page, deal_id, selling.engaging)

    expect(page.get_by_text("Root changed this deal after you opened it.")).to_be_visible()
    settled(page, deal_id, selling.prospecting)
    assert deal_of(database, deal_id).stage_id == selling.proposal


def test_a_long_column_shows_more_and_a_card_dropped_at_its_end_stands_before_the_rest(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    many_deals(database, CARDS_SHOWN + 3, owner_id=cast.anna.user_id)
    shown = column(database, selling, 0)
    page = open_page("/deals", cast.anna)
    expect(page.locator("daftar-board[data-ready]")).to_be_visible()

    page.locator(f"#card-{shown[-1]}").focus()
    for key in ("Space", "ArrowUp", "ArrowDown", "ArrowDown", "Escape"):
        page.keyboard.press(key)
    page.locator(f"#card-{shown[-2]}").focus()
    for key in ("Space", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    settled(page, shown[-2], selling.prospecting)
    assert column(database, selling, 0)[-2:] == [shown[-1], shown[-2]]

    page.get_by_role("button", name="Show more").click()
    expect(page.locator("[data-card]")).to_have_count(CARDS_SHOWN + 3)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    drag(page, shown[0], selling.engaging)
    settled(page, shown[0], selling.engaging)


def test_the_board_is_narrowed_to_one_owner_and_moves_keep_the_narrowed_sums(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    mine = new_deal(database, cast.anna, amount=100_00)
    theirs = new_deal(database, cast.ben, amount=700_00)
    page = open_page("/deals", cast.root)

    page.get_by_label("Owner").select_option("Ben")
    expect(page.locator(f"#card-{mine}")).to_have_count(0)
    expect(page.locator(f"#card-{theirs}")).to_be_visible()
    drag(page, theirs, selling.proposal)

    settled(page, theirs, selling.proposal)
    expect(page.locator(f"#board-head-{selling.proposal}")).to_contain_text("$700.00")
    expect(page.locator(f"#board-head-{selling.prospecting} .k-count")).to_have_text("0")


def test_on_a_phone_in_persian_cards_move_to_the_left(
    database: Database, cast: Cast, selling: Selling, open_page: OpenPage
) -> None:
    deal_id = new_deal(database, cast.anna, title="پمپ", currency="IRR", amount=125_000)
    page = open_page("/deals", cast.anna, "fa", width=360, height=740)
    expect(page.locator("daftar-board[data-ready]")).to_be_visible()
    expect(page.locator(f"#card-{deal_id}")).to_contain_text("۱۲٬۵۰۰ تومان")

    page.locator(f"#card-{deal_id}").focus()
    for key in ("Space", "ArrowLeft", "Enter"):
        page.keyboard.press(key)

    settled(page, deal_id, selling.engaging)
