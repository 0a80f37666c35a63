"""Deals over JSON, as a program uses them."""

from typing import Any

import pytest

from server.core.actor import SYSTEM
from server.core.db import Database
from server.deals.pipelines import create_pipeline
from server.deals.queries import stages_of
from server.http.app import DaftarFlask
from server.people.rules import PersonDraft
from server.people.service import create_person
from tests.server.conftest import Api, Cast, api_of
from tests.server.deals.conftest import Selling, many_deals, new_company, new_deal


@pytest.fixture
def anna(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Anna, who sells, with a program of her own."""
    return api_of(app, database, cast.anna)


@pytest.fixture
def root(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Root, who may also delete and edit pipelines."""
    return api_of(app, database, cast.root)


def create(api: Api, **fields: object) -> dict[str, Any]:
    answer = api.client.post(
        "/api/v1/deals", json={"title": "Pumps", **fields}, headers=api.headers
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.json or {}
    return made


def patch(api: Api, deal: dict[str, Any], **changes: object) -> tuple[int, dict[str, Any]]:
    """Change the deal in the version that is at hand; return the status and the answer."""
    headers = {**api.headers, "If-Match": f'"{deal["version"]}"'}
    answer = api.client.patch(f"/api/v1/deals/{deal['id']}", json=changes, headers=headers)
    return answer.status_code, answer.json or {}


def test_a_new_deal_begins_in_the_first_stage_in_the_currency_of_the_house(
    anna: Api, cast: Cast, selling: Selling
) -> None:
    answer = anna.client.post(
        "/api/v1/deals",
        json={"title": "ده پمپ", "amount": 125_000, "expected_close_on": "2027-03-01"},
        headers=anna.headers,
    )

    assert answer.status_code == 201
    made = answer.json or {}
    assert {name: made[name] for name in ("title", "amount", "currency", "status")} == {
        "title": "ده پمپ",
        "amount": 125_000,
        "currency": "USD",
        "status": "open",
    }
    assert (made["stage_id"], made["pipeline_id"]) == (selling.prospecting, selling.pipeline_id)
    assert (made["probability"], made["weighted_amount"]) == (10, 12_500)
    assert (made["owner_id"], made["person_ids"], made["company_id"]) == (
        cast.anna.user_id,
        [],
        None,
    )
    assert (made["expected_close_on"], made["external_id"]) == ("2027-03-01", None)
    found = anna.client.get(answer.headers["Location"], headers=anna.headers)
    assert (found.json, found.headers["ETag"]) == (made, '"1"')


def test_a_change_names_the_version_it_read(anna: Api, selling: Selling) -> None:
    made = create(anna, amount=100)
    address = f"/api/v1/deals/{made['id']}"

    without = anna.client.patch(address, json={"amount": 1}, headers=anna.headers)
    status, changed = patch(anna, made, amount=200)
    stale_status, stale = patch(anna, made, amount=300)

    assert without.status_code == 428
    assert (status, changed["amount"], changed["version"]) == (200, 200, 2)
    assert changed["title"] == "Pumps"
    assert (stale_status, stale["current"]["amount"]) == (412, 200)


def test_a_stage_a_status_and_people_are_changed_by_patch(
    anna: Api, database: Database, selling: Selling
) -> None:
    with database.write(SYSTEM) as session:
        people = [
            create_person(session, SYSTEM, PersonDraft(first_name=name)).id
            for name in ("Sara", "Mina")
        ]
    company = new_company(database, "Cancity")
    deal = create(anna, amount=100)

    _status, deal = patch(anna, deal, stage_id=selling.proposal)
    assert (deal["stage_id"], deal["status"], deal["probability"]) == (
        selling.proposal,
        "open",
        60,
    )
    _status, deal = patch(anna, deal, status="won", company_id=company, person_ids=people[::-1])
    assert (deal["status"], deal["stage_id"], deal["probability"]) == ("won", selling.won, 100)
    assert deal["closed_on"] is not None
    assert (deal["person_ids"], deal["company_id"]) == (people[::-1], company)
    _status, deal = patch(anna, deal, status="lost", lost_reason="Price")
    assert (deal["status"], deal["lost_reason"]) == ("lost", "Price")
    _status, deal = patch(anna, deal, status="open", probability=35)
    assert (deal["stage_id"], deal["probability"]) == (selling.prospecting, 35)
    assert (deal["closed_on"], deal["lost_reason"]) == (None, "")
    assert patch(anna, deal, stage_id=selling.won, status="lost")[0] == 422


def test_a_closed_deal_can_be_written_down_at_once(anna: Api, selling: Selling) -> None:
    won = create(anna, status="won", closed_on="2026-03-01")
    lost = create(anna, stage_id=selling.lost, lost_reason="Price")

    assert (won["status"], won["stage_id"], won["closed_on"]) == ("won", selling.won, "2026-03-01")
    assert (lost["status"], lost["lost_reason"]) == ("lost", "Price")


def test_a_deal_goes_to_the_first_stage_of_another_pipeline(
    anna: Api, database: Database, selling: Selling
) -> None:
    with database.write(SYSTEM) as session:
        other = create_pipeline(session, SYSTEM, "Service").id
        first, second, *_rest = (one.id for one in stages_of(session, SYSTEM, other))
    deal = create(anna)

    _status, deal = patch(anna, deal, pipeline_id=other)
    assert (deal["pipeline_id"], deal["stage_id"]) == (other, first)
    _status, deal = patch(anna, deal, stage_id=selling.engaging)
    assert deal["pipeline_id"] == selling.pipeline_id
    _status, deal = patch(anna, deal, stage_id=second, pipeline_id=other)
    assert (deal["pipeline_id"], deal["stage_id"]) == (other, second)
    assert patch(anna, deal, stage_id=selling.won, pipeline_id=other)[0] == 422


REFUSED: tuple[tuple[dict[str, object], str], ...] = (
    ({"title": ""}, "title"),
    ({"amount": -1}, "amount"),
    ({"amount": 1.5}, "amount"),
    ({"currency": "usd"}, "currency"),
    ({"currency": "XQX"}, "currency"),
    ({"stage_id": 999}, "stage_id"),
    ({"pipeline_id": 999}, "pipeline_id"),
    ({"company_id": 999}, "company_id"),
    ({"person_ids": [999]}, "person_ids"),
    ({"owner_id": 999}, "owner_id"),
    ({"probability": 101}, "probability"),
    ({"expected_close_on": "2027-02-30"}, "expected_close_on"),
    ({"status": "maybe"}, "status"),
    ({"colour": "red"}, "colour"),
)


def test_what_does_not_fit_is_refused_at_its_field(root: Api, selling: Selling) -> None:
    for body, field in REFUSED:
        answer = root.client.post(
            "/api/v1/deals", json={"title": "Pumps", **body}, headers=root.headers
        )

        assert answer.status_code == 422, body
        assert answer.content_type == "application/problem+json"
        named = {error["field"].split(".")[0] for error in (answer.json or {})["errors"]}
        assert field in named, body


def test_refusals_are_said_in_the_language_of_the_caller(anna: Api, selling: Selling) -> None:
    headers = {**anna.headers, "Accept-Language": "fa"}

    answer = anna.client.get("/api/v1/deals/999", headers=headers)
    wrong = anna.client.post("/api/v1/deals", json={"title": "A", "stage_id": 9}, headers=headers)

    for one in (answer, wrong):
        detail = (one.json or {})["detail"]
        assert any("\u0600" <= letter <= "\u06ff" for letter in detail), detail
    assert (answer.status_code, wrong.status_code) == (404, 422)


def test_a_list_is_searched_filtered_sorted_and_read_page_by_page(
    anna: Api, database: Database, cast: Cast, selling: Selling
) -> None:
    company = new_company(database, "فولاد كاوه")
    for n in range(1, 6):
        create(anna, title=f"Deal {n}", amount=n * 1_000)
    create(anna, title="پمپ ۵۰۰", amount=9_000, stage_id=selling.proposal, company_id=company)
    new_deal(database, cast.ben, title="Ben's")

    def titles(query: str) -> list[str]:
        answer = anna.client.get(f"/api/v1/deals?{query}", headers=anna.headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return [deal["title"] for deal in (answer.json or {})["items"]]

    first = (
        anna.client.get(
            "/api/v1/deals?filter[amount][gte]=3000&sort=-amount&limit=2", headers=anna.headers
        ).json
        or {}
    )
    assert [deal["title"] for deal in first["items"]] == ["پمپ ۵۰۰", "Deal 5"]
    assert (first["total"], first["total_is_exact"]) == (4, True)
    more = f"filter[amount][gte]=3000&sort=-amount&limit=2&cursor={first['next_cursor']}"
    assert titles(more) == ["Deal 4", "Deal 3"]
    assert titles(f"filter[stage_id]={selling.proposal}&filter[amount][gte]=1000") == ["پمپ ۵۰۰"]
    assert titles("q=كاوه 500") == ["پمپ ۵۰۰"]
    assert titles(f"filter[company_id]={company}") == ["پمپ ۵۰۰"]
    assert titles("filter[status]=won") == []
    assert len(titles("sort=title")) == 6


def test_an_unknown_wish_is_refused(anna: Api, selling: Selling) -> None:
    for query in (
        "filter[colour]=red",
        "filter[amount]=x",
        "filter[status]=maybe",
        "sort=colour",
        "cursor=zz",
    ):
        answer = anna.client.get(f"/api/v1/deals?{query}", headers=anna.headers)
        assert answer.status_code == 422, query


def test_what_each_role_may(
    app: DaftarFlask, database: Database, cast: Cast, anna: Api, root: Api, selling: Selling
) -> None:
    ben, guest = api_of(app, database, cast.ben), api_of(app, database, cast.guest)
    deal = create(anna)
    address = f"/api/v1/deals/{deal['id']}"

    assert ben.client.get(address, headers=ben.headers).status_code == 404
    assert patch(ben, deal, amount=1)[0] == 404
    assert guest.client.get(address, headers=guest.headers).status_code == 200
    assert patch(guest, deal, amount=1)[0] == 403
    assert (
        guest.client.post("/api/v1/deals", json={"title": "A"}, headers=guest.headers).status_code
        == 403
    )
    assert anna.client.delete(address, headers=anna.headers).status_code == 403
    assert anna.client.get("/api/v1/deals/bin", headers=anna.headers).status_code == 403
    assert (
        anna.client.post(
            "/api/v1/deals", json={"title": "A", "owner_id": cast.ben.user_id}, headers=anna.headers
        ).status_code
        == 403
    )
    assert patch(root, deal, amount=1)[0] == 200
    assert anna.client.get(address).status_code == 401


def test_a_deleted_deal_waits_in_the_bin_and_comes_back(root: Api, selling: Selling) -> None:
    made = create(root)
    address = f"/api/v1/deals/{made['id']}"

    gone = root.client.delete(address, headers=root.headers)
    assert (gone.status_code, gone.data) == (204, b"")
    assert root.client.get(address, headers=root.headers).status_code == 404
    binned = root.client.get("/api/v1/deals/bin", headers=root.headers).json or {}
    assert [one["id"] for one in binned["items"]] == [made["id"]]
    back = root.client.post(f"{address}/restore", headers=root.headers)

    assert back.status_code == 200
    assert (back.json or {})["deleted_at"] is None


def test_an_external_id_is_taken_once(root: Api, selling: Selling) -> None:
    create(root, external_source="csv", external_id="D1")

    answer = root.client.post(
        "/api/v1/deals",
        json={"title": "Again", "external_source": "csv", "external_id": "D1"},
        headers=root.headers,
    )

    assert (answer.status_code, (answer.json or {})["code"]) == (409, "external_id_taken")


def test_a_repeated_post_with_its_key_writes_one_deal(anna: Api, selling: Selling) -> None:
    headers = {**anna.headers, "Idempotency-Key": "once"}

    first = anna.client.post("/api/v1/deals", json={"title": "Once"}, headers=headers)
    second = anna.client.post("/api/v1/deals", json={"title": "Once"}, headers=headers)

    assert first.json == second.json
    listed = anna.client.get("/api/v1/deals", headers=anna.headers).json or {}
    assert listed["total"] == 1


def test_a_list_counts_no_further_than_it_must(
    root: Api, database: Database, selling: Selling
) -> None:
    many_deals(database, 1_010)

    listed = root.client.get("/api/v1/deals?limit=1", headers=root.headers).json or {}

    assert (listed["total"], listed["total_is_exact"]) == (1_001, False)
