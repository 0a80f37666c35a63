"""The first page: what is on today, the two lights, a new installation, a licence that locks."""

from datetime import timedelta

import pytest

from server.activities.rules import ActivityDraft, ActivityKind
from server.activities.service import create_activities
from server.companies.rules import CompanyDraft
from server.companies.service import create_company
from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.entitlements import Entitlements, EntitlementsBoard, Notice
from server.deals.pipelines import ensure_default_pipeline
from server.deals.rules import DealDraft
from server.deals.service import create_deal
from server.users.service import ProfileChange, change_user
from tests.client_web.conftest import Visit
from tests.server.conftest import Cast


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a fresh SQLite database."""
    return sqlite_database


@pytest.fixture
def filled(database: Database, cast: Cast) -> None:
    """Let Anna have work to do."""
    with database.write(SYSTEM) as session:
        ensure_default_pipeline(session, SYSTEM, "en")
    now = clock.now()
    with database.write(cast.anna) as session:
        create_company(session, cast.anna, CompanyDraft(name="Pars"))
        create_deal(session, cast.anna, DealDraft(title="Ten pumps", currency="USD", amount=7_00))
        late = now - timedelta(days=1)
        far = now + timedelta(days=9)
        create_activities(
            session,
            cast.anna,
            [
                ActivityDraft(ActivityKind.TASK, "Late task", due_at=late),
                ActivityDraft(ActivityKind.TASK, "Far task", due_at=far),
                ActivityDraft(
                    ActivityKind.TASK, "Task of Ben", due_at=late, owner_id=cast.ben.user_id
                ),
                ActivityDraft(ActivityKind.CALL, "They called", done_at=late),
            ],
        )


@pytest.mark.usefixtures("filled")
def test_everybody_finds_their_own_day(visit: Visit, cast: Cast) -> None:
    annas, bens = visit(cast.anna).read("/"), visit(cast.ben).read("/")

    for words in ("Late task", "Ten pumps", "They called", "Anna"):
        assert words in annas
    assert "Far task" not in annas
    assert "Task of Ben" not in annas
    assert "Task of Ben" in bens
    assert "Ten pumps" not in bens
    assert "No open deals of yours" in bens


@pytest.mark.usefixtures("filled")
def test_open_deals_are_summed_in_every_currency_the_organisations_first(
    visit: Visit, cast: Cast, database: Database
) -> None:
    with database.write(cast.anna) as session:
        for title, currency, amount in (("Belt", "EUR", 5_00), ("Cash", "USD", 3_00)):
            create_deal(
                session, cast.anna, DealDraft(title=title, currency=currency, amount=amount)
            )
        create_deal(session, cast.anna, DealDraft(title="Oil", currency="IRR", amount=9))

    tile = visit(cast.anna).read("/").split("My open deals")[1].split("</a>")[0]

    assert "4 deals" in tile
    places = [tile.index(amount) for amount in ("$10.00", "€5.00", "0.9 toman")]
    assert places == sorted(places)


def test_a_new_installation_says_where_to_begin(
    visit: Visit, cast: Cast, database: Database
) -> None:
    annas, roots = visit(cast.anna).read("/"), visit(cast.root).read("/")
    assert "Daftar is empty so far" in annas
    assert "/imports/new" not in annas
    assert "/imports/new" in roots
    assert "Daftar is empty so far" not in visit(cast.guest).read("/")
    with database.write(SYSTEM) as session:
        create_company(session, SYSTEM, CompanyDraft(name="Pars"))
    page = visit(cast.anna).read("/")
    assert "Daftar is empty so far" not in page
    assert "Nothing is due today" in page


def test_the_date_is_that_of_the_readers_calendar(
    visit: Visit, cast: Cast, database: Database
) -> None:
    assert str(clock.now().year) in visit(cast.anna).read("/")
    with database.write(SYSTEM) as session:
        change_user(session, SYSTEM, cast.anna.user_id or 0, ProfileChange(locale="fa"))
    assert "۱۴" in visit(cast.anna).read("/").split("k-page-subtitle")[1][:60]


@pytest.mark.usefixtures("filled")
def test_a_locked_server_shows_what_is_open_and_no_records(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    board.publish(Entitlements(mode="locked", reason="term_ended"))

    page = visit(cast.root).read("/")
    hers = visit(cast.anna).read("/")

    assert "Daftar is locked: the licence ended" in page
    assert 'href="/exports"' in page
    assert "Your administrator: Root." in hers or "The administrator of this server." in hers
    for words in ("Late task", "Ten pumps", "They called", "Where to begin", "New activity"):
        assert words not in hers


@pytest.mark.usefixtures("filled")
def test_the_licences_light_shows_the_worst_that_its_reader_may_know(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    warning = Notice("seats_over_cap", audience="admins", level="warning", mode="warn_admin")
    board.publish(Entitlements(mode="ok", reason="fresh", notices=(warning,)))

    def light(text: str) -> str:
        return text.split("k-light-title")[1].split("</h3>")[0]

    assert "There are more users than seats" in light(visit(cast.root).read("/"))
    assert "The licence is in order" in light(visit(cast.anna).read("/"))


@pytest.mark.usefixtures("filled")
def test_the_light_of_the_backups_stands_beside(visit: Visit, cast: Cast) -> None:
    page = visit(cast.anna).read("/")
    assert page.count('class="k-light k-light-') == 2
    assert 'href="/backups"' in page
