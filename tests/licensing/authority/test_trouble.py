"""Trouble on the vendor's side: a licence that is being worked on, a database that is away."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from licensing.authority.licenses.queries import get_license
from server.core.errors import Missing
from tests.licensing.authority.conftest import inside
from tests.licensing.authority.stage import Vendor, found_vendor, open_vendor
from tests.support.postgres import Cluster


def impatient(vendor: Vendor) -> Vendor:
    """Let nobody wait longer than a moment for a lock."""
    is_sqlite = vendor.database.dialect == "sqlite"
    words = "PRAGMA busy_timeout = 50" if is_sqlite else "SET lock_timeout = '50ms'"

    def shorten(connection: Any, _record: object) -> None:
        connection.execute(words)
        connection.commit()

    event.listen(vendor.database.engine, "connect", shorten)
    vendor.send = inside(vendor)
    return vendor


@pytest.fixture(params=["sqlite", "postgresql"])
def busy_vendor(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_cluster: Cluster
) -> Iterator[Vendor]:
    """Give an authority inside the test whose database does not wait."""
    url = ""
    if request.param == "postgresql":
        url = postgres_cluster.url(postgres_cluster.create_database())
    settings = found_vendor(tmp_path / "authority", url)
    vendor = impatient(open_vendor(settings, lambda *_request: pytest.fail("no line")))
    yield vendor
    vendor.database.dispose()


def test_a_licence_that_is_being_worked_on_is_busy_and_nothing_is_lost(busy_vendor: Vendor) -> None:
    issued, server = busy_vendor.sell(), busy_vendor.stranger()
    request = server.activate_request(issued.code)
    with busy_vendor.database.write() as session:
        get_license(session, issued.license_id)

        reply = server.send("POST", "/v1/activations", request)

    assert (reply.status, reply.json["code"]) == (409, "E_BUSY")
    assert int(reply.headers["Retry-After"]) > 0
    assert server.ask("/v1/activations", request).kind == "bundle"


def test_a_busy_check_in_leaves_the_chain_as_it_was(busy_vendor: Vendor) -> None:
    issued, server = busy_vendor.sell(), busy_vendor.stranger()
    server.activate(issued.code)
    with busy_vendor.database.write() as session:
        get_license(session, issued.license_id)
        with pytest.raises(Exception, match="E_BUSY"):
            server.check_in()

    assert server.again("/v1/check-ins").payload["seq"] == 2


def test_a_database_that_is_away_is_told_by_health_and_by_a_problem(
    tmp_path: Path, postgres_cluster: Cluster
) -> None:
    name = postgres_cluster.create_database()
    settings = found_vendor(tmp_path / "authority", postgres_cluster.url(name))
    vendor = open_vendor(settings, lambda *_request: pytest.fail("no line"))
    vendor.send = inside(vendor)
    server = vendor.stranger()
    request = server.activate_request(vendor.sell().code)
    assert vendor.send("GET", "/healthz", None).status == 200

    postgres_cluster.drop_database(name)

    health = vendor.send("GET", "/healthz", None)
    assert (health.status, health.json["code"]) == (503, "unhealthy")
    assert "database" in health.json["detail"]
    assert server.send("POST", "/v1/activations", request).status == 503
    vendor.database.dispose()


def test_a_missing_secret_stops_the_start(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here()
    (vendor.settings.secrets_dir / "challenge.key").unlink()

    with pytest.raises(Missing, match=r"challenge\.key"):
        inside(vendor)


def test_health_says_which_version_answers(vendor_here: Vendor) -> None:
    reply = vendor_here.send("GET", "/healthz", None)

    assert reply.json["status"] == "ok"
    assert reply.json["version"]
