"""The product's own licence client against the served authority: what a customer lives through."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from licensing.authority.licenses.rules import LicenseStatus
from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.client.outcome import Result
from licensing.document.requests import DeactivationReason, Mode, Usage
from server.core import clock
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import Vendor, start_program
from tests.licensing.authority.test_program import sqlite_vendor_url
from tests.licensing.client.vendor import machine

USAGE = Usage(named=1, peak_concurrent=1, service=0)


@pytest.fixture
def install(vendor: Vendor, tmp_path: Path) -> Callable[[str], LicenseClient]:
    """Return a function that installs the product on a new machine."""

    def make(name: str) -> LicenseClient:
        config = ClientConfig(
            directory=tmp_path / name / "license",
            authority_urls=(sqlite_vendor_url(vendor),),
            trust_root=vendor.settings.trust_dir / "root.json",
            product_version="0.1.0",
            machine_root=another_machine(tmp_path / name),
        )
        return LicenseClient(config, Clocks(clock.timestamp, clock.monotonic))

    return make


def another_machine(root: Path) -> Path:
    """Lay out a machine that shares nothing with any other."""
    if not root.exists():
        machine(root, machine_id=uuid4().hex)
        for name in ("product_uuid", "board_serial"):
            (root / "sys/class/dmi/id" / name).write_text(str(uuid4()), "utf8")
        (root / "sys/class/net/eth0/address").write_text(
            f"00:1a:{uuid4().hex[:2]}:16:01:59", "utf8"
        )
    return root


def test_a_customers_year(vendor: Vendor, install: Callable[[str], LicenseClient]) -> None:
    issued, client = vendor.sell(), install("one")

    assert client.activate(issued.code).result is Result.ACCEPTED
    assert client.verdict(1).mode is Mode.OK
    vendor.renew(issued.license_id, 365)
    assert client.check_in(USAGE).result is Result.ACCEPTED
    sold = client.status().license
    assert sold is not None
    assert sold.serial == 2

    vendor.set_status(issued.license_id, LicenseStatus.SUSPENDED)
    client.check_in(USAGE)
    assert (client.verdict(1).mode, client.verdict(1).reason) == (Mode.LOCKED, Reason.SUSPENDED)
    vendor.set_status(issued.license_id, LicenseStatus.OK)
    client.check_in(USAGE)
    assert client.verdict(1).mode is Mode.OK

    assert client.deactivate(DeactivationReason.MOVE, USAGE).result is Result.ACCEPTED
    assert client.verdict(1).reason is Reason.DEACTIVATED
    other = install("two")
    assert other.activate(issued.code).result is Result.ACCEPTED
    assert other.verdict(1).mode is Mode.OK


def test_a_second_server_is_refused_and_the_first_lives_on(
    vendor: Vendor, install: Callable[[str], LicenseClient]
) -> None:
    issued, first, second = vendor.sell(), install("one"), install("two")
    first.activate(issued.code)

    refused = second.activate(issued.code)

    assert (refused.result, refused.code) == (Result.DENIED, "E_ALREADY_ACTIVE")
    assert second.verdict(1).mode is Mode.SETUP
    assert first.check_in(USAGE).result is Result.ACCEPTED


def test_a_moved_licence_locks_the_old_server_on_contact(
    vendor: Vendor, install: Callable[[str], LicenseClient]
) -> None:
    issued, old, new = vendor.sell(), install("old"), install("new")
    old.activate(issued.code)
    moved = vendor.rehost(issued.license_id)

    assert new.activate(moved.code).result is Result.ACCEPTED
    assert old.check_in(USAGE).code == "E_SUPERSEDED"
    assert old.verdict(1).reason is Reason.SUPERSEDED


def test_a_restored_backup_costs_nothing(
    vendor: Vendor, install: Callable[[str], LicenseClient], tmp_path: Path
) -> None:
    issued, client = vendor.sell(), install("one")
    client.activate(issued.code)
    state = tmp_path / "one" / "license" / "state.json"
    backup = state.read_bytes()
    for _day in range(3):
        client.check_in(USAGE)
    state.write_bytes(backup)

    assert install("one").check_in(USAGE).result is Result.ACCEPTED
    restored = install("one")
    assert restored.verdict(1).mode is Mode.OK
    assert restored.check_in(USAGE).result is Result.ACCEPTED
    assert vendor.flags(issued.license_id) == []


def test_a_new_root_is_followed_by_a_running_server(tmp_path: Path, console: Console) -> None:
    """The client was sold with root 1; keyset and leases then come under root 2."""
    program = start_program(console.home, tmp_path / "log")
    try:
        sold = console.json("customer", "add", "--name", "Pars")["customer_id"]
        code = console.json("license", "issue", "--customer", sold, "--seats", 5)["code"]
        config = ClientConfig(
            directory=tmp_path / "license",
            authority_urls=(program.url,),
            trust_root=console.home / "trust" / "root.json",
            product_version="0.1.0",
            machine_root=another_machine(tmp_path / "machine"),
        )
        client = LicenseClient(config, Clocks(clock.timestamp, clock.monotonic))
        assert client.activate(str(code)).result is Result.ACCEPTED
        keys = [
            word
            for number in (1, 2)
            for word in ("--root-key", console.home / "root" / f"root-{number}.pem")
        ]
        console.json("keys", "renew-root", *keys, "--root-dir", tmp_path / "next")

        outcome = client.check_in(USAGE)

        assert (outcome.result, outcome.code) == (Result.ACCEPTED, "")
        assert client.status().keyset_version == 2
    finally:
        program.stop()


def test_clones_are_held_and_released(
    vendor: Vendor, install: Callable[[str], LicenseClient], tmp_path: Path
) -> None:
    issued, client = vendor.sell(), install("one")
    client.activate(issued.code)
    copy_disk(tmp_path / "one", tmp_path / "copy")
    clone = install("copy")
    outcomes = [one.check_in(USAGE) for _day in range(4) for one in (client, clone)]

    assert outcomes[-1].code == "E_CLONE_SUSPECTED"
    assert clone.verdict(1).reason is Reason.CLONE_HOLD
    vendor.clear_hold(issued.license_id)
    assert client.check_in(USAGE).result is Result.ACCEPTED
    assert client.verdict(1).mode is Mode.OK


def copy_disk(source: Path, target: Path) -> None:
    for path in (source / "license").rglob("*"):
        if path.is_file():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes())
            copied.chmod(path.stat().st_mode)
