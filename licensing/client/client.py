"""The licence of one installation: the only door for the rest of the product.

Sentences for people are made by the caller from codes; nothing here translates or stops anything.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import ParamSpec

from licensing.client import compose
from licensing.client.diagnosis import Examinee
from licensing.client.exchange import Exchange
from licensing.client.installation import Build, ClientConfig, Clocks, Installation
from licensing.client.instance import InstanceKey
from licensing.client.ladder import Verdict
from licensing.client.machine import Component, compare
from licensing.client.outcome import Outcome, Result, of_disk, of_line, of_refusal
from licensing.client.reopen import Reopened, Snapshot
from licensing.client.state import Pending, RequestKind
from licensing.client.store import Message
from licensing.client.transport import Reply, Transport
from licensing.document.activation_code import code_id, parse_code
from licensing.document.documents import encode_document, open_body
from licensing.document.envelope import load_envelope
from licensing.document.errors import Code, DocumentError
from licensing.document.files import load_answer_file
from licensing.document.nonces import is_offline_challenge, offline_challenge
from licensing.document.parser import Members, parse_object
from licensing.document.requests import (
    CheckInRequest,
    DeactivateRequest,
    DeactivationReason,
    Usage,
)

log = logging.getLogger(__name__)

P = ParamSpec("P")


_ASK_AGAIN = {
    (Result.DENIED, Code.E_CHALLENGE),
    (Result.REFUSED, Code.E_KEYSET_ROLLBACK),
    (Result.REFUSED, Code.E_SIGNATURE),
}


class NothingToAsk(Exception):
    """There is no activation to check in or to give back; the argument is the outcome's code."""


def _never_raising(exchange: Callable[P, Outcome]) -> Callable[P, Outcome]:
    """Turn the refusal of our own disk into an outcome: what was persisted goes on next time."""

    @wraps(exchange)
    def tried(*args: P.args, **named: P.kwargs) -> Outcome:
        try:
            return exchange(*args, **named)
        except OSError as error:
            log.warning("The licence folder refused: %s", error)
            return of_disk(error)

    return tried


class LicenseClient:
    """Status, verdict, and the exchanges with the vendor.

    One object per process; several processes may share the folder. `activate`, `check_in`,
    `deactivate` block for as long as the network takes (at most about a minute) and never raise for
    what the other side does: look at `Outcome`.
    """

    def __init__(
        self, config: ClientConfig, clocks: Clocks, transport: Transport | None = None
    ) -> None:
        self._home = Installation(config, clocks)
        self._line = transport or Transport(config.authority_urls, config.ca_bundle)
        self._exchange = Exchange(self._home, self._line)
        self._config = config

    # What is known

    def status(self) -> Snapshot:
        """Return what is known about the licence; reads the folder again if it has changed."""
        return self._home.snapshot()

    def verdict(self, named_used: int, now: int | None = None) -> Verdict:
        """Return mode, reason, next change and notices. In memory only; `now` defaults to effective time."""
        return self._home.verdict(named_used, now)

    def effective_now(self) -> int:
        """Return the time that counts for the licence."""
        return self._home.now()

    def messages(self) -> tuple[Message, ...]:
        """Return the last 50 messages sent and received, the newest last."""
        return self._home.store.messages()

    def pending(self) -> Pending | None:
        """Return the request that waits for its signed answer."""
        return self._home.reload().state.pending

    def left_by_file(self) -> bool:
        """Tell whether a file to leave was made, which its holder can use at any time."""
        return self._home.reload().state.tombstone_at is not None

    def receipts(self) -> tuple[bytes, ...]:
        """Return the envelopes of all proofs of deactivation that are kept here, oldest first."""
        folder = self._config.directory / "receipts"
        kept = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        return tuple(file.read_bytes() for file in kept)

    def machine(self) -> tuple[Component, ...]:
        """Return each component of the fingerprint as it was and as it is; () before an activation."""
        opened = self._home.reload()
        activation, confirmed = opened.snapshot.activation, opened.state.fingerprint
        if activation is None:
            return ()
        known = activation.fingerprint if confirmed is None else confirmed
        return compare(known, self._home.about().fingerprint)

    def examinee(self) -> Examinee:
        """Return whose way to the vendor a diagnosis looks at. It needs no lock from here on."""
        opened = self._home.reload()
        return Examinee(
            urls=self._config.authority_urls,
            ca_bundle=self._config.ca_bundle,
            trust=opened.trust,
            wall=self._home.wall,
            signed_time=opened.snapshot.marks.signed,
        )

    def preview(self, usage: Usage) -> str:
        """Return the JSON that a check-in would send now, for "what will be sent"; "" when not activated.

        A request that waits for its answer is sent again as it was.
        """
        opened = self._home.reload()
        held = opened.state.pending
        if held is not None and held.kind is not RequestKind.ACTIVATE:
            return load_envelope(held.envelope.encode()).body.decode()
        try:
            return encode_document(self._check_in_request(opened, usage)).decode()
        except NothingToAsk:
            return ""

    # What the caller does by the clock

    def tick(self, named_used: int) -> None:
        """Persist the running time. Call once a minute in one process (the scheduler)."""
        self._home.tick(named_used)

    def mirror(self) -> bytes | None:
        """Return the state to be kept in the database as well; None before the first activation."""
        return self._home.store.mirror()

    def agree(self, mirror: bytes | None) -> bool:
        """Compare with the database's copy; call it before `tick`, and at start.

        The newer `seq` wins, of one lease the later time; only what this instance wrote is taken.
        True when the copy was the newer one, which is worth reporting.
        """
        return self._home.agree(mirror)

    def confirm_machine(self) -> None:
        """End FINGERPRINT_CHANGED: a person confirmed that this is still the machine."""
        self._home.confirm_machine()

    # Exchanges with the vendor

    @_never_raising
    def activate(self, typed: str) -> Outcome:
        """Bind the licence of an activation code to this installation. Safe to repeat."""
        try:
            code = parse_code(typed)
        except DocumentError as error:
            return Outcome(Result.MISTYPED, error.code, error.message)
        failed = self._exchange.refresh_trust()
        if failed is not None:
            return failed
        outcome = self._activate_once(code)
        if (outcome.result, outcome.code) in _ASK_AGAIN:
            # The request lay here for longer than its challenge, or than the keys of its answer.
            outcome = self._activate_once(code)
        return outcome

    @_never_raising
    def check_in(self, usage: Usage) -> Outcome:
        """Tell the vendor we live and take the next lease. Exactly one worker per installation."""
        return self._ask(lambda key, opened: self._next_check_in(key, opened, usage))

    @_never_raising
    def deactivate(self, reason: DeactivationReason, usage: Usage) -> Outcome:
        """Give the activation back; when accepted, the receipt is kept and the instance key destroyed."""
        return self._ask(lambda key, opened: self._leave(key, opened, usage, reason))

    def withdraw(self) -> Pending | None:
        """Forget the request that waits, and return it; an answer to it is no longer taken.

        Raises `NothingToAsk` after a deactivation by file: whoever holds the file can use it.
        """
        with self._home.alone() as opened:
            held = opened.state.pending
            if held is None:
                return None
            if held.kind is RequestKind.DEACTIVATE and opened.state.tombstone_at is not None:
                raise NothingToAsk("deactivated")
            self._home.save(replace(opened.state, pending=None), self._home.store.ensure_key())
        return held

    # Without a line

    def export_activation(self, typed: str) -> bytes:
        """Return a `.dftreq` to activate by file. A mistyped code raises `DocumentError`."""
        code = parse_code(typed)

        def build(key: InstanceKey, opened: Reopened) -> Pending:
            held = _pending_activation(opened, code, offline=True)
            return held or compose.activation(key, code, offline_challenge(), self._home.about())

        return self._home.propose(build).envelope.encode()

    def export_check_in(self, usage: Usage) -> bytes:
        """Return a `.dftreq` to check in by file; raises `NothingToAsk`."""
        pending = self._home.propose(lambda key, opened: self._next_check_in(key, opened, usage))
        return pending.envelope.encode()

    def export_deactivation(self, reason: DeactivationReason, usage: Usage) -> bytes:
        """Return a `.dftreq` to leave by file; raises `NothingToAsk`.

        The tombstone comes first: from here on the product is locked as `deactivated`, because
        the file may be used at any time.
        """
        with self._home.alone() as opened:
            key = self._home.store.ensure_key()
            pending = self._leave(key, opened, usage, reason)
            buried = opened.state.tombstone_at or self._home.now()
            self._home.save(replace(opened.state, pending=pending, tombstone_at=buried), key)
        return pending.envelope.encode()

    @_never_raising
    def import_answer(self, raw: bytes) -> Outcome:
        """Take a `.dftlic`; it must answer our pending request."""
        try:
            file = load_answer_file(raw)
        except DocumentError as error:
            return of_refusal(error)
        return self._exchange.settle(file)

    # Behind the door

    def _activate_once(self, code: str) -> Outcome:
        held = _pending_activation(self._home.reload(), code, offline=False)
        if held is not None:
            return self._exchange.send(held)
        result = self._line.get("v1/challenge")
        if not isinstance(result, Reply):
            return of_line(result)
        try:
            challenge = Members(parse_object(result.body)).filled("challenge", 400)
        except DocumentError as error:
            return of_refusal(error)
        about = self._home.about()
        return self._exchange.send(
            self._home.propose(lambda key, _: compose.activation(key, code, challenge, about))
        )

    def _ask(self, build: Build) -> Outcome:
        try:
            pending = self._home.propose(build)
        except NothingToAsk as nothing:
            return Outcome(Result.REFUSED, str(nothing))
        return self._exchange.send(pending)

    def _next_check_in(self, key: InstanceKey, opened: Reopened, usage: Usage) -> Pending:
        held = opened.state.pending
        request = self._check_in_request(opened, usage)
        if held is not None and held.kind is not RequestKind.ACTIVATE:
            return held  # the reply was lost: the same bytes again get the same answer
        return compose.check_in(key, request, self._home.about())

    def _leave(
        self, key: InstanceKey, opened: Reopened, usage: Usage, reason: DeactivationReason
    ) -> Pending:
        held = opened.state.pending
        if held is not None and held.kind is RequestKind.DEACTIVATE:
            if requested_reason(held) is reason:
                return held
            if opened.state.tombstone_at is not None:
                raise NothingToAsk("deactivated")  # the file with the first reason is on its way
        request = self._check_in_request(opened, usage)
        return compose.deactivation(key, request, reason, self._home.about())

    def _check_in_request(self, opened: Reopened, usage: Usage) -> CheckInRequest:
        snapshot, envelope = opened.snapshot, opened.state.lease
        if snapshot.receipt is not None:
            raise NothingToAsk("deactivated")
        if snapshot.head is None or envelope is None:
            raise NothingToAsk("not_activated")
        mode = self._home.verdict(usage.named).mode
        head = compose.Head(snapshot.head, envelope)
        return compose.check_in_request(head, usage, mode, self._home.about())


def requested_reason(pending: Pending) -> DeactivationReason | None:
    """Return why a pending request wants to leave; None for one of another kind."""
    if pending.kind is not RequestKind.DEACTIVATE:
        return None
    return open_body(load_envelope(pending.envelope.encode()), DeactivateRequest).reason


def goes_by_file(pending: Pending) -> bool:
    """Tell whether a request can be answered as a file: an activation needs a challenge for that."""
    if pending.kind is not RequestKind.ACTIVATE:
        return True
    members = Members(parse_object(load_envelope(pending.envelope.encode()).body))
    return is_offline_challenge(members.text("challenge", 400))


def _pending_activation(opened: Reopened, code: str, *, offline: bool) -> Pending | None:
    """Return the request for this code that still waits for its answer."""
    held = opened.state.pending
    if held is None or held.kind is not RequestKind.ACTIVATE or held.code_id != code_id(code):
        return None
    return held if goes_by_file(held) is offline else None
