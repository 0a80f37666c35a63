"""Customers' servers on the stage: the product's own client, on a line into this process, where time moves."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import time_machine

from licensing.authority.licenses.queries import look_up
from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.client.outcome import Outcome, Result
from licensing.client.transport import Reply, Transport, Unsigned
from licensing.client.transport import Result as LineResult
from licensing.document.license import License
from licensing.document.requests import Mode, Usage
from server.core import clock
from tests.licensing.authority.stage import Vendor
from tests.licensing.client.vendor import machine

DAY = 86_400
USAGE = Usage(named=1, peak_concurrent=1, service=0)

OK = (Mode.OK, Reason.FRESH)

Answer = Callable[[str, bytes], bytes | None]


class Line(Transport):
    """A line into the authority of this process. `thief` may answer in its place."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(("http://authority.invalid",))
        self._vendor = vendor
        self.thief: Answer = lambda _path, _body: None

    def get(self, path: str) -> LineResult:
        return self._ask("GET", path, None)

    def post(self, path: str, body: bytes) -> LineResult:
        forged = self.thief(path, body)
        return self._ask("POST", path, body) if forged is None else Reply(forged)

    def _ask(self, method: str, path: str, body: bytes | None) -> LineResult:
        answer = self._vendor.send(method, f"/{path}", body)
        if answer.status == 200:
            return Reply(answer.body)
        return Unsigned(answer.status, f"HTTP_{answer.status}", "")


@dataclass
class Server:
    """One server of a customer: its folder, its machine, its line."""

    vendor: Vendor
    folder: Path
    version: str = "0.1.0"
    line: Line = field(init=False)
    client: LicenseClient = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self.vendor)
        self.start()

    def start(self) -> None:
        """Start the product anew on what its disk holds."""
        config = ClientConfig(
            directory=self.folder / "license",
            authority_urls=("http://authority.invalid",),
            trust_root=self.vendor.settings.trust_dir / "root.json",
            product_version=self.version,
            machine_root=another_machine(self.folder),
        )
        clocks = Clocks(clock.timestamp, lambda: float(clock.timestamp()))
        self.client = LicenseClient(config, clocks, self.line)

    def activate(self, code: str) -> Outcome:
        return self.client.activate(code)

    def check_in(self, named: int = 1) -> Outcome:
        return self.client.check_in(Usage(named=named, peak_concurrent=1, service=0))

    def stands(self, named: int = 1) -> tuple[Mode, Reason]:
        """Return mode and reason now."""
        verdict = self.client.verdict(named)
        return verdict.mode, verdict.reason

    @property
    def license(self) -> License:
        sold = self.client.status().license
        assert sold is not None
        return sold


Install = Callable[[str], Server]


def another_machine(root: Path) -> Path:
    """Lay out a machine that shares nothing with any other."""
    if not (root / "etc").exists():
        machine(root, machine_id=uuid4().hex)
        for name in ("product_uuid", "board_serial"):
            (root / "sys/class/dmi/id" / name).write_text(str(uuid4()), "utf8")
        (root / "sys/class/net/eth0/address").write_text(
            f"00:1a:{uuid4().hex[:2]}:16:{uuid4().hex[:2]}:59", "utf8"
        )
    return root


def same_machine(root: Path, other: Path) -> None:
    """Let `root` be the machine that `other` is, with an empty disk."""
    for name in ("etc", "sys"):
        shutil.copytree(other / name, root / name)


def at(moment: int | datetime) -> time_machine.travel:
    """Travel to a moment; the clock goes on."""
    aware = datetime.fromtimestamp(moment, UTC) if isinstance(moment, int) else moment
    return time_machine.travel(aware)


def later(**time: int) -> time_machine.travel:
    """Travel so far from now; the clock goes on."""
    return time_machine.travel(clock.now() + timedelta(**time))


def is_well(outcome: Outcome) -> bool:
    return outcome.result is Result.ACCEPTED


def end_of(vendor: Vendor, license_id: str) -> int:
    """Return the last second that was sold."""
    with vendor.database.read() as session:
        return look_up(session, license_id).expires_at or 0
