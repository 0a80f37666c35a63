"""How long a licence serves without contact, whatever is done to clocks, files and processes.

The bound of licensing.md §6 and §7, for somebody who may stop, kill and restart the product and the
machine, turn the wall clock, and restore, edit or delete the file and its copy in the database:

    writing time <= (lease_ttl_s + read_only_after_s) * (1 + setbacks) + 60 s * acts

An *act* is a kill, a restart or an exchange of a copy: it may cost the minute that was not persisted yet.
A *setback* is an exchange of both copies, while nothing runs, by ones that cannot tell how much time this
start of the machine has seen. Nothing on the machine is left then that knows better; it takes the
work recorded meanwhile along when the whole database is restored, and the vendor sees a resync.
"""

import json
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import SEVERITY
from licensing.client.transport import Fault, Reply, Result, Transport, Unreachable
from licensing.document.requests import Mode
from tests.licensing.client.stage import DONE, USAGE, activated
from tests.licensing.client.vendor import DAY, NOW, Vendor, machine

WRITING = SEVERITY[: SEVERITY.index(Mode.READ_ONLY)]
HORIZON = 21 * DAY
MINUTE = 60
FAR = st.sampled_from([0, NOW - 400 * DAY, NOW, NOW + 20 * DAY, NOW + 70 * 365 * DAY])
SPAN = st.sampled_from([MINUTE, 3_600, DAY, 5 * DAY, 21 * DAY])
SHORT = st.integers(0, MINUTE)
WHICH = st.integers(0, 10_000)


class Line(Transport):
    """A line inside the process that can be cut; then a recorded answer may be played into it."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(())
        self.vendor = vendor
        self.is_cut = False
        self.recorded = b""

    def get(self, path: str) -> Result:
        if self.is_cut:
            return Unreachable(Fault.TCP, "cut")
        if path == "v1/keyset":
            return Reply(self.vendor.served_keyset)
        if path == "v1/challenge":
            return Reply(b'{"challenge":"n.1.m","server_time":1}')
        return Unreachable(Fault.HTTP, "no newer root")

    def post(self, path: str, body: bytes) -> Result:
        if self.is_cut:
            return Reply(self.recorded) if self.recorded else Unreachable(Fault.TCP, "cut")
        return Reply(self.vendor.answer(f"/{path}", body))


class Cheat(RuleBasedStateMachine):
    """A server whose line was cut after a check-in, and whose owner wants it to write for ever."""

    @initialize()
    def contact(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=memory_disk())
        home, self.vendor = Path(self.folder.name), Vendor()
        (home / "root.json").write_bytes(self.vendor.root_file())
        self.config = ClientConfig(
            directory=home / "license",
            authority_urls=(),
            trust_root=home / "root.json",
            product_version="0.1.0",
            machine_root=machine(home / "machine"),
        )
        self.line = Line(self.vendor)
        self.wall, self.run, self.boot = NOW, 1_000.0, 1
        self.client = self.started()
        self.mirror: bytes | None = None
        self.is_up = True
        self.written, self.acts, self.setbacks = 0, 0, 0
        activated(self.client)
        self.minute()
        self.files: list[tuple[bytes, int]] = [(self.state.read_bytes(), 0)]
        self.mirrors: list[tuple[bytes, int]] = [(self.mirror or b"", 0)]
        self.client.export_check_in(USAGE)
        self.keep_copies()
        self.wall += DAY
        self.vendor.now += DAY
        assert self.client.check_in(USAGE) == DONE
        self.line.is_cut, self.line.recorded = True, self.vendor.last_lease
        self.minute()
        self.keep_copies()
        # Copies from before the contact were made in this start of the machine and know its time.
        self.is_file_blind = self.is_mirror_blind = False

    @property
    def state(self) -> Path:
        return self.config.directory / "state.json"

    def teardown(self) -> None:
        self.folder.cleanup()

    def started(self) -> LicenseClient:
        clocks = Clocks(lambda: self.wall, lambda: self.run, lambda: f"boot-{self.boot}")
        return LicenseClient(self.config, clocks, self.line)

    def minute(self) -> None:
        """Do what the scheduler does each minute."""
        self.client.agree(self.mirror)
        self.client.tick(1)
        self.mirror = self.client.mirror() or self.mirror

    # Time

    @rule(seconds=SPAN)
    def serve(self, seconds: int) -> None:
        """Serve for a while, the scheduler with it."""
        self.spend(seconds)
        if self.is_up:
            self.minute()
            self.is_file_blind = self.is_mirror_blind = False

    @rule(seconds=SHORT)
    def serve_less_than_a_minute(self, seconds: int) -> None:
        self.spend(seconds)

    def spend(self, seconds: int) -> None:
        lease = self.client.status().lease  # the server looks for a changed file every second
        if self.is_up and self.client.verdict(1).mode in WRITING:
            assert lease is not None
            left = lease.issued_at + HORIZON - self.client.effective_now()
            self.written += min(seconds, left)
        self.wall += seconds
        self.run += seconds

    @rule(wall=FAR)
    def turn_the_clock(self, wall: int) -> None:
        self.wall = wall

    # Processes

    @rule()
    def kill(self) -> None:
        self.is_up = False
        self.acts += 1

    @rule()
    def start(self) -> None:
        if not self.is_up:
            self.notice_a_setback()
            self.client = self.started()
            self.client.agree(self.mirror)
            self.is_up = True

    @rule()
    def start_the_machine_anew(self) -> None:
        self.is_up = False
        self.acts += 1
        self.boot += 1
        self.run = 0.0

    def notice_a_setback(self) -> None:
        if self.is_file_blind and self.is_mirror_blind:
            self.setbacks += 1
        self.is_file_blind = self.is_mirror_blind = False

    # Copies

    @rule()
    def keep_copies(self) -> None:
        if self.state.exists():
            self.files.append((self.state.read_bytes(), self.boot))
        if self.mirror is not None:
            self.mirrors.append((self.mirror, self.boot))

    @rule(which=WHICH)
    def restore_the_file(self, which: int) -> None:
        raw, boot = self.files[which % len(self.files)]
        self.state.write_bytes(raw)
        self.touched(is_file=True, is_blind=boot != self.boot)

    @rule(which=WHICH)
    def restore_the_database(self, which: int) -> None:
        self.mirror, boot = self.mirrors[which % len(self.mirrors)]
        self.touched(is_file=False, is_blind=boot != self.boot)

    @rule()
    def delete_the_file(self) -> None:
        self.state.unlink(missing_ok=True)
        self.touched(is_file=True, is_blind=True)

    @rule()
    def delete_the_row(self) -> None:
        self.mirror = None
        self.touched(is_file=False, is_blind=True)

    @rule()
    def edit_the_file(self) -> None:
        if self.state.exists():
            outer = json.loads(self.state.read_bytes())
            changed = outer["state"].replace('"running":', '"running": ')
            self.state.write_text(json.dumps({**outer, "state": changed}))
            self.touched(is_file=True, is_blind=True)

    @rule()
    def play_the_recorded_answer(self) -> None:
        if self.is_up:
            self.client.check_in(USAGE)

    def touched(self, *, is_file: bool, is_blind: bool) -> None:
        self.acts += 1
        if is_file:
            self.is_file_blind = is_blind
        else:
            self.is_mirror_blind = is_blind
        if self.is_up:
            self.notice_a_setback_under_way()

    def notice_a_setback_under_way(self) -> None:
        if self.is_file_blind and self.is_mirror_blind:
            self.setbacks += 1
            self.is_file_blind = self.is_mirror_blind = False

    @invariant()
    def the_bound_holds(self) -> None:
        if hasattr(self, "written"):
            bound = HORIZON * (1 + self.setbacks) + MINUTE * (1 + self.acts)
            assert self.written <= bound, f"{self.written - bound} s too much"


def memory_disk() -> str | None:
    """Return a folder in memory where there is one: durability is not what is tried here."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - of this machine, not ours


TestCheat = Cheat.TestCase
TestCheat.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
