"""Pipelines and stages over JSON."""

from typing import Any

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Api, Cast, api_of
from tests.server.deals.conftest import Selling, new_deal


@pytest.fixture
def root(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Root, who may edit pipelines."""
    return api_of(app, database, cast.root)


def ask(api: Api, method: str, path: str, version: int | None = None, **body: object) -> Any:
    """Send one request and return its answer."""
    headers = dict(api.headers)
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    send = getattr(api.client, method)
    if method in {"post", "patch"}:
        return send(f"/api/v1{path}", json=body, headers=headers)
    return send(f"/api/v1{path}", headers=headers)


def test_pipelines_and_stages_are_listed_for_whoever_sees_deals(
    app: DaftarFlask, database: Database, cast: Cast, selling: Selling
) -> None:
    guest = api_of(app, database, cast.guest)

    pipelines = ask(guest, "get", "/pipelines").json
    stages = ask(guest, "get", f"/stages?filter[pipeline_id]={selling.pipeline_id}").json

    assert [(one["name"], one["is_default"]) for one in pipelines["items"]] == [("Sales", True)]
    assert [(one["name"], one["type"], one["probability"]) for one in stages["items"]] == [
        ("Prospecting", "open", 10),
        ("Engaging", "open", 30),
        ("Proposal", "open", 60),
        ("Won", "won", 100),
        ("Lost", "lost", 0),
    ]
    assert ask(guest, "get", f"/stages/{selling.won}").json["rot_days"] is None
    assert ask(guest, "get", "/stages?filter[type]=won").json["total"] == 1


def test_a_pipeline_is_made_changed_deleted_and_restored(root: Api, selling: Selling) -> None:
    made = ask(root, "post", "/pipelines", name="Service")
    assert made.status_code == 201
    path = f"/pipelines/{made.json['id']}"
    assert ask(root, "get", made.headers["Location"].removeprefix("/api/v1")).json == made.json

    assert ask(root, "patch", path, name="Care").status_code == 428
    changed = ask(root, "patch", path, 1, name="Care", is_default=True, position=0)
    assert (changed.json["name"], changed.json["is_default"]) == ("Care", True)
    assert ask(root, "patch", path, 1, name="Late").status_code == 412
    assert ask(root, "delete", path).status_code == 409
    sales = f"/pipelines/{selling.pipeline_id}"
    assert ask(root, "delete", sales).status_code == 204
    assert ask(root, "get", sales).status_code == 404
    assert ask(root, "post", f"{sales}/restore").status_code == 200
    names = [one["name"] for one in ask(root, "get", "/pipelines").json["items"]]
    assert names == ["Care", "Sales"]


def test_a_stage_is_added_changed_placed_and_retired(
    root: Api, database: Database, cast: Cast, selling: Selling
) -> None:
    made = ask(
        root,
        "post",
        "/stages",
        pipeline_id=selling.pipeline_id,
        name="Deed",
        probability=80,
        position=1,
    )
    assert (made.status_code, made.json["position"], made.json["type"]) == (201, 1, "open")
    path = f"/stages/{made.json['id']}"
    changed = ask(root, "patch", path, made.json["version"], rot_days=7)
    assert (changed.json["name"], changed.json["rot_days"]) == ("Deed", 7)
    renamed = ask(root, "patch", f"/stages/{selling.won}", 1, name="Sold")
    assert (renamed.json["name"], renamed.json["probability"]) == ("Sold", 100)
    assert ask(root, "patch", f"/stages/{selling.lost}", 1, probability=5).status_code == 422

    deal_id = new_deal(database, cast.anna, stage_id=made.json["id"])
    assert ask(root, "delete", path).status_code == 409
    assert ask(root, "delete", f"{path}?move_to=x").status_code == 422
    assert ask(root, "delete", f"{path}?move_to={selling.proposal}").status_code == 204
    assert ask(root, "get", f"/deals/{deal_id}").json["stage_id"] == selling.proposal
    assert ask(root, "post", f"{path}/restore").status_code == 200


def test_a_stage_that_cannot_be_right_is_refused(root: Api, selling: Selling) -> None:
    for wrong, status in (
        ({"name": ""}, 422),
        ({"probability": 101}, 422),
        ({"rot_days": 0}, 422),
        ({"pipeline_id": 999}, 404),
        ({"type": "won"}, 422),
    ):
        body: dict[str, Any] = {"pipeline_id": selling.pipeline_id, "name": "A", **wrong}
        assert ask(root, "post", "/stages", **body).status_code == status, wrong


def test_sellers_see_stages_and_change_none(
    app: DaftarFlask, database: Database, cast: Cast, selling: Selling
) -> None:
    anna = api_of(app, database, cast.anna)

    assert ask(anna, "get", "/stages").status_code == 200
    for method, path in (
        ("post", "/pipelines"),
        ("patch", f"/pipelines/{selling.pipeline_id}"),
        ("delete", f"/pipelines/{selling.pipeline_id}"),
        ("patch", f"/stages/{selling.engaging}"),
        ("delete", f"/stages/{selling.engaging}"),
    ):
        body: dict[str, Any] = {} if method == "delete" else {"name": "X"}
        assert ask(anna, method, path, 1, **body).status_code == 403, path
