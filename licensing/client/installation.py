"""One installation on its disk: what is kept, what it means, and the time that counts. No network."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from licensing.client.clock import ClockDoubt, advance, doubt, effective_now
from licensing.client.compose import About
from licensing.client.instance import InstanceKey
from licensing.client.ladder import Standing, Verdict, climb
from licensing.client.machine import fingerprint, is_same_machine
from licensing.client.reopen import Reopened, Snapshot, reopen
from licensing.client.state import Pending, State
from licensing.client.store import Message, Store
from licensing.document.answers import Deactivation, Notice
from licensing.document.errors import NoticeCode
from licensing.document.keyset import load_root_file

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


@dataclass(frozen=True)
class Clocks:
    """The two clocks of the machine: Unix seconds, and seconds nobody can turn back."""

    wall: Callable[[], int]
    monotonic: Callable[[], float]


class Installation:
    """Keeps the licence folder and its meaning in memory. Safe for several threads and processes."""

    def __init__(self, config: ClientConfig, clocks: Clocks) -> None:
        self.config = config
        self.store = Store(config.directory)
        self._clocks = clocks
        self._pinned = load_root_file(config.trust_root.read_bytes())
        self._fingerprint = fingerprint(config.product, config.machine_root)
        self._reported: frozenset[str] = frozenset()
        self._stamp = self.store.stamp()
        self._read_at = clocks.monotonic()
        self._reopened = self._read()

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
        self.store.save(state, key)
        self.reload()

    @contextmanager
    def alone(self) -> Iterator[Reopened]:
        """Keep others out and give what is kept now."""
        with self.store.alone():
            yield self.reload()

    def propose(self, build: Build) -> Pending:
        """Build a request and persist it. Only then may it be sent."""
        with self.alone() as opened:
            key = self.store.ensure_key()
            pending = build(key, opened)
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
        return effective_now(self._reopened.snapshot.marks, self._clocks.wall(), self._elapsed())

    def clock_doubt(self) -> ClockDoubt | None:
        """Tell what looks wrong with the wall clock."""
        return doubt(self._reopened.snapshot.marks, self._clocks.wall(), self._elapsed())

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
        elapsed = self._elapsed()
        with self.store.alone():
            # Not `reload` yet: the time of this process counts from its own last reading.
            opened = self._read()
            key = self.store.load().key
            if key is None or not opened.snapshot.is_activated or opened.snapshot.problems:
                return
            marks = advance(opened.state.marks, self._clocks.wall(), elapsed)
            over = self._over_since(opened.snapshot, named_used)
            self.save(replace(opened.state, marks=marks, seats_over_since=over), key)

    def about(self) -> About:
        """Return what a request says about this installation, read anew."""
        self._fingerprint = fingerprint(self.config.product, self.config.machine_root)
        return About(
            fingerprint=self._fingerprint,
            product_version=self.config.product_version,
            wall=self._clocks.wall(),
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
            self.store.log_message(Message(self._clocks.wall(), direction, kind, text))

    def _elapsed(self) -> int:
        return max(0, int(self._clocks.monotonic() - self._read_at))

    def _over_since(self, snapshot: Snapshot, named_used: int) -> int | None:
        if snapshot.license is None or named_used <= snapshot.license.seats.named:
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
