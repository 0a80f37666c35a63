"""The authority's own backups: made, proved, brought back, and what its customers notice of it: nothing."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from licensing.authority.activations.nonces import Mint, Told
from licensing.authority.config import load_settings
from licensing.authority.licenses.service import Issued
from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.outcome import Result
from licensing.document.requests import Mode, Usage
from server.core import clock
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import (
    Program,
    Vendor,
    found_vendor,
    open_vendor,
    start_program,
)
from tests.licensing.authority.stranger import codes, over_http
from tests.licensing.authority.test_real_client import another_machine

USAGE = Usage(named=1, peak_concurrent=1, service=0)


class House:
    """An authority with backup keys, served by its real command, stopped and started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.settings = found_vendor(self.home, url)
        self.vendor: Vendor | None = None
        self.program: Program | None = None
        self.sheet = folder / "keys.txt"

    @property
    def console(self) -> Console:
        return Console(self.home)

    def command(self, *words: str) -> dict[str, Any]:
        return self.console.json(*words)

    def serve(self) -> Vendor:
        self.program = start_program(self.home, self.folder / "log")
        self.vendor = open_vendor(load_settings(self.home), over_http(self.program.url))
        return self.vendor

    def stop(self) -> None:
        if self.vendor is not None:
            self.vendor.database.dispose()
        if self.program is not None:
            self.program.stop()
        self.vendor = self.program = None

    def client(self, name: str) -> LicenseClient:
        """Return the product of a customer, on whatever address the authority answers at now."""
        assert self.program is not None
        config = ClientConfig(
            directory=self.folder / name / "license",
            authority_urls=(self.program.url,),
            trust_root=self.settings.trust_dir / "root.json",
            product_version="0.1.0",
            machine_root=another_machine(self.folder / name),
        )
        return LicenseClient(config, Clocks(clock.timestamp, clock.monotonic))


@pytest.fixture
def house(tmp_path: Path, empty_url: str) -> Iterator[House]:
    """Give an authority that was never backed up, once on each database."""
    house = House(tmp_path, empty_url)
    house.command("backup", "keys", "--to", str(house.sheet))
    yield house
    house.stop()


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Give the log back as it was; commands send it to their own stderr."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_after_a_restore_customers_go_on_and_nobody_is_suspected(house: House) -> None:
    vendor = house.serve()
    issued, late = vendor.sell(), vendor.sell()
    client = house.client("one")
    assert client.activate(issued.code).result is Result.ACCEPTED
    client.check_in(USAGE)
    made = house.command("backup", "run")["id"]
    forget_this(house, client, issued, late)
    code, sentence = house.console.refusal("backup", "restore", made, "--yes")
    assert (code, "Stop every" in sentence) == (3, True)
    house.stop()

    assert house.command("backup", "restore", made, "--yes")["kept"]

    vendor, client = house.serve(), house.client("one")
    for _day in range(8):  # more than it takes to be held for a clone
        assert client.check_in(USAGE).result is Result.ACCEPTED
    [activation] = vendor.activations(issued.license_id)
    assert (activation.forks, activation.is_held) == (0, False)
    assert client.verdict(1).mode is Mode.OK
    # What the customer holds is newer than what the vendor remembers: kept there, and told here.
    assert serial_of(client) == 2
    assert vendor.flags(issued.license_id) == ["behind"]
    vendor.renew(issued.license_id, 60)
    client.check_in(USAGE)
    assert serial_of(client) > 2
    check_forgotten(house.client("late"), late.code)
    trail = house.command("audit", "list", "--subject", made)
    assert [entry["action"] for entry in trail["items"]] == ["backup.restore"]


def forget_this(house: House, client: LicenseClient, issued: Issued, late: Issued) -> None:
    """Do what the backup does not know: check-ins, a renewal, another activation."""
    assert house.vendor is not None
    for _day in range(3):
        assert client.check_in(USAGE).result is Result.ACCEPTED
    house.vendor.renew(issued.license_id, 30)
    client.check_in(USAGE)
    assert serial_of(client) == 2
    assert house.client("late").activate(late.code).result is Result.ACCEPTED


def serial_of(client: LicenseClient) -> int:
    held = client.status().license
    assert held is not None
    return held.serial


def check_forgotten(lost: LicenseClient, code: str) -> None:
    """Expect that a forgotten activation changes nothing, and that the same code makes it anew."""
    assert lost.check_in(USAGE).code == "E_UNKNOWN_ACTIVATION"
    assert lost.verdict(1).mode is Mode.OK
    assert lost.activate(code).result is Result.ACCEPTED
    assert lost.check_in(USAGE).result is Result.ACCEPTED


@contextmanager
def vendor_of(house: House) -> Iterator[Vendor]:
    """Give the vendor's people at work without a program that serves."""
    vendor = open_vendor(house.settings, lambda *_request: pytest.fail("no line"))
    yield vendor
    vendor.database.dispose()


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_backup_is_proved_listed_and_taken_back(house: House) -> None:
    with vendor_of(house) as vendor:
        issued = vendor.sell()
        made = house.command("backup", "run")
        proved = house.command("backup", "verify")
        vendor.sell()

    assert (proved["ok"], proved["level"], proved["id"]) == (True, "drill", made["id"])
    names = {check["name"] for check in proved["checks"]}
    assert {"configuration", "one_server_each", "documents", "database"} <= names
    [listed] = house.command("backup", "list")["items"]
    assert (listed["id"], listed["state"]) == (made["id"], "verified")

    def licenses() -> list[str]:
        items = house.command("license", "list")["items"]
        return [str(item["license_id"]) for item in items]

    assert len(licenses()) == 2
    house.command("backup", "restore", made["id"], "--yes")
    assert licenses() == [issued.license_id]
    house.command("backup", "undo-restore", "--yes")
    assert len(licenses()) == 2


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_after_a_fire_a_home_is_made_of_a_saved_folder_and_the_offline_key(
    house: House, tmp_path: Path
) -> None:
    vendor = house.serve()
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    made = house.command("backup", "run")
    server.check_in()
    house.stop()
    saved = tmp_path / "saved"
    shutil.copytree(house.settings.backups_dir, saved)
    shutil.rmtree(house.home)
    house.home = tmp_path / "new"
    words = ["backup", "restore", made["id"], "--into", str(house.home), "--from", str(saved)]

    house.command(*words, "--signer", str(house.sheet), "--key", str(house.sheet))

    vendor = house.serve()
    server.send = vendor.send
    assert codes(server.check_in()) == ["STATE_RESYNC"]
    assert codes(server.check_in()) == []
    [activation] = vendor.activations(issued.license_id)
    assert activation.forks == 0
    assert not (house.home / "root").exists()
    assert house.command("backup", "run")["id"] != made["id"]


def test_no_backup_holds_root_keys_or_the_passphrase(tmp_path: Path) -> None:
    house = House(tmp_path, "")
    secret = house.home / "passphrase"
    secret.write_text("correct horse battery", "utf8")
    toml = house.home / "authority.toml"
    told = toml.read_text("utf8").replace('passphrase_file = ""', 'passphrase_file = "passphrase"')
    toml.write_text(told, "utf8")
    house.command("backup", "keys", "--to", str(house.sheet))
    made = house.command("backup", "run")

    house.command("backup", "restore", made["id"], "--into", str(tmp_path / "new"))

    names = {
        path.relative_to(tmp_path / "new").as_posix()
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    }
    assert {"authority.toml", "secrets/challenge.key", "trust/keyset.json"} <= names
    assert "passphrase" not in names
    assert not any("root-" in name for name in names)
    assert len([name for name in names if name.startswith("keys/")]) == 3
    plain = (tmp_path / "new" / "keys").rglob("*.pem")
    assert all(b"ENCRYPTED" in path.read_bytes() for path in plain)


def test_without_keys_nothing_is_pretended(console: Console) -> None:
    code, sentence = console.refusal("backup", "run")

    assert (code, "backup keys --to" in sentence) == (3, True)


def test_a_damaged_backup_is_found(tmp_path: Path) -> None:
    house = House(tmp_path, "")
    house.command("backup", "keys", "--to", str(house.sheet))
    made = house.command("backup", "run")
    part = next((house.settings.backups_dir / "sets" / made["id"]).glob("*.age"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)

    code, sentence = house.console.refusal("backup", "verify")

    assert (code, made["id"] in sentence) == (6, True)


@pytest.mark.parametrize("again", [1, 40_000, 2**24 - 1])
def test_a_nonce_tells_its_authority_what_came_with_it(again: int) -> None:
    mint, told = Mint(b"secret"), Told(again, min(again, 65_535))
    nonces = {mint.give("act_one", told) for _number in range(50)}

    assert len(nonces) == 50
    for nonce in nonces:
        assert len(nonce) == 32
        assert mint.recognise("act_one", nonce) == told
        assert mint.recognise("act_two", nonce) is None
        assert Mint(b"another").recognise("act_one", nonce) is None
