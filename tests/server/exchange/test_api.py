"""Imports over JSON, as a program uses them."""

from io import BytesIO
from typing import Any

import pytest

from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.exchange.desk import ImportDesk
from server.exchange.service import workshop
from server.http.app import DaftarFlask
from tests.server.conftest import Api, Cast, api_of

COMPANIES = "account,sector,colour\nPars,energy,red\nFars,retail,\n,,green\n"


@pytest.fixture
def root(app: DaftarFlask, database: Database, cast: Cast) -> Api:
    """Root, with a program of his own."""
    return api_of(app, database, cast.root)


@pytest.fixture
def desk(settings: Settings, database: Database, cast: Cast) -> ImportDesk:
    """Give the scheduler's import desk."""
    board = EntitlementsBoard(UNLIMITED)
    return ImportDesk(workshop(settings, database), board, lambda _session, _user: cast.root)


def upload(api: Api, text: str = COMPANIES, code: int = 201, **fields: str) -> dict[str, Any]:
    answer = api.client.post(
        "/api/v1/imports",
        data={"file": (BytesIO(text.encode()), "list.csv"), "kind": "companies", **fields},
        headers=api.headers,
    )
    assert answer.status_code == code, answer.get_data(as_text=True)
    return answer.json or {}


def call(api: Api, method: str, path: str, code: int = 200, **body: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {"json": body} if body else {}
    answer = api.client.open(f"/api/v1/{path}", method=method, headers=api.headers, **sent)
    assert answer.status_code == code, answer.get_data(as_text=True)
    return answer.json or {}


def test_a_program_brings_a_file_in_and_takes_it_back(root: Api, desk: ImportDesk) -> None:
    made = upload(root)
    assert (made["status"], made["rows"]) == ("draft", 3)
    assert [column["field"] for column in made["columns"]] == ["name", "industry", None]
    path = f"imports/{made['id']}"

    call(root, "POST", f"{path}/trial")
    desk.work()
    tried = call(root, "GET", path)
    assert (tried["status"], tried["created"], tried["skipped"]) == ("checked", 2, 1)
    call(root, "POST", f"{path}/run")
    desk.work()

    done = call(root, "GET", path)
    assert (done["status"], done["done"], done["created"]) == ("done", 3, 2)
    rows = call(root, "GET", f"{path}/rows?filter[outcome]=created&limit=1")
    (row,) = rows["items"]
    assert row["values"] == {"account": "Pars", "sector": "energy", "colour": "red"}
    assert rows["next_cursor"]
    assert call(root, "GET", f"companies/{row['record_id']}")["name"] == "Pars"
    call(root, "POST", f"{path}/undo")
    desk.work()
    undone = call(root, "GET", path)
    assert (undone["status"], undone["undo"]) == ("undone", {"removed": 2})


def test_a_mapping_comes_with_the_file_or_afterwards(root: Api, desk: ImportDesk) -> None:
    toml = 'currency = "EUR"\n[columns]\naccount = "name"\ncolour = "notes"\n'
    made = upload(root, mapping=toml, start="run")
    desk.work()
    assert call(root, "GET", f"imports/{made['id']}")["status"] == "done"

    other = upload(root, COMPANIES.replace("red", "blue"))
    changed = call(
        root, "PUT", f"imports/{other['id']}/mapping", columns={"account": "name"}, currency="USD"
    )

    assert [column["field"] for column in changed["columns"]] == ["name", None, None]
    assert changed["mapping"]["currency"] == "USD"


def test_a_draft_can_be_discarded_and_a_done_import_cannot(root: Api, desk: ImportDesk) -> None:
    draft, done = upload(root), upload(root, start="run")
    desk.work()

    call(root, "DELETE", f"imports/{draft['id']}", 204)
    call(root, "GET", f"imports/{draft['id']}", 404)
    call(root, "DELETE", f"imports/{done['id']}", 409)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "planets"}, "kind"),
        ({"start": "now"}, "start"),
        ({"mapping": "[columns"}, "mapping"),
        ({"text": ""}, "file"),
        ({"text": "a,b\n"}, "file"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    root: Api, fields: dict[str, str], field: str
) -> None:
    refused = upload(root, code=422, **fields)

    assert field in refused["errors"][0]["field"]


def test_a_file_is_needed(root: Api) -> None:
    answer = root.client.post("/api/v1/imports", data={"kind": "deals"}, headers=root.headers)

    assert answer.status_code == 422
    assert answer.json is not None
    assert "file" in answer.json["errors"][0]["field"]


def test_only_who_may_import_sees_imports(
    app: DaftarFlask, database: Database, cast: Cast, root: Api
) -> None:
    made = upload(root)
    ben = api_of(app, database, cast.ben)

    upload(ben, code=403)
    for path in ("imports", f"imports/{made['id']}", f"imports/{made['id']}/rows"):
        call(ben, "GET", path, 403)
    for step in ("trial", "run", "stop", "undo"):
        call(ben, "POST", f"imports/{made['id']}/{step}", 403)


def test_the_list_shows_the_newest_first(root: Api) -> None:
    made = [upload(root)["id"] for _no in range(3)]

    answer = root.client.get("/api/v1/imports?limit=2", headers=root.headers)

    assert answer.json is not None
    assert [one["id"] for one in answer.json["items"]] == made[:0:-1]
    assert answer.json["total"] == 3
