"""The calendar: weeks that begin as the reader's calendar has it, and what is due in them."""

from datetime import UTC, datetime

from server.activities.rules import Target
from server.core.actor import SYSTEM
from server.core.db import Database
from server.users.service import ProfileChange, change_user
from tests.client_web.activities.conftest import written
from tests.client_web.conftest import Visitor
from tests.server.conftest import Cast

SUNDAY_NIGHT = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


def test_a_week_has_what_is_due_in_it_and_leads_to_its_neighbours(
    anna: Visitor, cast: Cast, company: Target, database: Database
) -> None:
    written(database, cast.anna, company, subject="Of Sunday", due_at=SUNDAY_NIGHT)
    written(database, cast.anna, subject="Of Monday", due_at=MONDAY)
    written(database, cast.anna, subject="Given to Ben", due_at=MONDAY, owner_id=cast.ben.user_id)

    first = anna.read("/calendar?day=2026-11-22")
    second = anna.read("/calendar?day=2026-11-23")

    assert "Of Sunday" in first
    assert "Of Monday" not in first
    assert "day=2026-11-23" in first
    assert "Of Monday" in second
    assert "Of Sunday" not in second
    assert "Given to Ben" not in second
    assert "Given to Ben" in anna.read("/calendar?day=2026-11-23&who=all")


def test_a_persian_week_begins_on_saturday(anna: Visitor, cast: Cast, database: Database) -> None:
    with database.write(SYSTEM) as session:
        change_user(session, SYSTEM, cast.anna.user_id or 0, ProfileChange(locale="fa"))

    page = anna.read("/calendar?day=۲۰۲۶-۱۱-۲۲")

    assert page.index("شنبه ۳۰ آبان ۱۴۰۵") < page.index("یکشنبه ۱ آذر ۱۴۰۵")
    assert page.index("یکشنبه ۱ آذر ۱۴۰۵") < page.index("جمعه ۶ آذر ۱۴۰۵")


def test_a_day_offers_to_plan_something_on_it(anna: Visitor) -> None:
    assert "/activities/new?due_at=2026-11-24T09:00" in anna.read("/calendar?day=2026-11-24")
    assert 'value="2026-11-24T09:00"' in anna.read("/activities/new?due_at=2026-11-24T09:00")


def test_a_day_that_is_none_is_refused(anna: Visitor) -> None:
    for day in ("yesterday", "0001-01-01", "9999-12-31", "2026-13-01"):
        assert anna.get(f"/calendar?day={day}").status_code == 422, day
