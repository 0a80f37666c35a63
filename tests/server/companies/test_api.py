"""Companies over JSON, as a program uses them."""

import pytest

from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Api, Cast, api_of


@pytest.fixture
def anna(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Anna, who sells, with a program of her own."""
    return api_of(app, database, cast.anna)


@pytest.fixture
def root(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Root, who may also delete."""
    return api_of(app, database, cast.root)


def create(api: Api, **fields: object) -> dict[str, object]:
    answer = api.client.post("/api/v1/companies", json=fields, headers=api.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, object] = answer.json or {}
    return made


def test_a_new_company_gets_an_address_and_a_version(anna: Api) -> None:
    answer = anna.client.post(
        "/api/v1/companies",
        json={"name": "شرکت پارس", "phones": ["۰۲۱ ۸۸۸۸ ۷۷۷۷"], "emails": ["Info@Pars.example"]},
        headers=anna.headers,
    )

    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["phones"] == ["+982188887777"]
    assert answer.json["version"] == 1
    found = anna.client.get(answer.headers["Location"], headers=anna.headers)
    assert found.json == answer.json
    assert found.headers["ETag"] == '"1"'


def test_a_change_names_the_version_it_read(anna: Api) -> None:
    made = create(anna, name="Pars", city="Tehran", emails=["a@pars.example"])
    address = f"/api/v1/companies/{made['id']}"

    without = anna.client.patch(address, json={"city": "Shiraz"}, headers=anna.headers)
    changed = anna.client.patch(
        address, json={"city": "Shiraz"}, headers={**anna.headers, "If-Match": '"1"'}
    )
    stale = anna.client.patch(
        address, json={"city": "Tabriz"}, headers={**anna.headers, "If-Match": '"1"'}
    )

    assert without.status_code == 428
    assert changed.json is not None
    assert changed.status_code == 200
    assert (changed.json["city"], changed.json["version"]) == ("Shiraz", 2)
    assert changed.json["emails"] == ["a@pars.example"]
    assert stale.status_code == 412
    assert stale.json is not None
    assert stale.json["current"]["city"] == "Shiraz"


def test_a_wrong_body_is_answered_with_each_field_in_the_callers_language(anna: Api) -> None:
    answer = anna.client.post(
        "/api/v1/companies",
        json={"name": 7, "colour": "red"},
        headers={**anna.headers, "Accept-Language": "fa"},
    )

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert {(one["field"], one["code"]) for one in answer.json["errors"]} == {
        ("name", "string_type"),
        ("colour", "extra_forbidden"),
    }


def test_all_fields_that_make_no_sense_are_named_at_once(anna: Api) -> None:
    answer = anna.client.post(
        "/api/v1/companies",
        json={"name": "Pars", "phones": ["12"], "emails": ["nobody"], "founded_year": 3000},
        headers=anna.headers,
    )

    assert answer.status_code == 422
    assert answer.json is not None
    assert {one["field"] for one in answer.json["errors"]} == {"phones", "emails", "founded_year"}


def test_no_json_no_record_and_no_right_are_problems_too(
    anna: Api, app: DaftarFlask, database: Database, cast: Cast
) -> None:
    guest = api_of(app, database, cast.guest)

    garbled = anna.client.post(
        "/api/v1/companies", data="{", headers={**anna.headers, "Content-Type": "application/json"}
    )
    unknown = anna.client.get("/api/v1/companies/999", headers=anna.headers)
    refused = guest.client.post("/api/v1/companies", json={"name": "X"}, headers=guest.headers)
    stranger = app.test_client().get("/api/v1/companies")

    statuses = [one.status_code for one in (garbled, unknown, refused, stranger)]
    assert statuses == [400, 404, 403, 401]
    for answer in (garbled, unknown, refused, stranger):
        assert answer.content_type == "application/problem+json"
        assert answer.json is not None
        assert answer.json["detail"]


def test_a_list_is_filtered_sorted_searched_and_paged(anna: Api) -> None:
    for name, industry in (("Alpha", "Retail"), ("Beta", "Retail"), ("Gamma", "Banking")):
        create(anna, name=name, industry=industry, phones=["0912 345 6789"] * (name == "Beta"))

    def names(query: str) -> list[str]:
        answer = anna.client.get(f"/api/v1/companies?{query}", headers=anna.headers)
        assert answer.json is not None, query
        assert answer.status_code == 200, answer.json
        return [company["name"] for company in answer.json["items"]]

    first = anna.client.get("/api/v1/companies?limit=2&sort=-name", headers=anna.headers).json
    assert first is not None
    assert [one["name"] for one in first["items"]] == ["Gamma", "Beta"]
    assert (first["total"], first["total_is_exact"]) == (3, True)
    assert names(f"limit=2&sort=-name&cursor={first['next_cursor']}") == ["Alpha"]
    assert names("filter[industry]=Retail") == ["Alpha", "Beta"]
    assert names("q=gam") == ["Gamma"]
    assert names("q=0912345") == ["Beta"]
    assert names("filter[phone]=۰۹۱۲۳۴۵۶۷۸۹") == ["Beta"]
    assert names("filter[name]=ALPHA") == ["Alpha"]


def test_an_unknown_filter_or_a_foreign_page_mark_is_refused(anna: Api) -> None:
    for query in (
        "filter[colour]=red",
        "sort=colour",
        "cursor=xyz",
        "limit=0",
        "filter[owner_id]=x",
    ):
        answer = anna.client.get(f"/api/v1/companies?{query}", headers=anna.headers)
        assert answer.status_code == 422, query


def test_a_deleted_company_waits_in_the_bin_and_comes_back(root: Api) -> None:
    made = create(root, name="Pars")
    address = f"/api/v1/companies/{made['id']}"

    gone = root.client.delete(address, headers=root.headers)
    missing = root.client.get(address, headers=root.headers)
    binned = root.client.get("/api/v1/companies/bin", headers=root.headers)
    back = root.client.post(f"{address}/restore", headers=root.headers)

    assert (gone.status_code, gone.data) == (204, b"")
    assert missing.status_code == 404
    assert binned.json is not None
    assert [one["name"] for one in binned.json["items"]] == ["Pars"]
    assert back.status_code == 200
    assert root.client.get(address, headers=root.headers).status_code == 200


def test_sellers_cannot_delete(anna: Api) -> None:
    made = create(anna, name="Pars")

    answer = anna.client.delete(f"/api/v1/companies/{made['id']}", headers=anna.headers)

    assert answer.status_code == 403
