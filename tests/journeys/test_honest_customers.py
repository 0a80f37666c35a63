"""Honest customers, with the product's own client and the vendor's own authority; only the clocks are moved.

Nobody here is ever locked out of the licence, and nobody has to call the vendor.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.client.outcome import Outcome, Result
from licensing.client.transport import Fault, Reply, Transport, Unreachable
from licensing.client.transport import Result as Sent
from licensing.document.documents import Role
from licensing.document.requests import DeactivationReason, Mode, Usage
from server.core import clock
from tests.licensing.authority.conftest import found_here, vendor_here  # noqa: F401 - fixtures
from tests.licensing.authority.stage import Vendor
from tests.licensing.client.vendor import machine

USAGE = Usage(named=3, peak_concurrent=2, service=0)
DONE = Outcome(Result.ACCEPTED)
MINUTE, DAY = 60, 86_400


class Wire(Transport):
    """The line between the two, which can be cut in either direction."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(())
        self._vendor = vendor
        self.is_cut = False
        self.loses_replies = False

    def get(self, path: str) -> Sent:
        return self._sent("GET", path, None)

    def post(self, path: str, body: bytes) -> Sent:
        return self._sent("POST", path, body)

    def _sent(self, method: str, path: str, body: bytes | None) -> Sent:
        if self.is_cut:
            return Unreachable(Fault.TCP, "cut")
        answer = self._vendor.send(method, f"/{path}", body)
        if self.loses_replies and method == "POST":
            return Unreachable(Fault.TIMEOUT, "the reply was lost")
        if answer.status != 200:
            return Unreachable(Fault.HTTP, str(answer.status))
        return Reply(answer.body)


@dataclass
class Home:
    """A customer's server: its folder, its machine, its database's copy of the state, its line."""

    vendor: Vendor
    config: ClientConfig
    wire: Wire
    time: time_machine.Traveller
    run: float = 5_000.0
    boot: str = "boot-1"
    mirror: bytes | None = None
    client: LicenseClient = None  # type: ignore[assignment]  # started right after

    def start(self) -> "Home":
        """Start the product (again)."""
        clocks = Clocks(clock.timestamp, lambda: self.run, lambda: self.boot)
        self.client = LicenseClient(self.config, clocks, self.wire)
        self.minute()
        return self

    def minute(self) -> None:
        """Do what the scheduler does each minute."""
        self.client.agree(self.mirror)
        self.client.tick(USAGE.named)
        self.mirror = self.client.mirror() or self.mirror

    def live(self, days: int = 1, every: int = 1) -> list[Outcome]:
        """Live for so many days, with a check-in `every` so many."""
        outcomes = []
        for _time in range(days // every):
            self.pass_time(every * DAY)
            outcomes.append(self.client.check_in(USAGE))
            self.minute()
        return outcomes

    def pass_time(self, seconds: int) -> None:
        self.time.shift(timedelta(seconds=seconds))
        self.run += seconds

    @property
    def mode(self) -> Mode:
        return self.client.verdict(USAGE.named).mode

    def notices(self) -> list[str]:
        """Return what is told, but for the vendor's new keys, which are no trouble."""
        found = [notice.code for notice in self.client.verdict(USAGE.named).notices]
        return [code for code in found if code != "KEY_ROTATION"]

    def disk(self) -> dict[str, bytes]:
        """Return the licence folder, as a snapshot of the whole machine holds it."""
        folder = self.config.directory
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def restore_disk(self, kept: dict[str, bytes]) -> None:
        shutil.rmtree(self.config.directory)
        self.config.directory.mkdir()
        for name, raw in kept.items():
            (self.config.directory / name).write_bytes(raw)


Settle = Callable[[str], Home]


@pytest.fixture
def travels() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def settle(
    vendor_here: Vendor,  # noqa: F811 - the fixture
    travels: time_machine.Traveller,
    tmp_path: Path,
) -> Settle:
    """Return a function that sets up a server on a machine of its own."""

    def make(name: str) -> Home:
        root = machine(tmp_path / name / "machine", machine_id=uuid4().hex)
        for part in ("product_uuid", "board_serial"):
            (root / "sys/class/dmi/id" / part).write_text(str(uuid4()), "utf8")
        config = ClientConfig(
            directory=tmp_path / name / "license",
            authority_urls=(),
            trust_root=vendor_here.settings.trust_dir / "root.json",
            product_version="0.1.0",
            machine_root=root,
        )
        return Home(vendor_here, config, Wire(vendor_here), travels).start()

    return make


@pytest.fixture
def home(settle: Settle) -> Home:
    """Give an activated server with a licence of two years."""
    found = settle("home")
    issued = found.vendor.sell(days=730)
    assert found.client.activate(issued.code) == DONE
    found.minute()
    return found


def license_id(home: Home) -> str:
    sold = home.client.status().license
    assert sold is not None
    return sold.license_id


def test_thirty_days_without_internet(home: Home) -> None:
    """Full use for 21 days, then reading and exporting; one check-in ends it (licensing.md §7)."""
    home.live(5)
    home.wire.is_cut = True
    seen = []
    for _day in range(30):
        home.live()
        seen.append(home.mode)

    assert seen[:6] == [Mode.OK] * 6
    assert seen[6:13] == [Mode.WARN_ADMIN] * 7
    assert seen[13:20] == [Mode.WARN_USERS] * 7
    assert seen[20:] == [Mode.READ_ONLY] * 10
    home.wire.is_cut = False
    assert home.live() == [DONE]
    assert home.mode is Mode.OK
    assert home.notices() == []
    assert home.vendor.flags(license_id(home)) == []


def test_a_server_that_was_switched_off_for_a_summer(home: Home) -> None:
    home.live(2)
    home.time.shift(timedelta(days=60))  # the monotonic clock stood still
    home.run, home.boot = 10.0, "boot-2"
    home.start()

    assert home.mode == "locked"
    assert home.client.check_in(USAGE) == DONE
    assert home.mode == "ok"


def test_a_snapshot_of_the_machine_reverted_every_month_for_a_year(home: Home) -> None:
    for month in range(12):
        if month % 2:
            home.vendor.rotate(Role.LEASE)
        snapshot, mirror = home.disk(), home.mirror
        home.live(20, every=4)
        home.restore_disk(snapshot)
        home.mirror, home.boot = mirror, f"revert-{month}"
        home.start()
        assert home.mode in (Mode.OK, Mode.WARN_ADMIN, Mode.WARN_USERS)
        assert home.client.check_in(USAGE) == DONE
        assert home.notices() == ["STATE_RESYNC"]
        assert home.live(10, every=5) == [DONE] * 2
        assert home.mode is Mode.OK
        assert home.notices() == []

    assert home.vendor.flags(license_id(home)) == []


def test_a_network_card_is_changed(home: Home) -> None:
    (home.config.machine_root / "sys/class/net/eth0/address").write_text("00:1b:21:3c:9d:f8\n")
    home.start()

    assert home.live(3) == [DONE] * 3
    assert home.mode is Mode.OK
    assert home.notices() == []
    assert home.vendor.flags(license_id(home)) == []


def test_a_container_gets_a_new_machine_id_every_day(home: Home) -> None:
    """Only the data directory lasts; everything that names the machine is new."""
    for _day in range(5):
        root = home.config.machine_root
        (root / "etc/machine-id").write_text(uuid4().hex + "\n")
        for part in ("product_uuid", "board_serial"):
            (root / "sys/class/dmi/id" / part).unlink(missing_ok=True)
        home.start()
        assert home.live() == [DONE]
        assert home.mode is Mode.OK


def test_a_wholly_new_machine_under_the_same_data_is_told_and_stops_nothing(home: Home) -> None:
    home.config = replace(home.config, machine_root=machine(home.config.directory / "other"))
    home.start()

    assert home.live(2) == [DONE] * 2
    assert home.mode is Mode.OK
    assert "FINGERPRINT_CHANGED" in home.notices()
    home.client.confirm_machine()
    assert home.notices() == []


@pytest.mark.parametrize("what", ["file", "database", "both"])
def test_a_backup_is_restored(home: Home, what: str) -> None:
    home.live(3)
    disk, mirror = home.disk(), home.mirror
    home.live(9)
    if what in ("file", "both"):
        home.restore_disk(disk)
    if what in ("database", "both"):
        home.mirror = mirror
    home.start()

    assert home.mode in (Mode.OK, Mode.WARN_ADMIN)
    assert home.client.check_in(USAGE) == DONE
    assert home.notices() == (["STATE_RESYNC"] if what == "both" else [])
    assert home.live(2) == [DONE] * 2
    assert home.mode is Mode.OK
    assert home.vendor.flags(license_id(home)) == []


def test_the_database_is_restored_to_a_new_data_directory_on_the_same_server(home: Home) -> None:
    """The backup holds no instance key, but the key stayed on the server."""
    home.live(3)
    key, mirror = home.config.directory / "instance.key", home.mirror
    safe = key.read_bytes()
    shutil.rmtree(home.config.directory)
    home.config.directory.mkdir()
    key.write_bytes(safe)
    home.mirror = mirror
    home.start()

    assert home.mode is Mode.OK
    assert home.live(2) == [DONE] * 2
    assert home.notices() == []


def test_every_reply_is_lost_the_first_time(home: Home) -> None:
    for _day in range(20):
        home.pass_time(DAY)
        home.wire.loses_replies = True
        assert home.client.check_in(USAGE).result is Result.UNREACHABLE
        home.wire.loses_replies = False
        home.pass_time(MINUTE)
        assert home.client.check_in(USAGE) == DONE
        assert home.notices() == []
    assert home.mode is Mode.OK


def test_the_activations_reply_is_lost_and_the_code_is_typed_again(settle: Settle) -> None:
    server = settle("unlucky")
    issued = server.vendor.sell()
    server.wire.loses_replies = True
    for _try in range(3):
        assert server.client.activate(issued.code).result is Result.UNREACHABLE
        server.pass_time(3_600)
        server.start()
    server.wire.loses_replies = False

    assert server.client.activate(issued.code) == DONE
    assert server.mode is Mode.OK
    assert len(server.vendor.activations(issued.license_id)) == 1


def test_the_server_moves_to_new_hardware_as_planned(home: Home, settle: Settle) -> None:
    issued = home.vendor.sell()
    old = settle("old")
    assert old.client.activate(issued.code) == DONE
    old.live(3)
    assert old.client.deactivate(DeactivationReason.MOVE, USAGE) == DONE
    assert old.client.verdict(3).reason is Reason.DEACTIVATED

    new = settle("new")
    new.mirror = old.mirror  # the database came along; its copy of the state is the old server's

    new.start()
    assert new.client.activate(issued.code) == DONE
    new.minute()
    assert new.live(3) == [DONE] * 3
    assert new.mode is Mode.OK
    assert home.mode is Mode.OK


def test_the_clock_of_the_server_is_wrong_for_a_month_and_right_again(home: Home) -> None:
    with time_machine.travel(clock.now() - timedelta(days=400), tick=False):
        home.start()
        assert home.mode is Mode.OK
        assert "CLOCK_BACK" in home.notices()
    home.start()
    assert home.live(3) == [DONE] * 3
    assert home.notices() == []


def test_half_a_year_of_everything(home: Home) -> None:
    """Monthly reverts, lost replies, reboots, restored backups and a week offline, all in one life."""
    for month in range(6):
        if month % 2:
            home.vendor.rotate(Role.LEASE)
        snapshot, mirror = home.disk(), home.mirror
        home.live(8, every=4)
        home.wire.loses_replies = True
        home.live(1)
        home.wire.loses_replies = False
        home.run, home.boot = 3.0, f"reboot-{month}"
        home.start()
        home.live(3, every=3)
        home.restore_disk(snapshot)
        home.mirror, home.boot = mirror, f"revert-{month}"
        home.start()
        home.live(4, every=2)
        home.wire.is_cut = True
        home.live(7, every=7)
        home.wire.is_cut = False
        home.live(7, every=7)
        assert home.mode is Mode.OK

    assert home.vendor.flags(license_id(home)) == []
