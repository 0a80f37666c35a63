"""The maintenance of a perpetual licence: asked before an upgrade, and never at start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from installer.checks import Status
from installer.preflight.maintenance import covers, covers_this_release
from installer.preflight.plan import PreflightPlan
from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.document.requests import Mode, Usage
from server.core.config import Settings, load_settings
from tests.licensing.client.vendor import DAY, NOW, SHOWN_CODE, Vendor, VendorServer

MAINTAINED = datetime.fromtimestamp(NOW + 30 * DAY, UTC)


@dataclass
class House:
    """An installation at the planned home, and its vendor."""

    vendor: Vendor
    settings: Settings
    client: Callable[[], LicenseClient]


@pytest.fixture
def house(plan: PreflightPlan) -> Iterator[House]:
    vendor = Vendor()
    server = VendorServer(vendor)
    plan.home.mkdir(parents=True)
    (plan.home / "daftar.toml").write_text(
        f'[license]\nauthority_urls = ["{server.url}"]\n', encoding="utf-8"
    )
    settings = load_settings(plan.home)
    settings.trust_root.parent.mkdir(parents=True, exist_ok=True)
    settings.trust_root.write_bytes(vendor.root_file())

    def client() -> LicenseClient:
        config = ClientConfig(
            directory=settings.license_dir,
            authority_urls=(server.url,),
            trust_root=settings.trust_root,
            product_version="0.1.0",
            machine_root=plan.home / "machine",
        )
        return LicenseClient(config, Clocks(lambda: vendor.now, lambda: float(vendor.now)))

    yield House(vendor, settings, client)
    server.stop()


def sell(house: House, **terms: object) -> None:
    house.vendor.sold |= {"maintenance_until": int(MAINTAINED.timestamp()), "tz": "UTC", **terms}
    house.client().activate(SHOWN_CODE)


def test_a_release_of_the_last_maintained_day_is_covered(house: House, plan: PreflightPlan) -> None:
    sell(house, kind="perpetual", expires_at=None)

    finding = covers(plan, MAINTAINED.date())

    assert finding.status is Status.PASS
    assert MAINTAINED.date().isoformat() in finding.detail


def test_a_later_release_is_refused_with_the_reason_and_the_way_out(
    house: House, plan: PreflightPlan
) -> None:
    sell(house, kind="perpetual", expires_at=None)

    finding = covers(plan, MAINTAINED.date() + timedelta(days=1))

    assert finding.status is Status.FAIL
    assert MAINTAINED.date().isoformat() in finding.detail
    assert "renew the maintenance" in finding.fix


def test_the_running_product_never_asks(house: House) -> None:
    sell(house, kind="perpetual", expires_at=None)
    for month in range(3):
        house.vendor.now = NOW + month * 30 * DAY
        house.client().check_in(Usage(named=1, peak_concurrent=1, service=0))
        assert house.client().verdict(1).mode is Mode.OK


def test_a_subscription_has_every_release(house: House, plan: PreflightPlan) -> None:
    sell(house)

    assert covers(plan, date(2099, 1, 1)).status is Status.PASS


def test_where_nothing_is_installed_or_activated_there_is_nothing_to_ask(
    plan: PreflightPlan, tmp_path: Path
) -> None:
    assert covers_this_release(plan).status is Status.SKIP
    plan.home.mkdir(parents=True)
    (plan.home / "daftar.toml").write_text("", encoding="utf-8")
    assert covers_this_release(plan).status is Status.SKIP
    assert not (tmp_path / "home" / "data").exists()


def test_asking_changes_nothing(
    house: House, plan: PreflightPlan, inodes: Callable[[Path], list[Path]]
) -> None:
    sell(house, kind="perpetual", expires_at=None)
    state = house.settings.license_dir / "state.json"
    before, held = inodes(plan.home), state.read_bytes()

    covers_this_release(plan)

    assert (inodes(plan.home), state.read_bytes()) == (before, held)
