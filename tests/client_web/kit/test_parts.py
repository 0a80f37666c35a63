"""Menus, dialogs, toasts, lists, choices, files and shortcuts, as people use them."""

import json
import re

from playwright.sync_api import expect

from tests.client_web.kit.conftest import OpenPage


def test_a_menu_is_walked_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("home")
    opener = page.get_by_role("button", name="Settings")

    opener.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Escape")

    expect(opener).to_be_focused()
    expect(page.get_by_role("menu")).to_have_count(0)


def test_a_dangerous_button_asks_first(open_page: OpenPage) -> None:
    page = open_page("home")
    button = page.get_by_role("main").get_by_role("button", name="Delete")

    button.click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Discard the deal?")
    question.get_by_role("button", name="Cancel").click()
    expect(question).not_to_be_visible()
    assert page.url.endswith("/home?lang=en")

    button.click()
    question.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/echo")
    assert json.loads(page.locator("body").inner_text())["id"] == ["4"]


def test_a_form_from_the_server_opens_in_a_dialog(open_page: OpenPage) -> None:
    page = open_page("home")

    page.get_by_role("button", name="New contact").click()
    expect(page.locator("#sheet").get_by_label("Title")).to_be_visible()
    page.locator("#sheet-born").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#sheet-born")).not_to_have_value("")
    expect(page.locator("#sheet")).to_be_visible()


def test_a_refusal_of_the_server_is_told(open_page: OpenPage) -> None:
    page = open_page("home")

    page.get_by_role("button", name="Import", exact=True).click()

    toast = page.get_by_text("You may not do that.")
    expect(toast).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).last.click()
    expect(toast).to_have_count(0)


def test_progress_is_asked_for_until_it_is_done(open_page: OpenPage) -> None:
    page = open_page("home")

    expect(page.locator("#job")).to_have_text("done")
    expect(page.locator("#job")).not_to_have_attribute("hx-get", re.compile(".*"))


def test_small_states_of_a_page_work_without_eval(open_page: OpenPage) -> None:
    page = open_page("home")
    expect(page.locator("#alpine")).not_to_be_visible()

    page.get_by_role("button", name="Details").click()

    expect(page.locator("#alpine")).to_be_visible()


def test_a_search_runs_while_one_types_and_stays_in_the_address(open_page: OpenPage) -> None:
    page = open_page("list")

    page.keyboard.press("/")
    expect(page.get_by_placeholder("Search deals")).to_be_focused()
    page.keyboard.type("acme")

    page.wait_for_url("**q=acme**")
    expect(page.get_by_placeholder("Search deals")).to_be_focused()
    expect(page.get_by_role("row")).to_have_count(15)


def test_a_filter_applies_itself(open_page: OpenPage) -> None:
    page = open_page("list")

    page.get_by_label("Stage").select_option("New contact")

    page.wait_for_url("**stage_id=1**")


def test_a_column_says_how_it_is_sorted_and_turns_round(open_page: OpenPage) -> None:
    page = open_page("list")
    amount = page.get_by_role("columnheader", name="Amount")
    expect(amount).to_have_attribute("aria-sort", "descending")

    amount.get_by_role("link").click()

    page.wait_for_url("**sort=amount**")
    expect(amount).to_have_attribute("aria-sort", "ascending")


def test_the_whole_row_opens_the_record(open_page: OpenPage) -> None:
    page = open_page("list")

    page.get_by_text("49,061,725 USD").click()

    page.wait_for_url("**/record?lang=en")


def test_rows_are_walked_with_j_and_k(open_page: OpenPage) -> None:
    page = open_page("list")

    for key in "jjk":
        page.keyboard.press(key)

    expect(page.locator("#deal-0 a")).to_be_focused()


def test_shortcuts_go_by_the_place_of_the_key(open_page: OpenPage) -> None:
    page = open_page("home", "fa")
    # What a Persian keyboard gives for the keys g and d.
    for key, code in (("ل", "KeyG"), ("ی", "KeyD")):
        page.evaluate(
            "([key, code]) => document.body.dispatchEvent("
            "new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true}))",
            [key, code],
        )

    page.wait_for_url("**/list?lang=fa")


def test_the_question_mark_shows_the_keys(open_page: OpenPage) -> None:
    page = open_page("home")

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_letters_typed_into_a_field_are_only_letters(open_page: OpenPage) -> None:
    page = open_page("form")

    page.get_by_label("Title").fill("")
    page.get_by_label("Title").press_sequentially("n?gd")

    expect(page.get_by_label("Title")).to_have_value("n?gd")
    assert "/form" in page.url


def test_a_company_is_found_on_the_server_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("form")

    page.get_by_role("combobox", name="Company").and_(page.locator("input")).focus()
    page.keyboard.type("beta")
    expect(page.get_by_role("option", name="Betasoloin")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#f-company_id")).to_have_value("1")


def test_a_picker_shows_what_is_typed_and_offers_nothing_the_server_found_for_other_words(
    open_page: OpenPage,
) -> None:
    page = open_page("form")
    box = page.get_by_role("combobox", name="Company").and_(page.locator("input"))
    box.click()
    expect(page.get_by_role("option", name="Cancity")).to_be_visible()
    page.route("**/options?**", lambda _route: None)  # a server that takes its time

    page.keyboard.type("beta")

    expect(box).to_have_value("beta")
    expect(box).to_have_css("opacity", "1")
    expect(page.get_by_role("option", name="Cancity")).to_have_count(0)


def test_a_menu_opens_upwards_where_there_is_no_room_below(open_page: OpenPage) -> None:
    page = open_page("home", height=200)
    opener = page.get_by_role("button", name="Settings")
    page.evaluate("document.querySelector('.k-main').style.paddingTop = '400px'")
    opener.evaluate("(button) => button.scrollIntoView({ block: 'end' })")

    opener.click()

    menu = page.get_by_role("menu").bounding_box()
    button = opener.bounding_box()
    assert menu
    assert button
    assert menu["y"] + menu["height"] <= button["y"]
    assert menu["y"] >= 0


def test_chosen_files_are_listed_and_can_be_let_go(open_page: OpenPage) -> None:
    page = open_page("form")
    files = [
        {"name": name, "mimeType": "text/plain", "buffer": b"x" * 2048}
        for name in ("a.txt", "b.txt")
    ]

    page.get_by_label("Attachments").set_input_files(files)  # type: ignore[arg-type]  # its TypedDict is private
    page.get_by_role("button", name="Remove: a.txt").click()

    expect(page.locator("[data-drop-list]")).to_contain_text("b.txt")
    assert page.evaluate("document.querySelector('#f-files').files.length") == 1


def test_a_task_is_written_on_the_record_and_appears_on_its_timeline(open_page: OpenPage) -> None:
    page = open_page("record")
    expect(page.get_by_label("Subject")).not_to_be_visible()

    page.get_by_text("Task", exact=True).click()
    page.get_by_label("Subject").fill("Call back")
    page.locator("#timeline-due").fill("2026-12-01")
    page.get_by_label("Text", exact=True).fill("About the price")
    page.get_by_role("button", name="Add", exact=True).click()

    first = page.locator("#timeline > li").first
    expect(first).to_contain_text("Call back")
    expect(first).to_contain_text("About the price 2026-12-01T09:00")
    expect(page.get_by_label("Text", exact=True)).to_have_value("")


def test_a_password_can_be_shown(open_page: OpenPage) -> None:
    page = open_page("auth")
    password = page.get_by_label("Password*")
    password.fill("secret")

    page.get_by_role("button", name="Show password").click()

    expect(password).to_have_attribute("type", "text")


def test_an_error_of_a_field_is_bound_to_it(open_page: OpenPage) -> None:
    page = open_page("form")

    wrong = page.locator("#f-wrong")

    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_accessible_description("Write the amount as a number.")
