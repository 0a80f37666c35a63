"""Who may read the metrics: this machine, and tokens of those who may change the settings."""

from dataclasses import dataclass, replace

import pytest
from werkzeug.test import Client

from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.http.forwarded import behind
from tests.server.conftest import Cast, api_of
from tests.server.metrics.asking import ask

ELSEWHERE = "203.0.113.9"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; who may look does not depend on its kind."""
    return sqlite_database


def test_a_stranger_from_elsewhere_is_refused(app: DaftarFlask) -> None:
    answer = ask(app, ELSEWHERE)

    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert "Authorization: Bearer" in answer.get_json()["detail"]
    assert ask(app, ELSEWHERE, "dft_invented").status_code == 403


def test_elsewhere_a_token_needs_the_right_to_the_settings(
    app: DaftarFlask, database: Database, cast: Cast
) -> None:
    root, anna = (api_of(app, database, one) for one in (cast.root, cast.anna))

    assert ask(app, ELSEWHERE, root.token).status_code == 200
    assert ask(app, ELSEWHERE, anna.token).status_code == 403


def test_outside_the_networks_of_the_licence_no_token_helps(
    app: DaftarFlask, database: Database, board: EntitlementsBoard, cast: Cast
) -> None:
    board.publish(replace(UNLIMITED, networks=("10.0.0.0/8",), network_mode="enforce"))
    root = api_of(app, database, cast.root)

    assert ask(app, ELSEWHERE, root.token).get_json()["code"] == "outside_network"
    assert ask(app, "10.1.2.3", root.token).status_code == 200


@dataclass(frozen=True)
class Knock:
    """A request at the socket: whose it is, what it claims, and which proxies are believed."""

    peer: str
    claims: str
    believed: tuple[str, ...] = ()

    def status(self, app: DaftarFlask) -> int:
        door = behind(self.believed, app)
        headers = {"X-Forwarded-For": self.claims} if self.claims else {}
        peer = {"REMOTE_ADDR": self.peer}
        return Client(door).get("/metrics", headers=headers, environ_base=peer).status_code


@pytest.mark.parametrize(
    ("knock", "expected"),
    [
        (Knock(ELSEWHERE, "127.0.0.1"), 403),
        (Knock(ELSEWHERE, "127.0.0.1", ("127.0.0.1",)), 403),
        (Knock("127.0.0.1", f"127.0.0.1, {ELSEWHERE}", ("127.0.0.1",)), 403),
        (Knock("127.0.0.1", "", ("127.0.0.1",)), 200),
        (Knock("::1", ""), 200),
    ],
)
def test_nobody_becomes_this_machine_by_a_header(
    app: DaftarFlask, knock: Knock, expected: int
) -> None:
    assert knock.status(app) == expected
