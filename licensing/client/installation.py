"""One installation on its disk: what is kept, what it means, and the time that counts. No network."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from licensing.client.clock import ClockDoubt, TimeMarks, advance, doubt, effective_now, later
from licensing.client.compose import About
from licensing.client.instance import InstanceKey, new_instance_key
from licensing.client.ladder import Standing, Verdict, climb
from licensing.client.machine import fingerprint, is_same_machine
from licensing.client.reopen import Reopened, Snapshot, reopen
from licensing.client.state import Pending, State, is_newer, same_lease
from licensing.client.store import Message, Store
from licensing.document.answers import Deactivation, Notice
from licensing.document.errors import Code, NoticeCode
from licensing.document.keyset import load_root_file
from licensing.document.parser import MAX_TIME

_BOOT = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)

Build = Callable[[InstanceKey, Reopened], Pending]


@dataclass(frozen=True)
class ClientConfig:
    """Where this installation keeps its licence and whom it asks.

    `directory` is the `license/` folder itself, `trust_root` the pinned `root.json`; both addresses
    of the authority are tried in order; `ca_bundle` is the customer's own.
    """

    directory: Path
    authority_urls: tuple[str, ...]
    trust_root: Path
    product_version: str
    product: str = "daftar"
    ca_bundle: Path | None = None
    machine_root: Path = Path("/")


def this_boot() -> str:
    """Return the name of the machine's present start; "" where the system has none."""
    try:
        return _BOOT.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@dataclass(frozen=True)
class Clocks:
    """The two clocks of the machine: Unix seconds, and seconds nobody can turn back.

    `boot` names the start of the machine that the second one counts from.
    """

    wall: Callable[[], int]
    monotonic: Callable[[], float]
    boot: Callable[[], str] = this_boot


class Installation:
    """Keeps the licence folder and its meaning in memory. Safe for several threads and processes."""

    def __init__(self, config: ClientConfig, clocks: Clocks) -> None:
        self.config = config
        self.store = Store(config.directory)
        self._clocks = clocks
        self._boot = clocks.boot()
        self._pinned = load_root_file(config.trust_root.read_bytes())
        self._fingerprint = fingerprint(config.product, config.machine_root)
        self._reported: frozenset[str] = frozenset()
        self._stamp = self.store.stamp()
        self._read_at = clocks.monotonic()
        self._reopened = self._read()
        self._finish_what_was_begun()

    def snapshot(self) -> Snapshot:
        """Return what is known, read again if another process has changed it."""
        if self.store.stamp() != self._stamp:
            self.reload()
        return self._reopened.snapshot

    def reload(self) -> Reopened:
        """Read the folder again."""
        # The stamp first: a state published in between is read twice rather than missed.
        self._stamp, self._read_at = self.store.stamp(), self._clocks.monotonic()
        self._reopened = self._read()
        return self._reopened

    def save(self, state: State, key: InstanceKey) -> None:
        """Publish a changed state; call it inside `alone`."""
        marks = state.marks
        if not self._is_of_this_boot(marks):
            marks = replace(marks, boot=self._boot, seen=int(self._clocks.monotonic()))
        self.store.save(replace(state, marks=marks), key)
        self.reload()

    @contextmanager
    def alone(self) -> Iterator[Reopened]:
        """Keep others out and give what is kept now."""
        with self.store.alone():
            yield self.reload()

    def propose(self, build: Build) -> Pending:
        """Build a request and persist it. Only then may it be sent."""
        with self.alone() as opened:
            held = self.store.load().key
            key = new_instance_key() if held is None else held
            pending = build(key, opened)
            if held is None:
                self.store.keep_key(key)  # only now: nobody who asks for nothing makes an identity
            if pending != opened.state.pending:
                self.save(replace(opened.state, pending=pending), key)
        return pending

    def bury(self, proof: Deactivation, state: State) -> None:
        """Keep the proof for good and destroy the instance key; call it inside `alone`.

        Killed in between, the next start finds a state no key vouches for, and the proof proves itself.
        """
        self.store.keep_receipt(proof.activation_id, (state.receipt or "").encode())
        self.save(state, self.store.renew_key())

    def now(self) -> int:
        """Return the effective time."""
        marks = self._reopened.snapshot.marks
        return effective_now(marks, self.wall(), self._elapsed(marks))

    def wall(self) -> int:
        """Return what the wall clock says, within the times that documents can carry."""
        return max(0, min(self._clocks.wall(), MAX_TIME))

    def clock_doubt(self) -> ClockDoubt | None:
        """Tell what looks wrong with the wall clock."""
        marks = self._reopened.snapshot.marks
        return doubt(marks, self.wall(), self._elapsed(marks))

    def verdict(self, named_used: int, now: int | None = None) -> Verdict:
        """Climb the ladder with what is in memory; touches no file."""
        snapshot, at = self._reopened.snapshot, self.now() if now is None else now
        suspicion = self.clock_doubt()
        local = () if suspicion is None else (Notice(suspicion, at, ""),)
        standing = Standing(
            license=snapshot.license,
            lease=snapshot.lease,
            terminal=snapshot.terminal,
            named_used=named_used,
            seats_over_since=snapshot.seats_over_since,
            notices=(*snapshot.notices, *local),
        )
        return climb(standing, at)

    def tick(self, named_used: int) -> None:
        """Remember the time that has run and since when there are more users than seats."""
        with self.store.alone():
            # Not `reload` yet: where the marks cannot tell, time counts from our own last reading.
            opened = self._read()
            key = self.store.load().key
            # Without a licence there is nothing to count, and what is left of it must not be lost.
            if key is None or not opened.snapshot.is_activated or opened.snapshot.license is None:
                return
            for problem in opened.snapshot.problems:  # saving mends what they are about
                self._write_down("local", problem.code, problem.message)
            marks = self._advanced(opened.state.marks)
            over = self._over_since(opened.snapshot, named_used)
            self.save(replace(opened.state, marks=marks, seats_over_since=over), key)

    def agree(self, mirror: bytes | None) -> bool:
        """Take from a copy of the state what is ahead of the file: a newer lease, or later marks.

        Tells whether the copy held a newer one, which is worth reporting. A disk that refuses is
        logged, and the next minute tries again.
        """
        try:
            with self.alone() as opened:
                kept = self.store.load()
                offered = self.store.read_mirror(mirror, kept.key) if mirror and kept.key else None
                if offered is None or kept.key is None:
                    return False
                ahead = is_newer(offered, opened.state) or (
                    not kept.vouched and not is_newer(opened.state, offered)
                )
                merged = self._merged(opened.state, offered, ahead=ahead)
                if merged != opened.state:
                    self.save(merged, kept.key)
        except OSError as error:
            log.error("The licence state could not be written: %s", error)  # noqa: TRY400 - the disk's word is enough
            return False
        if ahead:
            self.note("local", Code.E_STATE_TAMPERED, "The mirror in the database was newer.")
        return ahead

    def _merged(self, ours: State, theirs: State, *, ahead: bool) -> State:
        taken = theirs if ahead else ours
        if not same_lease(ours, theirs):
            return taken
        here, there = self._advanced(ours.marks), self._advanced(theirs.marks)
        won = later(here, there)
        if won == here and not ahead:
            return ours
        return replace(taken, marks=won)

    def about(self) -> About:
        """Return what a request says about this installation, read anew."""
        self._fingerprint = fingerprint(self.config.product, self.config.machine_root)
        return About(
            fingerprint=self._fingerprint,
            product_version=self.config.product_version,
            wall=self.wall(),
            suspect=self.clock_doubt() is not None,
        )

    def confirm_machine(self) -> None:
        """Take the fingerprint of today as the one to compare with, after a person confirmed it."""
        with self.alone() as opened:
            key = self.store.load().key
            if key is not None:
                self.save(replace(opened.state, fingerprint=self.about().fingerprint), key)

    def note(self, direction: str, kind: str, text: str) -> None:
        """Write one line of the message log."""
        with self.store.alone():
            self._write_down(direction, kind, text)

    def _write_down(self, direction: str, kind: str, text: str) -> None:
        try:
            self.store.log_message(Message(self.wall(), direction, kind, text))
        except OSError as error:  # a full disk must not keep us from speaking to the vendor
            log.warning("A message could not be written down: %s", error)

    def _finish_what_was_begun(self) -> None:
        """Do at start what a killed process could not: end a burial, begin to count this boot's time."""
        snapshot = self._reopened.snapshot
        is_counted = not snapshot.is_activated or self._is_of_this_boot(snapshot.marks)
        if is_counted and not _is_half_buried(snapshot):
            return
        try:
            with self.alone() as opened:
                kept = self.store.load()
                if kept.key is None or not kept.vouched:
                    return
                if opened.snapshot.receipt is not None and _is_half_buried(opened.snapshot):
                    self.bury(opened.snapshot.receipt, opened.state)
                else:
                    self.save(opened.state, kept.key)
        except OSError as error:
            log.warning("The licence state could not be written: %s", error)

    def _is_of_this_boot(self, marks: TimeMarks) -> bool:
        # Seconds from the future are of a machine that was set back as a whole, memory and all.
        return marks.boot == self._boot != "" and marks.seen <= int(self._clocks.monotonic())

    def _elapsed(self, marks: TimeMarks) -> int:
        run = self._clocks.monotonic()
        if self._is_of_this_boot(marks):
            return int(run) - marks.seen
        return max(0, int(run - self._read_at))

    def _advanced(self, marks: TimeMarks) -> TimeMarks:
        now = advance(marks, self.wall(), self._elapsed(marks))
        return replace(now, boot=self._boot, seen=int(self._clocks.monotonic()))

    def _over_since(self, snapshot: Snapshot, named_used: int) -> int | None:
        if snapshot.license is None or named_used <= snapshot.license.at(self.now()).seats.named:
            return None
        return self.now() if snapshot.seats_over_since is None else snapshot.seats_over_since

    def _read(self) -> Reopened:
        opened = reopen(self.store.load(), self._pinned)
        self._report(opened.snapshot)
        return replace(opened, snapshot=self._with_machine(opened))

    def _with_machine(self, opened: Reopened) -> Snapshot:
        snapshot, confirmed = opened.snapshot, opened.state.fingerprint
        if snapshot.activation is None:
            return snapshot
        known = snapshot.activation.fingerprint if confirmed is None else confirmed
        if is_same_machine(known, self._fingerprint):
            return snapshot
        changed = Notice(NoticeCode.FINGERPRINT_CHANGED, snapshot.marks.signed, "")
        return replace(snapshot, same_machine=False, notices=(*snapshot.notices, changed))

    def _report(self, snapshot: Snapshot) -> None:
        codes = frozenset(problem.code.value for problem in snapshot.problems)
        for problem in snapshot.problems:
            if problem.code.value not in self._reported:
                log.warning("Licence state: %s %s", problem.code, problem.message)
        self._reported = codes


def _is_half_buried(snapshot: Snapshot) -> bool:
    """Tell whether the proof is here and the instance key lives on."""
    ended, activation = snapshot.receipt, snapshot.activation
    return (
        ended is not None
        and activation is not None
        and activation.activation_id == ended.activation_id
        and activation.instance_pub == snapshot.instance_pub
    )
