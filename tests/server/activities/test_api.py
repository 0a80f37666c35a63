"""Activities over JSON, as a program uses them."""

import pytest

from server.activities.rules import Target
from server.core.db import Database
from server.http.app import DaftarFlask
from tests.server.conftest import Api, Cast, api_of

PATH = "/api/v1/activities"
NAMES = {"kind": "task", "subject": "Call back"}


@pytest.fixture
def anna(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Anna, who sells, with a program of her own."""
    return api_of(app, database, cast.anna)


def create(api: Api, **fields: object) -> dict[str, object]:
    answer = api.client.post(PATH, json={**NAMES, **fields}, headers=api.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, object] = answer.json or {}
    return made


def subjects(api: Api, query: str) -> list[str]:
    answer = api.client.get(f"{PATH}?{query}", headers=api.headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [one["subject"] for one in (answer.json or {})["items"]]


def test_a_new_task_belongs_to_its_caller_and_to_what_it_links(
    anna: Api, cast: Cast, company: Target
) -> None:
    link = {"type": "company", "id": company.record_id}
    answer = anna.client.post(
        PATH,
        json={**NAMES, "due_at": "2026-03-21T10:00:00+03:30", "links": [link]},
        headers=anna.headers,
    )

    assert answer.status_code == 201
    made = answer.json or {}
    assert made["links"] == [link]
    assert (made["owner_id"], made["due_at"]) == (cast.anna.user_id, "2026-03-21T06:30:00Z")
    assert (made["done_at"], made["version"]) == (None, 1)
    assert anna.client.get(answer.headers["Location"], headers=anna.headers).json == made


def test_a_change_names_the_version_it_read_and_keeps_what_it_leaves_out(
    anna: Api, company: Target
) -> None:
    made = create(anna, links=[{"type": "company", "id": company.record_id}], body="Ask for Ben")
    address = f"{PATH}/{made['id']}"
    change = {"done_at": "2026-03-21T10:00:00Z"}

    without = anna.client.patch(address, json=change, headers=anna.headers)
    headers = {**anna.headers, "If-Match": '"1"'}
    changed = anna.client.patch(address, json=change, headers=headers)
    stale = anna.client.patch(address, json=change, headers=headers)

    assert [one.status_code for one in (without, changed, stale)] == [428, 200, 412]
    now = changed.json or {}
    assert (now["body"], now["links"], now["done_at"]) == (
        made["body"],
        made["links"],
        change["done_at"],
    )
    assert now["done_by_id"] == made["owner_id"]
    assert (stale.json or {})["current"]["version"] == now["version"]


def test_the_same_post_sent_twice_is_one_task(anna: Api) -> None:
    headers = {**anna.headers, "Idempotency-Key": "order-7"}

    answers = [anna.client.post(PATH, json=NAMES, headers=headers) for _time in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert subjects(anna, "") == ["Call back"]


def test_wrong_bodies_are_answered_with_each_field(anna: Api, bens_deal: Target) -> None:
    hidden = {"type": "deal", "id": bens_deal.record_id}
    cases: list[tuple[dict[str, object], str]] = [
        ({"kind": "dance"}, "kind"),
        ({"due_at": "tomorrow"}, "due_at"),
        ({"due_at": "2026-03-21T10:00:00"}, "due_at"),
        ({"due_at": "1800-01-01T00:00:00Z"}, "due_at"),
        ({"subject": " "}, "subject"),
        ({"links": [{"type": "planet", "id": 3}]}, "links"),
        ({"links": [hidden]}, "links"),
        ({"owner_id": 999}, "owner_id"),
        ({"colour": "red"}, "colour"),
    ]
    for body, field in cases:
        answer = anna.client.post(PATH, json={**NAMES, **body}, headers=anna.headers)
        assert answer.status_code == 422, body
        assert field in {one["field"] for one in (answer.json or {})["errors"]}, answer.json


def test_a_list_is_filtered_sorted_searched_and_paged(
    anna: Api, cast: Cast, company: Target
) -> None:
    link = [{"type": "company", "id": company.record_id}]
    create(anna, subject="Late", due_at="2026-01-01T08:00:00Z", links=link)
    create(anna, subject="Soon", due_at="2026-02-01T08:00:00Z", owner_id=cast.ben.user_id)
    create(anna, subject="Some day")
    create(anna, subject="Talked", kind="call", done_at="2026-01-05T08:00:00Z", body="پمپ‌ها")
    create(anna, subject="Good people", kind="note", links=link)

    assert subjects(anna, "filter[kind]=call") == ["Talked"]
    assert subjects(anna, "filter[kind][in]=call,note&sort=id") == ["Talked", "Good people"]
    assert subjects(anna, "filter[done]=true") == ["Talked"]
    assert subjects(anna, "filter[done]=false&sort=at") == ["Late", "Soon", "Some day"]
    assert subjects(anna, f"filter[owner_id]={cast.ben.user_id}") == ["Soon"]
    assert subjects(anna, "filter[due_at][lt]=2026-01-15T00:00:00Z") == ["Late"]
    assert subjects(anna, "filter[due_at][empty]=0&sort=-at") == ["Soon", "Late"]
    assert subjects(anna, f"filter[link]=company:{company.record_id}&sort=id") == [
        "Late",
        "Good people",
    ]
    assert subjects(anna, "q=پمپ ها") == ["Talked"]
    first = anna.client.get(f"{PATH}?sort=at&limit=3", headers=anna.headers).json or {}
    assert first["total"] == 5
    assert len(first["items"]) == 3
    rest = subjects(anna, f"sort=at&limit=3&cursor={first['next_cursor']}")
    assert [one["subject"] for one in first["items"]] + rest == [
        "Late",
        "Talked",
        "Soon",
        "Good people",
        "Some day",
    ]


def test_unreadable_questions_are_refused(anna: Api) -> None:
    for query in (
        "filter[kind]=dance",
        "filter[done]=perhaps",
        "filter[link]=company",
        "filter[link]=planet:3",
        "filter[due_at][gte]=tomorrow",
        "sort=colour",
        "cursor=xyz",
    ):
        answer = anna.client.get(f"{PATH}?{query}", headers=anna.headers)
        assert answer.status_code == 422, query
        assert answer.content_type == "application/problem+json"


def test_a_hidden_records_link_is_left_out(
    anna: Api, app: DaftarFlask, database: Database, cast: Cast, bens_deal: Target
) -> None:
    ben = api_of(app, database, cast.ben)
    link = {"type": "deal", "id": bens_deal.record_id}
    made = create(ben, links=[link], owner_id=cast.anna.user_id)

    seen = anna.client.get(f"{PATH}/{made['id']}", headers=anna.headers)
    refused = anna.client.get(
        f"{PATH}?filter[link]=deal:{bens_deal.record_id}", headers=anna.headers
    )

    assert made["links"] == [link]
    assert (seen.json or {})["links"] == []
    assert refused.status_code == 404


def test_a_deleted_activity_waits_in_the_bin_and_comes_back(anna: Api) -> None:
    made = create(anna)
    address = f"{PATH}/{made['id']}"

    assert anna.client.delete(address, headers=anna.headers).status_code == 204
    assert anna.client.get(address, headers=anna.headers).status_code == 404
    binned = anna.client.get(f"{PATH}/bin", headers=anna.headers).json or {}
    assert [one["id"] for one in binned["items"]] == [made["id"]]
    assert anna.client.post(f"{address}/restore", headers=anna.headers).status_code == 200
    assert subjects(anna, "") == ["Call back"]


def test_each_role_may_do_what_its_permissions_say(
    anna: Api, app: DaftarFlask, database: Database, cast: Cast
) -> None:
    made = create(anna)
    address = f"{PATH}/{made['id']}"
    for actor, statuses in (
        (cast.ben, (404, 404, 404, 201)),
        (cast.guest, (200, 403, 403, 403)),
        (cast.root, (200, 200, 204, 201)),
    ):
        api = api_of(app, database, actor)
        version = {**api.headers, "If-Match": '"1"'}
        asked = (
            api.client.get(address, headers=api.headers),
            api.client.patch(address, json={"body": "New"}, headers=version),
            api.client.delete(address, headers=api.headers),
            api.client.post(PATH, json=NAMES, headers=api.headers),
        )
        assert tuple(one.status_code for one in asked) == statuses, actor.name
    assert app.test_client().get(PATH).status_code == 401
