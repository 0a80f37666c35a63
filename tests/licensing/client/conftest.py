"""The stage: a vendor over HTTP, a machine, an installation with hand-moved clocks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from tests.licensing.client.vendor import Hands, Vendor, VendorServer, machine


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def server(vendor: Vendor) -> Iterator[VendorServer]:
    serving = VendorServer(vendor)
    yield serving
    serving.stop()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def config(tmp_path: Path, server: VendorServer) -> ClientConfig:
    trust = tmp_path / "root.json"
    trust.write_bytes(server.vendor.root_file())
    return ClientConfig(
        directory=tmp_path / "license",
        authority_urls=(server.url,),
        trust_root=trust,
        product_version="0.1.0",
        machine_root=machine(tmp_path / "machine"),
    )


@pytest.fixture
def start(config: ClientConfig, hands: Hands) -> Callable[[], LicenseClient]:
    """Return a function that starts the product (again) on the same folder."""
    return lambda: LicenseClient(config, Clocks(lambda: int(hands.wall), lambda: hands.run))


@pytest.fixture
def client(start: Callable[[], LicenseClient]) -> LicenseClient:
    return start()
