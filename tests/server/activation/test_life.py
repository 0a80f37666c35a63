"""The whole life of a licence on PostgreSQL: what the office keeps in the database is kept there too."""

import pytest

from server.activation.models import ONLY_ROW, CheckInPlan, LicenseMirror
from server.activation.service import LicenseOffice
from server.core.db import Database
from server.users.queries import seats
from server.users.rules import Seats
from tests.licensing.client.vendor import SHOWN_CODE, Response
from tests.server.conftest import Cast
from tests.support.licensed import Stage


@pytest.fixture
def database(postgres_database: Database) -> Database:
    """Give a PostgreSQL database."""
    return postgres_database


def test_a_licence_lives_on_postgresql(stage: Stage, office: LicenseOffice, cast: Cast) -> None:
    office.activate(cast.root, SHOWN_CODE)
    stage.pass_time(days=2)
    stage.vendor.instead = lambda _path: Response(503, b"")
    office.check_in_if_due()
    with stage.database.read() as session:
        failures = session.get_one(CheckInPlan, ONLY_ROW).failures
    stage.vendor.instead = lambda _path: None
    stage.pass_time(days=1)
    office.check_in_if_due()
    office.tick()
    (stage.settings.license_dir / "state.json").unlink()
    again = stage.open_office()
    again.deactivate(cast.root, "move")

    assert failures == 1
    with stage.database.read() as session:
        assert seats(session) == Seats(4, 25)
        assert session.get_one(CheckInPlan, ONLY_ROW).failures == 0
        assert session.get_one(LicenseMirror, ONLY_ROW).state
    assert stage.board.verdict.reason == "deactivated"
    assert stage.vendor.activations_made == 1
