"""The stage: an authority served by its real command on each database, and one inside the test for time travel."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from licensing.authority.app import make_authority
from licensing.authority.config import load_settings
from tests.licensing.authority.console import Console
from tests.licensing.authority.life import Install, Server
from tests.licensing.authority.stage import (
    NO_LIMITS,
    Changes,
    Vendor,
    found_vendor,
    open_vendor,
    running_vendor,
)
from tests.licensing.authority.stranger import Reply, Send
from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def sqlite_vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """Give an authority of several processes on SQLite; every test sells a licence of its own."""
    with running_vendor(tmp_path_factory.mktemp("vendor") / "home", "") as vendor:
        yield vendor


@pytest.fixture(scope="session")
def postgres_vendor(
    tmp_path_factory: pytest.TempPathFactory, postgres_cluster: Cluster
) -> Iterator[Vendor]:
    """Give an authority of several processes on PostgreSQL."""
    url = postgres_cluster.url(postgres_cluster.create_database())
    with running_vendor(tmp_path_factory.mktemp("vendor") / "home", url) as vendor:
        yield vendor


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> Vendor:
    """Give a served authority, once on each database."""
    name = "sqlite_vendor" if request.param == "sqlite" else "postgres_vendor"
    found: Vendor = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, postgres_cluster: Cluster) -> str:
    """Give the URL of an empty database; for SQLite the usual file in the home."""
    if request.param == "sqlite":
        return ""
    return postgres_cluster.url(postgres_cluster.create_database())


@pytest.fixture
def found_here(tmp_path: Path) -> Iterator[Callable[..., Vendor]]:
    """Return a function that founds an authority inside the test, where time can be moved."""
    opened: list[Vendor] = []

    def make(changes: Changes = NO_LIMITS) -> Vendor:
        settings = found_vendor(tmp_path / "authority", changes=changes)
        vendor = open_vendor(settings, _nowhere)
        opened.append(vendor)
        vendor.send = inside(vendor)
        return vendor

    yield make
    for vendor in opened:
        vendor.database.dispose()


@pytest.fixture
def vendor_here(found_here: Callable[..., Vendor]) -> Vendor:
    """Give an authority inside the test, without limits."""
    return found_here()


@pytest.fixture
def install(vendor_here: Vendor, tmp_path: Path) -> Install:
    """Return a function that sets up a customer's server with the product's own client."""
    return lambda name: Server(vendor_here, tmp_path / name)


def inside(vendor: Vendor) -> Send:
    """Return a line to the application in this process."""
    client = make_authority(vendor.settings, vendor.database, vendor.keys).test_client()

    def send(method: str, path: str, body: bytes | None) -> Reply:
        answer = client.open(path, method=method, data=body, content_type="application/json")
        return Reply(answer.status_code, dict(answer.headers), answer.data)

    return send


def _nowhere(_method: str, _path: str, _body: bytes | None) -> Reply:
    raise AssertionError("no line yet")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Give a terminal at the home of a new authority."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    found_vendor(tmp_path / "authority")
    yield Console(tmp_path / "authority")
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture
def customer(console: Console) -> str:
    return str(console.json("customer", "add", "--name", "Pars Trading")["customer_id"])


@pytest.fixture
def sold(console: Console, customer: str) -> dict[str, str]:
    """Give a licence of five users and its code."""
    report = console.json("license", "issue", "--customer", customer, "--seats", 5)
    return {name: str(value) for name, value in report.items()}


@pytest.fixture
def console_vendor(console: Console) -> Iterator[Vendor]:
    """Give a line to the authority that the console works on."""
    opened = open_vendor(load_settings(console.home), lambda *_request: pytest.fail("no line"))
    opened.send = inside(opened)
    yield opened
    opened.database.dispose()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Console]:
    """Give a terminal at a home where nothing is yet."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield Console(tmp_path / "fresh")
    logger.handlers[:] = handlers
    logger.setLevel(level)
