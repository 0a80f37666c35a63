"""From kept bytes to what they mean: trust is rebuilt, documents are verified again. Reads no file."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from licensing.client.clock import TimeMarks
from licensing.client.ladder import Reason
from licensing.client.state import RequestKind, State
from licensing.client.store import Kept, Problem
from licensing.document.answers import Activation, Deactivation, Denial, Lease, Notice
from licensing.document.documents import RoleDocument, open_body
from licensing.document.envelope import load_envelope, signing_keys
from licensing.document.errors import Code, DocumentError
from licensing.document.keyset import Root
from licensing.document.license import License
from licensing.document.trust import Trust

DocumentT = TypeVar("DocumentT", bound=RoleDocument)

_TERMINAL: dict[str, Reason] = {
    Code.E_SUPERSEDED: Reason.SUPERSEDED,
    Code.E_DEACTIVATED: Reason.DEACTIVATED,
    Code.E_CLONE_SUSPECTED: Reason.CLONE_HOLD,
    Code.E_SUSPENDED: Reason.SUSPENDED,
    Code.E_REVOKED: Reason.REVOKED,
}


@dataclass(frozen=True)
class Snapshot:
    """What this installation knows of its licence at one moment. Plain data, safe to keep.

    `terminal` is the reason of the last signed word that ended the activation, `denial` that word.
    `head` is the lease that the next request continues: of one under a revoked key nothing is believed,
    but the vendor recognises its own chain.
    `problems` are about what is kept here; they are told to the administrator and lock nothing.
    """

    license: License | None = None
    activation: Activation | None = None
    lease: Lease | None = None
    head: Lease | None = None
    denial: Denial | None = None
    receipt: Deactivation | None = None
    terminal: Reason | None = None
    pending: RequestKind | None = None
    instance_pub: bytes | None = None
    keyset_version: int | None = None
    marks: TimeMarks = field(default_factory=TimeMarks)
    seats_over_since: int | None = None
    same_machine: bool = True
    notices: tuple[Notice, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_activated(self) -> bool:
        """Tell whether there is an activation that no signed word has ended."""
        return self.activation is not None and self.lease is not None and self.terminal is None

    @property
    def may_check_in(self) -> bool:
        """Tell whether there is something to ask, also in a mode that only a newer answer ends."""
        return self.head is not None and self.terminal is not Reason.DEACTIVATED

    @property
    def last_contact_at(self) -> int | None:
        """Return when the last lease was issued, in signed time."""
        return self.lease.issued_at if self.lease else None


@dataclass(frozen=True)
class Reopened:
    """A snapshot, the trust it was verified under, and the state without what did not hold."""

    snapshot: Snapshot
    trust: Trust
    state: State


def reopen(kept: Kept, pinned: Root) -> Reopened:
    """Return the meaning of what is kept, under the root that came with the product."""
    opener = _Opener(kept, pinned)
    state = kept.state
    activation = opener.activation(state.activation)
    ended = opener.open(state.receipt, Deactivation)
    bound = ended is not None or activation is None or _is_ours(activation, kept)
    if not bound:
        opener.problem(Code.E_WRONG_INSTANCE, "The licence was activated by another installation.")
    license_, lease = opener.open(state.license, License), opener.open(state.lease, Lease)
    head = opener.head(state.lease, lease)
    if activation is None or not bound:
        activation, lease, head = None, None, None
    denial = opener.open(state.denial, Denial)
    clean = _clean(
        state, [license_ is None, activation is None, head is None, denial is None, ended is None]
    )
    snapshot = Snapshot(
        license=license_,
        activation=activation,
        lease=lease,
        head=head,
        denial=denial,
        receipt=ended,
        terminal=_terminal(state, denial, ended),
        pending=state.pending.kind if state.pending else None,
        instance_pub=kept.key.public_key if kept.key else None,
        keyset_version=opener.trust.keyset.document.version if opener.trust.keyset else None,
        marks=_marks(state, lease),
        seats_over_since=state.seats_over_since,
        notices=lease.notices if lease else (),
        problems=tuple(opener.problems),
    )
    return Reopened(snapshot, opener.trust, replace(clean, marks=snapshot.marks))


class _Opener:
    """Opens kept documents and gathers what is wrong with them."""

    def __init__(self, kept: Kept, pinned: Root) -> None:
        self.vouched = kept.vouched
        self.problems = list(kept.problems)
        self.trust = self._with_roots(Trust(pinned), kept.state.roots)
        if kept.state.keyset is not None:
            self._attempt(lambda: self._take_keyset(kept.state.keyset or ""))

    def problem(self, code: Code, message: str) -> None:
        self.problems.append(Problem(code, message))

    def open(self, envelope: str | None, kind: type[DocumentT]) -> DocumentT | None:
        if envelope is None:
            return None
        try:
            return self.trust.open(envelope.encode(), kind).document
        except DocumentError as error:
            # The vendor may have dropped an old key from the keyset, or a new release pins another
            # root: what we once accepted stays true, unless its key was revoked.
            if self.vouched and not self._is_dead(envelope):
                return open_body(load_envelope(envelope.encode()), kind)
            self.problem(error.code, error.message)
            return None

    def head(self, envelope: str | None, lease: Lease | None) -> Lease | None:
        if lease is None and envelope is not None and self.vouched:
            return open_body(load_envelope(envelope.encode()), Lease)
        return lease

    def activation(self, envelope: str | None) -> Activation | None:
        # It is as old as the installation and its lease key long retired; every lease renews it.
        if envelope is not None and self.vouched:
            return open_body(load_envelope(envelope.encode()), Activation)
        return self.open(envelope, Activation)

    def _take_keyset(self, envelope: str) -> None:
        self.trust = self.trust.with_held_keyset(envelope.encode())

    def _with_roots(self, trust: Trust, envelopes: tuple[str, ...]) -> Trust:
        for envelope in envelopes:
            try:
                raw = envelope.encode()
                # A newer release pins what an older one had to fetch.
                if open_body(load_envelope(raw), Root).version > trust.root.version:
                    trust = trust.with_root(raw)
            except DocumentError as error:
                self.problem(error.code, error.message)
                break
        return trust

    def _is_dead(self, envelope: str) -> bool:
        if self.trust.keyset is None:
            return False
        revoked = sorted(self.trust.keyset.document.revoked())
        return bool(signing_keys(load_envelope(envelope.encode()), revoked))

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except DocumentError as error:
            self.problem(error.code, error.message)


def _is_ours(activation: Activation, kept: Kept) -> bool:
    return kept.key is not None and activation.instance_pub == kept.key.public_key


def _clean(state: State, gone: list[bool]) -> State:
    """Return the state without documents that did not hold, so that no MAC ever vouches for them."""
    no_license, no_activation, no_head, no_denial, no_receipt = gone
    return replace(
        state,
        license=None if no_license else state.license,
        activation=None if no_activation else state.activation,
        lease=None if no_head else state.lease,
        denial=None if no_denial else state.denial,
        receipt=None if no_receipt else state.receipt,
    )


def _marks(state: State, lease: Lease | None) -> TimeMarks:
    signed = lease.server_time if lease else 0
    if state.marks.signed >= signed:
        return state.marks
    return TimeMarks(signed=signed, running=0, high_water=signed)


def _terminal(state: State, denial: Denial | None, ended: Deactivation | None) -> Reason | None:
    if ended is not None or state.tombstone_at is not None:
        return Reason.DEACTIVATED
    return _TERMINAL.get(denial.code) if denial else None
