"""The audit trail in the browser: who did what, narrowed, and whether the seal is whole."""

import html
from dataclasses import replace

import pytest
from sqlalchemy import delete

from server.audit.chain import erase_values, seal_all, verify_and_remember
from server.audit.models import AuditEntry
from server.audit.service import note
from server.companies.rules import CompanyDraft
from server.companies.service import change_company, create_company
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Broken
from tests.client_web.conftest import Visit, counted
from tests.server.conftest import Cast


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the page shows does not depend on its kind."""
    return sqlite_database


def write(database: Database, cast: Cast, count: int = 1) -> None:
    draft = CompanyDraft(name="Pars Trading", city="Tehran")
    with database.write(cast.anna) as session:
        ids = [create_company(session, cast.anna, draft).id for _number in range(count)]
    with database.write(cast.ben) as session:
        change_company(session, cast.ben, ids[0], replace(draft, city="Shiraz"))


def rows(page: str) -> str:
    return html.unescape(page).split('id="trail"')[1].split("<tbody>")[-1].split("</tbody>")[0]


def test_a_change_is_shown_with_who_and_what_was_before(
    visit: Visit, database: Database, cast: Cast
) -> None:
    write(database, cast)

    shown = rows(visit(cast.root).read("/audit"))

    assert "Ben" in shown
    assert "<del><bdi>Tehran</bdi></del>" in shown
    assert "<ins><bdi>Shiraz</bdi></ins>" in shown
    assert 'href="/companies/1"' in shown
    assert "name_key" not in shown
    assert "search_text" not in shown


@pytest.mark.parametrize(
    ("question", "there", "gone"),
    [
        ("filter[kind]=user", "Signed in", "Shiraz"),
        ("filter[action]=update&filter[kind]=company", "Shiraz", "Wrote this down"),
        ("filter[user_id]=2", "Shiraz", "Anna"),
        ("days=1", "Shiraz", "no such words"),
    ],
)
def test_the_trail_can_be_narrowed(
    visit: Visit, database: Database, cast: Cast, question: str, there: str, gone: str
) -> None:
    write(database, cast)

    shown = rows(visit(cast.root).read(f"/audit?{question}"))

    assert there in shown
    assert gone not in shown


def test_nothing_found_says_so_and_leads_back(visit: Visit, cast: Cast) -> None:
    page = html.unescape(visit(cast.root).read("/audit?filter[kind]=quote"))

    assert "No change fits these filters." in page
    assert 'href="/audit"' in page


def test_the_seal_speaks(visit: Visit, database: Database, cast: Cast) -> None:
    write(database, cast)
    root = visit(cast.root)
    before = html.unescape(root.read("/audit"))
    seal_all(database)
    verify_and_remember(database)
    whole = html.unescape(root.read("/audit"))
    with database.write() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.position == 2))
    with pytest.raises(Broken):
        verify_and_remember(database)
    broken = html.unescape(root.read("/audit"))

    assert "new entries wait for their seal" in before
    assert "The trail is whole" in whole
    assert "The trail is broken at entry 2" in broken


def test_what_was_erased_says_so(visit: Visit, database: Database, cast: Cast) -> None:
    write(database, cast)
    with database.write(cast.root) as session:
        erase_values(session, cast.root, kind="company", record_id=1)

    page = visit(cast.root).read("/audit?filter[kind]=company")

    assert "Erased on request of a person" in page
    assert "Shiraz" not in page


def test_only_who_may_see_the_trail_sees_it(visit: Visit, cast: Cast) -> None:
    guest = visit(cast.guest)

    assert guest.get("/audit").status_code == 403
    assert 'href="/audit"' not in guest.read("/settings/profile")


def test_a_long_trail_takes_no_more_questions(visit: Visit, database: Database, cast: Cast) -> None:
    write(database, cast)
    root = visit(cast.root)
    root.read("/audit")
    with counted(database) as few:
        root.read("/audit")
    write(database, cast, count=30)
    with counted(database) as many:
        root.read("/audit")

    assert len(many) == len(few)


def test_what_the_trail_keeps_of_backups_is_told_in_words(
    visit: Visit, cast: Cast, database: Database
) -> None:
    keyboard = replace(SYSTEM, name="root at the command line")
    with database.write(keyboard) as session:
        kept = {"set": "20260101T000000Z-abc", "kind": "manual", "bytes": 2_000, "ok": True}
        note(session, keyboard, "backup", kind="backup", changes=kept)
        note(session, keyboard, "verify", kind="backup", changes={"level": "drill", "ok": False})

    page = html.unescape(visit(cast.root).read("/audit"))

    for words in ("Backed up", "Made by hand", "2 KB", "Trial restore", "In order", "Yes"):
        assert words in page, words
    assert "root at the command line" in page
    for raw in (">manual<", ">drill<", ">bytes<", ">ok<", ">set<", ">level<"):
        assert raw not in page, raw
