"""People over JSON, as a program uses them."""

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Api, Cast, api_of


@pytest.fixture
def root(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Root, who may also delete."""
    return api_of(app, database, cast.root)


def create(api: Api, **fields: object) -> dict[str, object]:
    answer = api.client.post("/api/v1/people", json=fields, headers=api.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, object] = answer.json or {}
    return made


def test_a_person_is_written_down_changed_binned_and_restored(root: Api) -> None:
    company = root.client.post("/api/v1/companies", json={"name": "Pars"}, headers=root.headers)
    assert company.json is not None
    made = create(
        root,
        first_name="Moses",
        last_name="Frase",
        phones=["۰۹۱۲ ۳۴۵ ۶۷۸۹"],
        company_id=company.json["id"],
    )
    address = f"/api/v1/people/{made['id']}"
    assert made["display_name"] == "Moses Frase"
    assert made["phones"] == ["+989123456789"]

    without = root.client.patch(address, json={"last_name": "Owen"}, headers=root.headers)
    changed = root.client.patch(
        address, json={"last_name": "Owen"}, headers={**root.headers, "If-Match": '"1"'}
    )
    stale = root.client.patch(
        address, json={"last_name": "Late"}, headers={**root.headers, "If-Match": '"1"'}
    )
    gone = root.client.delete(address, headers=root.headers)
    missing = root.client.get(address, headers=root.headers)
    back = root.client.post(f"{address}/restore", headers=root.headers)

    assert without.status_code == 428
    assert changed.json is not None
    assert (changed.json["display_name"], changed.json["version"]) == ("Moses Owen", 2)
    assert stale.status_code == 412
    assert (gone.status_code, missing.status_code, back.status_code) == (204, 404, 200)


def test_a_list_is_found_by_number_address_company_and_words(root: Api) -> None:
    create(root, last_name="Frase", phones=["0912 345 6789"])
    create(root, last_name="احمدی", first_name="سارا", emails=["Sara@pars.example"])

    def names(query: str) -> list[str]:
        answer = root.client.get(f"/api/v1/people?{query}", headers=root.headers)
        assert answer.json is not None
        assert answer.status_code == 200, answer.json
        return [person["display_name"] for person in answer.json["items"]]

    assert names("filter[phone]=+98 912 345 6789".replace("+", "%2B")) == ["Frase"]
    assert names("filter[email]=SARA@pars.example") == ["سارا احمدی"]
    assert names("q=احمدي") == ["سارا احمدی"]
    assert names("sort=-created_at&limit=1") == ["سارا احمدی"]
    assert names("filter[company_id][empty]=1&sort=display_name") == ["Frase", "سارا احمدی"]


def test_what_does_not_fit_is_named_field_by_field(root: Api) -> None:
    answer = root.client.post(
        "/api/v1/people", json={"phones": ["12"], "emails": ["x"]}, headers=root.headers
    )

    assert answer.status_code == 422
    assert answer.json is not None
    assert {one["field"] for one in answer.json["errors"]} == {"last_name", "phones", "emails"}
