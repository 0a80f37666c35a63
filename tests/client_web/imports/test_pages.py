"""Pages of imports without a browser: steps, refusals, downloads, and who may come in."""

from io import BytesIO

import pytest
from flask import current_app
from werkzeug.test import TestResponse

from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.exchange.desk import ImportDesk
from server.exchange.service import workshop
from server.http.app import DaftarFlask
from tests.client_web.conftest import Visit, Visitor, counted
from tests.server.conftest import Cast

DEALS = "title,stage,amount,colour\nPump,Won,5,<b>red</b>\nValve,In talks,much,green\n,,,\nTap,Lost,7,\n"


@pytest.fixture
def desk(app: DaftarFlask, database: Database, cast: Cast) -> ImportDesk:
    """Give the scheduler's import desk."""
    with app.app_context():
        settings = current_app.extensions["daftar.settings"]
    board = EntitlementsBoard(UNLIMITED)
    return ImportDesk(workshop(settings, database), board, lambda _session, _user: cast.root)


def upload(visitor: Visitor, text: str | bytes = DEALS, kind: str = "deals") -> TestResponse:
    raw = text.encode() if isinstance(text, str) else text
    return visitor.post("/imports/new", kind=kind, file=(BytesIO(raw), "list.csv"))


def mapped(**changes: str) -> dict[str, str]:
    columns = {"column-0": "title", "column-1": "stage", "column-2": "amount"}
    return {**columns, "mode": "both", "currency": "USD", "stage-1": "Proposal", **changes}


def test_a_file_goes_through_all_steps(visit: Visit, cast: Cast, desk: ImportDesk) -> None:
    root = visit(cast.root)
    answer = upload(root)
    assert answer.location == "/imports/1/mapping"
    page = root.read("/imports/1/mapping")
    assert "In talks" in page
    assert "colour" in page

    tried = root.post("/imports/1/mapping", step="try", **mapped())
    assert tried.location == "/imports/1"
    assert "hx-get" in root.read("/imports/1")
    desk.work()
    page = root.read("/imports/1")
    assert 'hx-get="/imports/1/progress"' not in page
    assert "Import now" in page
    root.post("/imports/1/run")
    desk.work()

    page = root.read("/imports/1")
    assert "&lt;b&gt;red&lt;/b&gt;" in page
    assert 'href="/deals/1"' in page
    assert "much" in root.read("/imports/1?filter[outcome]=refused")
    root.post("/imports/1/undo")
    desk.work()
    assert "In the bin" in root.read("/imports/1")


def test_the_progress_asks_for_the_whole_page_once_the_work_is_over(
    visit: Visit, cast: Cast, desk: ImportDesk
) -> None:
    root = visit(cast.root)
    upload(root)
    root.post("/imports/1/mapping", step="run", **mapped())

    waiting = root.get("/imports/1/progress")
    desk.work()
    over = root.get("/imports/1/progress")

    assert "HX-Refresh" not in waiting.headers
    assert over.headers["HX-Refresh"] == "true"


def test_refused_rows_can_be_mended_and_imported_again(
    visit: Visit, cast: Cast, desk: ImportDesk
) -> None:
    root = visit(cast.root)
    upload(root)
    root.post("/imports/1/mapping", step="run", **mapped())
    desk.work()

    file = root.get("/imports/1/refused.csv")

    lines = file.get_data().decode("utf-8-sig").splitlines()
    assert lines[0] == "title,stage,amount,colour,Line,Reason"
    assert lines[1].startswith("Valve,In talks,much,green,3,")
    assert len(lines) == 2
    upload(root, "\n".join(lines).replace("much", "9"))
    root.post("/imports/2/mapping", step="run", **mapped())
    desk.work()
    assert 'href="/deals/3"' in root.read("/imports/2")


def test_a_formula_in_a_refused_row_is_never_carried_out(
    visit: Visit, cast: Cast, desk: ImportDesk
) -> None:
    root = visit(cast.root)
    upload(root, "title,stage,amount,colour\n=1+1,In talks,much,@SUM(A1)\n")
    root.post("/imports/1/mapping", step="run", **mapped())
    desk.work()

    lines = root.get("/imports/1/refused.csv").get_data().decode("utf-8-sig").splitlines()

    assert lines[1].startswith("'=1+1,In talks,much,'@SUM(A1),2,")
    upload(root, "\n".join(lines).replace("much", "9"))
    root.post("/imports/2/mapping", step="run", **mapped())
    desk.work()
    assert "=1+1" in root.read("/deals/1")
    assert "&#39;=1+1" not in root.read("/deals/1")


def test_the_wrong_encoding_can_be_put_right(visit: Visit, cast: Cast) -> None:
    root = visit(cast.root)
    upload(root, "نام;شهر\nپارس;تهران\n".encode(), "companies")

    root.post("/imports/1/read-again", encoding="windows-1252", delimiter=",")
    broken = root.read("/imports/1/mapping")
    root.post("/imports/1/read-again", encoding="utf-8", delimiter=";")

    assert "تهران" not in broken
    assert "تهران" in root.read("/imports/1/mapping")


@pytest.mark.parametrize(
    ("kind", "text"), [("planets", DEALS), ("deals", ""), ("deals", "title\n"), ("", DEALS)]
)
def test_a_file_that_cannot_be_read_is_refused_on_the_page(
    visit: Visit, cast: Cast, kind: str, text: str
) -> None:
    answer = upload(visit(cast.root), text, kind)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)


def test_no_file_at_all_is_refused_on_the_page(visit: Visit, cast: Cast) -> None:
    answer = visit(cast.root).post("/imports/new", kind="deals")

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"column-0": "", "column-2": ""},
        {"column-0": "nothing"},
        {"currency": "XYZ"},
        {"mode": "all"},
        {"times": "7"},
        {"dates": "ymd"},
        {"key": "name"},
    ],
)
def test_a_mapping_that_makes_no_sense_is_shown_again(
    visit: Visit, cast: Cast, fields: dict[str, str]
) -> None:
    root = visit(cast.root)
    upload(root)

    answer = root.post("/imports/1/mapping", step="run", **mapped(**fields))

    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)


def test_a_discarded_import_is_gone(visit: Visit, cast: Cast) -> None:
    root = visit(cast.root)
    upload(root)

    root.post("/imports/1/discard")

    assert root.get("/imports/1").status_code == 404
    assert "Nothing imported yet" in root.read("/imports")


def test_only_who_may_import_comes_in(visit: Visit, cast: Cast) -> None:
    upload(visit(cast.root))
    ben = visit(cast.ben)

    assert "/imports" not in ben.read("/")
    for path in (
        "/imports",
        "/imports/new",
        "/imports/1",
        "/imports/1/mapping",
        "/imports/1/refused.csv",
    ):
        assert ben.get(path).status_code == 403
    assert upload(ben).status_code == 403
    assert ben.post("/imports/1/run").status_code == 403


def test_a_page_of_rows_asks_the_database_a_fixed_number_of_times(
    visit: Visit, cast: Cast, desk: ImportDesk, database: Database
) -> None:
    root = visit(cast.root)
    upload(root, "title\nOne\n")
    many = "title\n" + "".join(f"Deal {number}\n" for number in range(40))
    upload(root, many)
    for number in (1, 2):
        root.post(f"/imports/{number}/mapping", step="run", **{"column-0": "title"})
    desk.work()

    with counted(database) as few:
        root.read("/imports/1")
    with counted(database) as as_many:
        root.read("/imports/2")

    assert len(few) == len(as_many)
