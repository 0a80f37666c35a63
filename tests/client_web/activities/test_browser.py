"""A timeline in a real browser: a Persian date typed, a task ticked, an undo."""

from datetime import UTC, datetime

from playwright.sync_api import expect

from server.activities.models import Activity
from server.activities.rules import ActivityKind, Target
from server.core.db import Database
from tests.client_web.activities.conftest import written
from tests.client_web.conftest import OpenPage
from tests.server.conftest import Cast


def test_a_task_with_a_jalali_date_is_added_ticked_and_opened_again(
    open_page: OpenPage, database: Database, cast: Cast, company: Target
) -> None:
    page = open_page(f"/companies/{company.record_id}", cast.anna, "fa", width=360)
    composer = page.locator("[data-composer]")

    composer.locator('input[value="task"]').check(force=True)
    composer.locator('[name="subject"]').fill("پیش‌فاکتور را بفرست")
    composer.locator("[data-date-input]").fill("۱۴۰۸/۰۱/۰۲")
    composer.locator("[data-date-input]").press("Tab")
    composer.locator('button[type="submit"]').click()
    task = page.locator("#timeline-planned .k-event")
    expect(task).to_contain_text("پیش‌فاکتور را بفرست")
    expect(task).to_contain_text("۲ فروردین ۱۴۰۸")
    expect(composer.locator('[name="subject"]')).to_have_value("")

    with database.read() as session:
        (kept,) = session.query(Activity).all()
    assert kept.due_at == datetime(2029, 3, 21, 9, 0, tzinfo=UTC)

    task.get_by_role("checkbox").check()
    expect(page.locator("#timeline-planned .k-event-done")).to_have_count(1)
    page.locator("[data-toast-undo]").click()
    expect(page.locator("#timeline-planned .k-event-done")).to_have_count(0)
    expect(page.locator(f"#activity-{kept.id}")).to_be_visible()


def test_a_deleted_note_comes_back_by_undo(
    open_page: OpenPage, database: Database, cast: Cast, company: Target
) -> None:
    note = written(database, cast.anna, company, kind=ActivityKind.NOTE, subject="They liked it")
    page = open_page(f"/companies/{company.record_id}", cast.anna)
    event = page.locator(f"#activity-{note}")

    event.get_by_role("button", name="Actions for They liked it").click()
    event.get_by_role("menuitem", name="Delete").click()
    expect(event).to_contain_text("is in the bin")
    event.get_by_role("button", name="Undo").click()
    expect(event).to_contain_text("They liked it")
    expect(event).not_to_contain_text("is in the bin")

    page.reload()
    expect(event).to_contain_text("They liked it")


def test_tasks_are_worked_off_by_keyboard(
    open_page: OpenPage, database: Database, cast: Cast, company: Target
) -> None:
    for subject in ("First", "Second"):
        written(database, cast.anna, company, subject=subject)
    page = open_page("/", cast.anna)

    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/tasks")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="First")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("tr.k-muted-row")).to_contain_text("First")
    page.keyboard.press("n")
    expect(page.locator("#activity-form")).to_be_visible()


def test_a_refusal_is_told_and_what_was_typed_stays(
    open_page: OpenPage, cast: Cast, company: Target
) -> None:
    page = open_page(f"/companies/{company.record_id}", cast.anna)
    composer = page.locator("[data-composer]")

    composer.locator('input[value="task"]').check(force=True)
    composer.locator("textarea").fill("a text without a subject")
    composer.locator('button[type="submit"]').click()

    expect(page.locator("[data-toast]")).to_contain_text("A task needs a subject")
    expect(composer.locator("textarea")).to_have_value("a text without a subject")
    expect(page.locator("#timeline-planned .k-event")).to_have_count(0)
