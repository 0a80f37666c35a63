"""The page of full exports: asking, progress, fetching, removing; open however the licence stands."""

from dataclasses import replace

import pytest

from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.exports.desk import ExportDesk
from server.http.app import DaftarFlask
from tests.client_web.conftest import Visit, counted
from tests.server.conftest import Cast


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what the pages show does not depend on its kind."""
    return sqlite_database


@pytest.fixture
def desk(app: DaftarFlask, database: Database, cast: Cast) -> ExportDesk:
    """Give the scheduler's desk of exports."""
    settings = app.extensions["daftar.settings"]
    return ExportDesk(settings, database, None, lambda _session, _user: cast.root)


def test_an_export_is_asked_for_watched_fetched_and_removed(
    visit: Visit, cast: Cast, desk: ExportDesk
) -> None:
    root = visit(cast.root)
    empty = root.read("/exports")
    asked = root.post("/exports")
    waiting = root.read("/exports")
    polled = root.get("/exports/progress")
    desk.work_off()
    over = root.get("/exports/progress")
    ready = root.read("/exports")
    fetched = root.post("/exports/1/download")
    head, name = fetched.get_data()[:2], fetched.headers["Content-Disposition"]
    fetched.close()
    root.post("/exports/1/remove")
    gone = root.post("/exports/1/download")

    assert "Nothing exported yet" in empty
    assert asked.location == "/exports"
    assert 'hx-get="/exports/progress"' in waiting
    assert "HX-Refresh" not in polled.headers
    assert over.headers["HX-Refresh"] == "true"
    assert "Ready" in ready
    assert head == b"PK"
    assert "daftar-export-" in name
    assert (gone.status_code, gone.location) == (302, "/exports")
    assert "Make a new one" in root.read("/exports")


def test_only_who_may_export_sees_it(visit: Visit, cast: Cast) -> None:
    anna = visit(cast.anna)

    assert anna.get("/exports").status_code == 403
    assert anna.post("/exports").status_code == 403
    assert 'href="/exports"' not in anna.read("/")


@pytest.mark.parametrize("mode", ["setup", "read_only", "locked"])
def test_it_is_open_in_every_mode(
    visit: Visit, cast: Cast, board: EntitlementsBoard, mode: str
) -> None:
    board.publish(replace(UNLIMITED, mode=mode, reason="no_contact"))
    root = visit(cast.root)

    page = root.read("/exports")

    assert "Make an export" in page
    assert "disabled" not in page.split("Make an export")[0].rsplit("<button", 1)[1]
    assert root.post("/exports").status_code == 302


def test_the_list_costs_the_same_however_long_it_is(
    visit: Visit, cast: Cast, desk: ExportDesk, database: Database
) -> None:
    root = visit(cast.root)
    root.post("/exports")
    desk.work_off()
    with counted(database) as one:
        root.read("/exports")
    for _more in range(3):
        root.post("/exports")
        desk.work_off()
    with counted(database) as many:
        root.read("/exports")

    assert len(one) == len(many)
