"""One kind of database for these pages: both are proved below them, in tests/server."""

import pytest

from server.activities.rules import ActivityDraft, ActivityKind, Target
from server.activities.service import create_activity
from server.companies.rules import CompanyDraft
from server.companies.service import create_company
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from tests.client_web.conftest import Visit, Visitor
from tests.server.conftest import Cast


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a fresh SQLite database."""
    return sqlite_database


@pytest.fixture
def company(database: Database, cast: Cast) -> Target:
    """Give a company that Anna wrote down."""
    with database.write(cast.anna) as session:
        made = create_company(session, cast.anna, CompanyDraft(name="Pars"))
        return Target("company", made.id)


@pytest.fixture
def anna(visit: Visit, cast: Cast) -> Visitor:
    """Let Anna arrive."""
    return visit(cast.anna)


def written(database: Database, actor: Actor, *links: Target, **wishes: object) -> int:
    """Write down an activity of this actor and return its id."""
    draft = ActivityDraft(
        **{"kind": ActivityKind.TASK, "subject": "Call back", "links": links} | wishes  # type: ignore[arg-type] # tests name fields
    )
    with database.write(actor or SYSTEM) as session:
        return create_activity(session, actor, draft).id
