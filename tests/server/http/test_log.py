"""The log: one JSON line a fact, with the number of the request, and never a secret."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.app import SESSION_COOKIE
from server.core.db import Database
from server.core.log import start_log
from server.http.access import public
from server.http.app import DaftarFlask
from tests.licensing.client.vendor import CODE, SHOWN_CODE
from tests.server.conftest import PASSWORD, Cast, api_of
from tests.server.http.test_sign_in import sign_in
from tests.support.licensed import licensed_stage


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what is logged does not depend on its kind."""
    return sqlite_database


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Let this process write everything it can say into a file."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    start_log("DEBUG", tmp_path / "log")
    yield tmp_path / "log" / "daftar.log"
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def lines(log_file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log_file.read_text(encoding="utf8").splitlines()]


def test_no_secret_of_a_whole_day_is_written_down(
    app: DaftarFlask, database: Database, cast: Cast, log_file: Path
) -> None:
    """Signing in rightly and wrongly, a token, an activation, a check-in."""
    sign_in(app, "anna@example.com", "not-her-password-1")
    client, _answer = sign_in(app, "anna@example.com")
    cookie = client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    api = api_of(app, database, cast.root)
    api.client.get("/api/v1/users/me", headers=api.headers)
    new = {"email": "new@example.com", "display_name": "New", "password": "a-new-phrase-1404"}
    assert api.client.post("/api/v1/users", json=new, headers=api.headers).status_code == 201
    client.get("/choose-password/a-link-that-is-a-key")
    with licensed_stage(app.extensions["daftar.settings"], database) as stage:
        office = stage.open_office()
        office.activate(cast.root, SHOWN_CODE)
        office.check_in(cast.root)

    written = log_file.read_text(encoding="utf8")
    secrets = {
        "password": PASSWORD,
        "wrong password": "not-her-password-1",
        "new password": "a-new-phrase-1404",
        "token": api.token,
        "cookie": cookie.value,
        "code": CODE,
        "printed code": SHOWN_CODE,
        "link": "a-link-that-is-a-key",
        "address of a person": "anna@example.com",
    }
    assert len(lines(log_file)) > 5
    assert [name for name, secret in secrets.items() if secret.lower() in written.lower()] == []


def test_every_line_of_a_request_carries_its_number(
    app: DaftarFlask, cast: Cast, log_file: Path
) -> None:
    answer = app.test_client().get("/sign-in")

    line = lines(log_file)[-1]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["route"], line["status_code"]) == ("GET", "/sign-in", 200)
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_a_fault_is_found_by_the_number_its_reader_saw(
    app: DaftarFlask, cast: Cast, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise RuntimeError("the reason")

    monkeypatch.setitem(app.view_functions, "users.sign_in", public()(fail))
    answer = app.test_client().get("/sign-in")

    number = answer.headers["X-Request-Id"]
    page = answer.get_data(as_text=True)
    faults = [line for line in lines(log_file) if line["level"] == "error"]
    assert answer.status_code == 500
    assert number in page
    assert "the reason" not in page
    assert [line["request_id"] for line in faults] == [number]
    assert "RuntimeError: the reason" in str(faults[0]["exception"])


def test_who_asks_stands_in_the_line(
    app: DaftarFlask, database: Database, cast: Cast, log_file: Path
) -> None:
    api = api_of(app, database, cast.ben)
    api.client.get("/api/v1/users/me", headers=api.headers)
    app.test_client().get("/sign-in")

    answered = [line for line in lines(log_file) if line["event"] == "Answered."]
    assert answered[0]["user_id"] == cast.ben.user_id
    assert "user_id" not in answered[1]


@pytest.mark.parametrize("name", ["password", "api_token", "activation_code", "Authorization"])
def test_what_is_named_like_a_secret_is_hidden(log_file: Path, name: str) -> None:
    logging.getLogger("test").warning("Something.", extra={name: "visible"})

    assert "visible" not in log_file.read_text(encoding="utf8")
