"""Backups over JSON, as monitoring and scripts use them, in every licence mode."""

import io
import tarfile

import pytest

from backup.plan import Kind
from server.app import create_app
from server.backups.worker import Worker
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.http.app import DaftarFlask
from tests.server.backups.home import Home
from tests.server.conftest import PASSWORD, Api, api_of

LOCKED = Entitlements(mode="locked", reason="term_ended")


@pytest.fixture
def app(home: Home) -> DaftarFlask:
    """Give the whole application of a locked licence: backups work all the same."""
    made = create_app(home.settings, home.database, EntitlementsBoard(LOCKED))
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@pytest.fixture
def root(app: DaftarFlask, home: Home) -> Api:
    """Give a program of Root's."""
    return api_of(app, home.database, home.cast.root)


def test_a_backup_is_asked_for_worked_off_and_confirmed(root: Api, home: Home) -> None:
    asked = root.client.post("/api/v1/backups/runs", json={"action": "run"}, headers=root.headers)
    assert asked.status_code == 201, asked.get_data(as_text=True)
    Worker(home.office, home.database).work_off()

    runs = root.client.get("/api/v1/backups/runs", headers=root.headers).json or {}
    assert [(run["action"], run["state"]) for run in runs["items"]] == [
        ("prune", "done"),
        ("verify", "done"),
        ("run", "done"),
    ]
    listed = root.client.get("/api/v1/backups?filter[state]=verified", headers=root.headers)
    (found,) = (listed.json or {})["items"]
    assert found["verification"]["ok"] is True
    address = f"/api/v1/backups/{found['id']}"
    wrong = {"choice": "in_order", "password": "not mine"}
    refused = root.client.post(f"{address}/confirm", json=wrong, headers=root.headers)
    right = {"choice": "in_order", "password": PASSWORD}
    said = root.client.post(f"{address}/confirm", json=right, headers=root.headers)

    assert refused.status_code == 422
    assert (said.status_code, (said.json or {})["confirmed_by"]) == (200, "Root")
    assert root.client.get(address, headers=root.headers).json == said.json


def test_a_download_is_one_sealed_tar(root: Api, home: Home) -> None:
    name = home.office.run(home.cast.root, Kind.MANUAL).id

    answer = root.client.post(f"/api/v1/backups/{name}/download", headers=root.headers)

    assert answer.mimetype == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.get_data())) as tar:
        assert f"sets/{name}/manifest.sig" in tar.getnames()


def test_bad_wishes_are_refused_in_words(root: Api, app: DaftarFlask, home: Home) -> None:
    post = root.client.post
    for body in ({"action": "prune"}, {"action": "run", "more": 1}, {"action": 3}):
        assert post("/api/v1/backups/runs", json=body, headers=root.headers).status_code == 422
    unknown = {"action": "verify", "id": "20200101T000000Z-abcdef"}
    assert post("/api/v1/backups/runs", json=unknown, headers=root.headers).status_code == 404
    crooked = {"action": "verify", "id": "../../etc/passwd"}
    assert post("/api/v1/backups/runs", json=crooked, headers=root.headers).status_code == 422
    anna = api_of(app, home.database, home.cast.anna)
    assert post("/api/v1/backups/runs", json={}, headers=anna.headers).status_code == 403
    for address in ("20200101T000000Z-abcdef", "nonsense"):
        gone = f"/api/v1/backups/{address}"
        assert root.client.get(gone, headers=root.headers).status_code == 404
        assert post(f"{gone}/download", headers=root.headers).status_code in {404, 422}
