"""Odd input at both doors: refused in words, never a fault."""

import base64
import json

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Cast, api_of
from tests.server.http.test_sign_in import sign_in


@pytest.mark.parametrize(
    "text", ["\x00", "%00", "'; DROP TABLE users; --", "<script>", "9" * 5_000, "//["]
)
def test_odd_input_is_never_a_fault(
    app: DaftarFlask, database: Database, cast: Cast, text: str
) -> None:
    api = api_of(app, database, cast.root)
    statuses = {
        path: api.client.get(path, query_string=query, headers=api.headers).status_code
        for path, query in (
            ("/api/v1/companies", {"q": text}),
            ("/api/v1/companies", {"filter[owner_id]": text}),
            ("/api/v1/companies", {"cursor": text}),
            ("/api/v1/audit", {"filter[kind]": text, "sort": text}),
            ("/api/v1/users", {"q": text, "limit": text}),
        )
    }
    page, refused = sign_in(app, f"{text}@example.com", text)

    assert {path: status for path, status in statuses.items() if status >= 500} == {}
    assert refused.status_code in {401, 422}
    assert page.get("/sign-in", query_string={"next": text}).status_code == 200


def test_a_forged_page_mark_is_never_a_fault(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    values = (None, True, {"a": 1}, [1], 5, 1.5, float("inf"), "\ud800", "x")
    faults = []
    for sort in ("name", "-updated_at", "-id"):
        for mark in (*(json.dumps([sort, value, 1, 0]) for value in values), "[" * 100_000):
            query = {"sort": sort, "cursor": base64.urlsafe_b64encode(mark.encode()).decode()}
            answer = api.client.get("/api/v1/companies", query_string=query, headers=api.headers)
            if answer.status_code not in {200, 422}:
                faults.append((mark[:40], answer.status_code))

    assert faults == []


def test_a_number_without_end_is_refused_in_a_header(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    api = api_of(app, database, cast.root)
    company = {"name": "Pars Trading"}
    api.client.post("/api/v1/companies", json=company, headers=api.headers)
    headers = {**api.headers, "If-Match": f'"{"9" * 5_000}"'}

    answer = api.client.patch("/api/v1/companies/1", json=company, headers=headers)

    assert answer.status_code == 422
