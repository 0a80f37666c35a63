"""One message to the vendor and its answer: what was persisted is sent, what is signed is kept."""

import logging
from dataclasses import replace

from licensing.client.acceptance import (
    Accepted,
    Ours,
    RefusedAnswer,
    accept,
    take_keyset,
    would_kill,
)
from licensing.client.installation import Installation
from licensing.client.instance import InstanceKey
from licensing.client.outcome import Outcome, Result, of_line, of_refusal
from licensing.client.state import Pending, RequestKind, State
from licensing.client.transport import Reply, Transport, Unreachable, Unsigned
from licensing.document.answers import Deactivation, Denial
from licensing.document.envelope import load_envelope
from licensing.document.errors import Code, DocumentError
from licensing.document.files import AnswerFile
from licensing.document.trust import Trust

log = logging.getLogger(__name__)

_PATHS = {
    RequestKind.ACTIVATE: "v1/activations",
    RequestKind.CHECK_IN: "v1/check-ins",
    RequestKind.DEACTIVATE: "v1/deactivations",
}
_MOST_ROOT_STEPS = 16
_CANNOT_BE_READ = 400


class Exchange:
    """The line of one installation. It raises OSError when the licence folder cannot be written."""

    def __init__(self, home: Installation, line: Transport) -> None:
        self._home = home
        self._line = line
        self._fetched: Trust | None = None

    def send(self, pending: Pending) -> Outcome:
        """Send a persisted request and take its answer."""
        raw = pending.envelope.encode()
        self._home.note("sent", pending.kind, load_envelope(raw).body.decode())
        result = self._line.post(_PATHS[pending.kind], raw)
        if not isinstance(result, Reply):
            return self._nothing_signed(pending, result)
        outcome = self.settle(result.body, keep_pending=True)
        if (outcome.result, outcome.code) == (Result.REFUSED, Code.E_SIGNATURE):
            # The vendor may have changed its keys or roots since we last looked.
            self.refresh_trust()
            outcome = self.settle(result.body)
            if (outcome.result, outcome.code) == (Result.REFUSED, Code.E_SIGNATURE):
                # A stored reply under a key that was revoked since would come again for ever.
                self._ask_anew(pending)
        return outcome

    def _nothing_signed(self, pending: Pending, result: Unsigned | Unreachable) -> Outcome:
        outcome = of_line(result)
        self._home.note("received", outcome.code, outcome.message)
        if isinstance(result, Unsigned) and result.status == _CANNOT_BE_READ:
            self._ask_anew(pending)  # the same bytes would be refused for ever
        return outcome

    def _ask_anew(self, pending: Pending) -> None:
        """Let the next one be a new request. Harmless if this one was answered: a resync follows.

        Not so for a deactivation: only the same bytes bring its proof.
        """
        if pending.kind is RequestKind.DEACTIVATE:
            return
        with self._home.alone() as opened:
            if opened.state.pending == pending:
                self._home.save(replace(opened.state, pending=None), self._home.store.ensure_key())

    def settle(self, answer: bytes | AnswerFile, *, keep_pending: bool = False) -> Outcome:
        """Take an answer. `keep_pending` leaves a request open whose answer lacks only a known key."""
        raw = answer.answer if isinstance(answer, AnswerFile) else answer
        with self._home.alone() as opened:
            key = self._home.store.ensure_key()
            ours = self._ours(key)
            try:
                trust = _with_file(opened.state, self._newest(opened.trust), answer, ours)
                accepted = accept(opened.state, trust, raw, ours)
                outcome = _outcome(accepted)
                self._keep(accepted, key)
            except RefusedAnswer as refused:
                outcome = of_refusal(refused.error)
                if not (keep_pending and outcome.code == Code.E_SIGNATURE):
                    self._home.save(replace(opened.state, pending=None), key)
            except DocumentError as error:
                outcome = of_refusal(error)
        self._home.note("received", outcome.code or outcome.result, _readable(raw))
        return outcome

    def _ours(self, key: InstanceKey) -> Ours:
        home = self._home
        return Ours(key.public_key, home.config.product, home.now(), home.wall())

    def _newest(self, kept: Trust) -> Trust:
        """Return the kept trust, or the fetched one that waits for the licence that belongs to it."""
        fetched = self._fetched
        if fetched is None or fetched.keyset is None or fetched.root.version < kept.root.version:
            return kept
        known = kept.keyset.document.version if kept.keyset else 0
        return fetched if fetched.keyset.document.version > known else kept

    def _keep(self, accepted: Accepted, key: InstanceKey) -> None:
        self._home.save(accepted.state, key)
        if isinstance(accepted.answer, Deactivation):
            self._home.bury(accepted.answer, accepted.state)

    def refresh_trust(self) -> Outcome | None:
        """Fetch newer roots one by one, then the keyset; None when all is well."""
        opened = self._home.reload()
        trust, roots = opened.trust, list(opened.state.roots)
        for _ in range(_MOST_ROOT_STEPS):
            result = self._line.get(f"v1/root/{trust.root.version + 1}")
            if not isinstance(result, Reply):
                break
            try:
                trust = trust.with_root(result.body)
            except DocumentError as error:
                log.warning("A newer root was refused: %s", error)
                break
            roots.append(result.body.decode())
        result = self._line.get("v1/keyset")
        if not isinstance(result, Reply):
            return of_line(result)
        try:
            now, wall = self._home.now(), self._home.wall()
            trust = take_keyset(opened.state, trust, result.body, now=now, wall=wall)
        except DocumentError as error:
            return of_refusal(error)
        self._keep_trust(trust, tuple(roots))
        return None

    def _keep_trust(self, trust: Trust, roots: tuple[str, ...]) -> None:
        keyset = trust.keyset.envelope.raw.decode() if trust.keyset else None
        with self._home.alone() as opened:
            held = opened.trust.keyset
            if held and trust.keyset and held.document.version > trust.keyset.document.version:
                return  # an answer brought a newer one meanwhile
            if trust.keyset and would_kill(trust.keyset.document, opened.state):
                # Nobody signed that it belongs to us now: it waits for the answer with its licence.
                self._fetched, keyset = trust, opened.state.keyset
            changed = replace(opened.state, roots=roots, keyset=keyset)
            if changed != opened.state:
                self._home.save(changed, self._home.store.ensure_key())


def _with_file(state: State, trust: Trust, answer: bytes | AnswerFile, ours: Ours) -> Trust:
    if not isinstance(answer, AnswerFile):
        return trust
    try:
        return take_keyset(state, trust, answer.keyset, now=ours.now, wall=ours.wall)
    except DocumentError as error:
        if error.code is not Code.E_KEYSET_ROLLBACK:
            raise
        # The file lay around while newer keys arrived by line: they are not given up, and judge it.
        return trust


def _outcome(accepted: Accepted) -> Outcome:
    answer = accepted.answer
    if isinstance(answer, Denial):
        return Outcome(Result.DENIED, answer.code, answer.message)
    return Outcome(Result.ACCEPTED)


def _readable(raw: bytes) -> str:
    try:
        return load_envelope(raw).body.decode()
    except (DocumentError, UnicodeDecodeError):
        return raw[:500].decode(errors="replace")
