"""Odd input at both doors: refused in words, never a fault."""

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Cast, api_of
from tests.server.http.test_sign_in import sign_in


@pytest.mark.parametrize("text", ["\x00", "%00", "'; DROP TABLE users; --", "<script>", "9" * 400])
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
