"""What every resource of the API does alike: versions, keys against doing things twice, problems."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from server.companies.models import Company
from server.core import clock
from server.core.db import Database
from server.http.app import DaftarFlask
from server.http.idempotency import KeptAnswer
from tests.server.conftest import Api, Cast, api_of
from tests.support.racing import race


@pytest.fixture
def anna(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Give Anna's program."""
    return api_of(app, database, cast.anna)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Company)) or 0


def post(api: Api, body: object, **headers: str):  # type: ignore[no-untyped-def] # a test response
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.post("/api/v1/companies", json=body, headers={**api.headers, **named})


def patch(api: Api, address: str, version: str | None):  # type: ignore[no-untyped-def] # a test response
    headers = {**api.headers, **({"If-Match": version} if version is not None else {})}
    return api.client.patch(address, json={"city": "Shiraz"}, headers=headers)


def test_a_change_names_the_version_it_read(anna: Api) -> None:
    made = post(anna, {"name": "Pars"})
    address = made.headers["Location"]

    missing = patch(anna, address, None)
    right = patch(anna, address, made.headers["ETag"])
    stale = patch(anna, address, made.headers["ETag"])

    assert made.status_code == 201
    assert (missing.status_code, missing.get_json()["code"]) == (428, "version_missing")
    assert (right.status_code, right.get_json()["city"]) == (200, "Shiraz")
    assert (stale.status_code, stale.get_json()["code"]) == (412, "stale")
    assert stale.get_json()["current"]["city"] == "Shiraz"
    assert stale.get_json()["current"]["version"] == right.get_json()["version"]


@pytest.mark.parametrize("version", ["x", '"1', "*", '"1","2"', '"-1"', '"۱"'])
def test_a_version_that_is_none_is_refused(anna: Api, version: str) -> None:
    address = post(anna, {"name": "Pars"}).headers["Location"]

    answer = patch(anna, address, version)

    assert answer.status_code == 422 or (version == '"1' and answer.status_code == 200)


def test_the_same_key_does_the_work_once(anna: Api, database: Database) -> None:
    first = post(anna, {"name": "Pars"}, Idempotency_Key="k1")
    again = post(anna, {"name": "Pars"}, Idempotency_Key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count(database) == 1


def test_a_key_belongs_to_one_body_and_to_one_user(
    anna: Api, app: DaftarFlask, database: Database, cast: Cast
) -> None:
    post(anna, {"name": "Pars"}, Idempotency_Key="k1")
    other_body = post(anna, {"name": "Acme"}, Idempotency_Key="k1")
    ben = api_of(app, database, cast.ben)
    other_user = post(ben, {"name": "Pars"}, Idempotency_Key="k1")

    assert other_body.status_code == 422
    assert other_body.get_json()["code"] == "idempotency_key_reused"
    assert other_user.status_code == 201
    assert "Idempotency-Replayed" not in other_user.headers


def test_a_refusal_is_not_kept(anna: Api, database: Database) -> None:
    refused = post(anna, {"name": ""}, Idempotency_Key="k1")
    mended = post(anna, {"name": "Pars"}, Idempotency_Key="k1")

    assert (refused.status_code, mended.status_code) == (422, 201)
    assert count(database) == 1


def test_after_a_day_a_key_is_forgotten(anna: Api, database: Database) -> None:
    post(anna, {"name": "Pars"}, Idempotency_Key="k1")
    with database.write() as session:
        old = clock.now() - timedelta(hours=24, seconds=1)
        session.execute(update(KeptAnswer).values(created_at=old))

    again = post(anna, {"name": "Pars Two"}, Idempotency_Key="k1")

    assert again.status_code == 201
    assert count(database) == 2


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(anna: Api, database: Database, key: str) -> None:
    answer = post(anna, {"name": "Pars"}, Idempotency_Key=key)

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "Idempotency-Key"
    assert count(database) == 0


def _send(app: DaftarFlask, token: str) -> int:
    api = Api(app.test_client(), token)
    return int(post(api, {"name": "Pars"}, Idempotency_Key="one-key").status_code)


def test_twins_that_arrive_at_once_do_the_work_once(
    app: DaftarFlask, anna: Api, database: Database
) -> None:
    statuses = race(database, _send, [(app, anna.token)] * 4)

    assert statuses == [201] * 4
    assert count(database) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"name=Pars", "application/x-www-form-urlencoded", 415),
        (b"[]", "application/json", 422),
        (b'{"name": 1}', "application/json", 422),
        (b"\xff\xfe", "application/json", 400),
    ],
)
def test_a_body_that_does_not_fit_is_a_problem_document(
    anna: Api, body: bytes, kind: str, status: int
) -> None:
    answer = anna.client.post(
        "/api/v1/companies", data=body, content_type=kind, headers=anna.headers
    )

    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "errors"} <= problem.keys()


def test_deleting_is_recoverable(app: DaftarFlask, database: Database, cast: Cast) -> None:
    root = api_of(app, database, cast.root)
    address = post(root, {"name": "Pars"}).headers["Location"]

    gone = root.client.delete(address, headers=root.headers)
    away = root.client.get(address, headers=root.headers)
    back = root.client.post(f"{address}/restore", headers=root.headers)

    assert (gone.status_code, gone.data) == (204, b"")
    assert away.status_code == 404
    assert back.status_code == 200
    assert root.client.get(address, headers=root.headers).status_code == 200
