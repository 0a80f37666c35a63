"""No GET writes, on either database, along every route."""

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Cast
from tests.server.http.walk import all_rows, routes, walker, write_some_records

# This application has no licence office and no keys of backups, and their pages say so.
LACKING = ("/license", "/backups/keys", "/backups/months/")


def test_reading_never_writes_and_never_fails(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    write_some_records(app, database, cast)
    root = walker(app, cast.root)
    before = all_rows(database)
    faults, shown = [], 0
    for route in routes(app):
        if not route.is_safe:
            continue
        status = root.visit(route).status_code
        shown += status == 200
        if status >= 500 and not any(place in str(route) for place in LACKING):
            faults.append((str(route), status))

    assert faults == []
    assert shown > 30
    assert all_rows(database) == before
