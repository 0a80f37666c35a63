"""The audit trail over JSON."""

from server.audit.chain import seal_all, verify_and_remember
from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Cast, api_of


def test_programs_read_the_trail_and_its_seal(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    seal_all(database)
    verify_and_remember(database)

    listed = api.client.get("/api/v1/audit?limit=1", headers=api.headers).get_json()
    newest = listed["items"][0]
    one = api.client.get(f"/api/v1/audit/{newest['id']}", headers=api.headers).get_json()
    seal = api.client.get("/api/v1/audit/seal", headers=api.headers).get_json()
    missing = api.client.get("/api/v1/audit/999999", headers=api.headers)

    assert (newest["kind"], newest["action"]) == ("token", "create")
    assert one == newest
    assert len(newest["link"]) == 64
    assert (seal["sealed"], seal["unsealed"]) == (newest["position"], 0)
    assert seal["head"] == newest["link"]
    assert seal["broken_at"] is None
    assert listed["total"] == seal["sealed"]
    assert missing.status_code == 404


def test_who_may_not_see_the_trail_is_refused(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.anna)

    assert api.client.get("/api/v1/audit", headers=api.headers).status_code == 403


def test_the_trail_cannot_be_written_from_outside(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    statuses = {
        method: api.client.open(path, method=method, json={}, headers=api.headers).status_code
        for method, path in (
            ("POST", "/api/v1/audit"),
            ("PATCH", "/api/v1/audit/1"),
            ("DELETE", "/api/v1/audit/1"),
        )
    }

    assert statuses == {"POST": 405, "PATCH": 405, "DELETE": 405}
