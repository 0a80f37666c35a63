"""Activities of the cast, and records that they belong to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from server.activities.rules import ActivityDraft, ActivityKind, Target
from server.activities.service import create_activity
from server.companies.rules import CompanyDraft
from server.companies.service import create_company
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.deals.pipelines import ensure_default_pipeline
from server.deals.rules import DealDraft
from server.deals.service import create_deal
from tests.server.conftest import Cast

NOON = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

Writing = Callable[..., int]


@pytest.fixture
def write_down(database: Database) -> Writing:
    """Write down an activity of this actor and return its id."""

    def write(actor: Actor, *links: Target, **wishes: object) -> int:
        draft = ActivityDraft(
            **{"kind": ActivityKind.TASK, "subject": "Call back", "links": links} | wishes  # type: ignore[arg-type] # tests name fields
        )
        with database.write(actor) as session:
            return create_activity(session, actor, draft).id

    return write


@pytest.fixture
def company(database: Database, cast: Cast) -> Target:
    """Give a company, which everybody sees."""
    with database.write(SYSTEM) as session:
        return Target("company", create_company(session, SYSTEM, CompanyDraft(name="Pars")).id)


@pytest.fixture
def bens_deal(database: Database, cast: Cast) -> Target:
    """Give a deal that Ben, the guest and the administrator see, but Anna does not."""
    with database.write(SYSTEM) as session:
        ensure_default_pipeline(session, SYSTEM, "en")
    with database.write(cast.ben) as session:
        draft = DealDraft(title="Secret pumps", currency="USD", amount=100_00)
        return Target("deal", create_deal(session, cast.ben, draft).id)
