"""The stage: a vendor over HTTP, a machine, an installation with hand-moved clocks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from licensing.client import way
from licensing.client.client import LicenseClient
from licensing.client.diagnosis import Examinee
from licensing.client.installation import ClientConfig, Clocks
from licensing.document.keyset import load_root_file
from licensing.document.trust import Trust
from tests.licensing.client.examination import Stage
from tests.licensing.client.obstacles import (
    Certificates,
    Listener,
    Talk,
)
from tests.licensing.client.vendor import NOW, Hands, Vendor, VendorServer, machine


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


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Return a function that lets an obstacle listen on a free port."""
    running: list[Listener] = []

    def start(talk: Talk, context: object = None) -> Listener:
        running.append(Listener(talk, context))  # type: ignore[arg-type] # a context or none
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def stage(
    tmp_path: Path,
    vendor: Vendor,
    listen: Callable[..., Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(way, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(way, "SPEAK_SECONDS", 1.0)
    (tmp_path / "root.json").write_bytes(vendor.root_file())
    trust = Trust(load_root_file((tmp_path / "root.json").read_bytes()))
    certificates = Certificates.found(tmp_path)
    subject = Examinee((), certificates.bundle, trust, lambda: NOW, seconds=8)
    return Stage(subject, certificates, listen, vendor)
