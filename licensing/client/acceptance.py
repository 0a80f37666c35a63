"""Taking answers: which signed answer to our own pending request changes what. Pure, no files, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from licensing.client.clock import anchor
from licensing.client.state import Pending, Ratchet, RequestKind, State
from licensing.document.answers import Activation, Bundle, Deactivation, Denial, Lease
from licensing.document.documents import RoleDocument, open_body
from licensing.document.envelope import Envelope, load_envelope, sha256, signing_keys
from licensing.document.errors import Code, DocumentError
from licensing.document.keys import key_id
from licensing.document.keyset import Keyset
from licensing.document.license import License
from licensing.document.parser import Members, parse_object
from licensing.document.requests import CheckInRequest, DeactivateRequest
from licensing.document.trust import Opened, Trust, answer_kind

TERMINAL = frozenset(
    {
        Code.E_SUPERSEDED,
        Code.E_DEACTIVATED,
        Code.E_CLONE_SUSPECTED,
        Code.E_SUSPENDED,
        Code.E_REVOKED,
    }
)
# Nobody counts so far by checking in; without a bound a stolen key could use up the numbers for good.
LONGEST_JUMP = 2**32
HIGHEST_SEQ = 2**52
_ANSWERS: dict[RequestKind, tuple[type[RoleDocument], ...]] = {
    RequestKind.ACTIVATE: (Bundle, Denial),
    RequestKind.CHECK_IN: (Lease, Denial),
    RequestKind.DEACTIVATE: (Deactivation, Denial),
}


class RefusedAnswer(Exception):
    """A signed answer to our own request that we cannot take: the request is over, nothing changes."""

    def __init__(self, error: DocumentError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Ours:
    """What an answer is measured against: `now` is the effective time, `wall` what the clock shows."""

    instance_pub: bytes
    product: str
    now: int
    wall: int


@dataclass(frozen=True)
class Accepted:
    """The state after an answer, the trust it holds under, and the answer itself."""

    state: State
    trust: Trust
    answer: Bundle | Lease | Denial | Deactivation


def accept(state: State, trust: Trust, raw: bytes, ours: Ours) -> Accepted:
    """Return the state after an answer to the pending request.

    `DocumentError`: not a signed answer to our request, nothing changes, the request stays pending.
    `RefusedAnswer`: it is one, but breaks a rule; clear the request and ask anew.
    """
    pending = state.pending
    if pending is None:
        raise DocumentError(Code.E_REPLAY, "There is no request this could be the answer to.")
    kind = answer_kind(raw, _ANSWERS[pending.kind])
    fresh, rollback = _newer_trust(state, trust, raw, ours)
    opened = fresh.open(raw, kind)
    _check_answers(pending, opened.document)
    if rollback is not None:
        raise RefusedAnswer(rollback)
    try:
        _check_time(fresh, opened)
        _check_ratchet(state, opened)
        after = _apply(state, fresh, opened, pending, ours)
    except DocumentError as error:
        raise RefusedAnswer(error) from error
    keyset = _kept_keyset(state, after, fresh, raw)
    ratchets = _turned(after.ratchets, fresh, opened)
    return Accepted(
        replace(after, keyset=keyset, ratchets=ratchets, pending=None),
        fresh,
        _known(opened.document),
    )


def request_hash(pending: Pending) -> str:
    """Return the `req_hash` that an answer to this request carries."""
    return sha256(load_envelope(pending.envelope.encode()).body)


def _known(document: object) -> Bundle | Lease | Denial | Deactivation:
    if isinstance(document, Bundle | Lease | Denial | Deactivation):
        return document
    raise DocumentError(Code.E_TYPE, "That is no answer.")


def take_keyset(state: State, trust: Trust, raw: bytes, *, now: int, wall: int) -> Trust:
    """Return the trust with a newer keyset, which must not have expired at the effective time `now`.

    The time we go by came with our last lease. If the keyset revokes the key under that lease, a
    thief may have set our time to a far year, where every cure has expired: then the wall clock counts.
    """
    try:
        return trust.with_keyset(raw, now)
    except DocumentError as error:
        if error.code is not Code.E_KEYSET_EXPIRED:
            raise
        offered = trust.with_held_keyset(raw)
        if offered.keyset is None or not is_under(offered.keyset.document.revoked(), state.lease):
            raise
        return trust.with_keyset(raw, wall)


def is_under(keys: frozenset[bytes], envelope: str | None) -> bool:
    """Tell whether one of these keys signed the envelope."""
    return envelope is not None and bool(
        signing_keys(load_envelope(envelope.encode()), sorted(keys))
    )


def would_kill(keyset: Keyset, state: State) -> bool:
    """Tell whether a keyset revokes what this installation runs on.

    Such a keyset waits for the answer that brings the successors: they apply together.
    """
    dead = keyset.revoked()
    return is_under(dead, state.license) or is_under(dead, state.lease)


def _newer_trust(
    state: State, trust: Trust, raw: bytes, ours: Ours
) -> tuple[Trust, DocumentError | None]:
    """Return the trust with the keyset that came along: it is signed by the root, not by the answer.

    Keyset and answer arrive together and apply together. An older keyset is told apart, because
    the answer around it may still be a signed one to our own request.
    """
    offered = _keyset_in(raw)
    if offered is None:
        return trust, None
    try:
        return take_keyset(state, trust, offered, now=ours.now, wall=ours.wall), None
    except DocumentError as error:
        if error.code is not Code.E_KEYSET_ROLLBACK:
            raise
        return trust, error


def _keyset_in(raw: bytes) -> bytes | None:
    members = Members(parse_object(load_envelope(raw).body))
    return members.envelope("keyset").encode() if members.has("keyset") else None


def _kept_keyset(before: State, after: State, fresh: Trust, raw: bytes) -> str | None:
    """Return the keyset to remember: the newest, unless it came beside the answer and kills the licence."""
    if fresh.keyset is None:
        return None
    is_signed_along = _keyset_in(raw) is not None
    if not is_signed_along and would_kill(fresh.keyset.document, after):
        return before.keyset
    return fresh.keyset.envelope.raw.decode()


def _check_answers(pending: Pending, document: object) -> None:
    if _known(document).req_hash != request_hash(pending):
        raise DocumentError(Code.E_REPLAY, "The answer belongs to another request.")


def _check_time(trust: Trust, opened: Opened[RoleDocument]) -> None:
    """Refuse a time beyond the window of the key: a stolen key sets our clock no further than its end."""
    at = _known(opened.document).server_time
    entries = trust.keyset.document.keys if trust.keyset else ()
    if not any(entry.covers(at) for entry in entries if entry.public_key in opened.signed_by):
        raise DocumentError(Code.E_KEY_WINDOW, f"No signing key was valid at {at}.")


def _check_ratchet(state: State, opened: Opened[RoleDocument]) -> None:
    at = _known(opened.document).server_time
    for key in opened.signed_by:
        held = state.ratchets.get(key_id(key))
        if held is not None and at < held.server_time:
            raise DocumentError(
                Code.E_ROLLBACK, f"The answer is of {at}, an earlier one was of {held.server_time}."
            )


def _turned(
    ratchets: Mapping[str, Ratchet], trust: Trust, opened: Opened[RoleDocument]
) -> dict[str, Ratchet]:
    """Return the ratchets after this answer; those of revoked keys are forgotten."""
    dead = {key_id(key) for key in trust.keyset.document.revoked()} if trust.keyset else set()
    kept = {keyid: one for keyid, one in ratchets.items() if keyid not in dead}
    document = _known(opened.document)
    for key in opened.signed_by:
        held = kept.get(key_id(key), Ratchet(0, 0))
        seq = document.seq if isinstance(document, Lease) else held.seq
        kept[key_id(key)] = Ratchet(document.server_time, seq)
    return kept


def _apply(
    state: State, trust: Trust, opened: Opened[RoleDocument], pending: Pending, ours: Ours
) -> State:
    document = opened.document
    if isinstance(document, Bundle):
        return _take_bundle(state, trust, document, ours)
    if isinstance(document, Lease):
        return _take_lease(
            state, trust, Opened(document, opened.envelope, opened.signed_by), pending
        )
    if isinstance(document, Deactivation):
        return _take_deactivation(state, document, opened.envelope, pending)
    return _take_denial(state, _denial(document), opened.envelope, pending)


def _denial(document: object) -> Denial:
    if isinstance(document, Denial):
        return document
    raise DocumentError(Code.E_TYPE, "That is no denial.")


def _take_bundle(state: State, trust: Trust, bundle: Bundle, ours: Ours) -> State:
    sold = trust.open(bundle.license.encode(), License).document
    activation = trust.open(bundle.activation.encode(), Activation).document
    opened = trust.open(bundle.lease.encode(), Lease)
    lease = opened.document
    if activation.instance_pub != ours.instance_pub:
        raise DocumentError(Code.E_WRONG_INSTANCE, "The activation is for another installation.")
    if sold.product != ours.product or activation.license_id != sold.license_id:
        raise DocumentError(Code.E_WRONG_LICENSE, "The licence is not the one that was activated.")
    _check_binding(lease, activation)
    if lease.req_hash != bundle.req_hash:
        raise DocumentError(Code.E_REPLAY, "The lease belongs to another request.")
    _check_serial(state, sold)
    _check_bundle_seq(state, opened)
    return replace(
        state,
        license=bundle.license,
        activation=bundle.activation,
        lease=bundle.lease,
        denial=None,
        receipt=None,
        tombstone_at=None,
        fingerprint=None,
        seats_over_since=None,
        marks=anchor(lease.server_time),
        # Sequence numbers belong to an activation, and this may be another one.
        ratchets=_with_seq(state.ratchets, opened),
    )


def _with_seq(ratchets: Mapping[str, Ratchet], lease: Opened[Lease]) -> dict[str, Ratchet]:
    reset = {keyid: Ratchet(one.server_time, 0) for keyid, one in ratchets.items()}
    for key in lease.signed_by:
        reset[key_id(key)] = Ratchet(lease.document.server_time, lease.document.seq)
    return reset


def _check_bundle_seq(state: State, opened: Opened[Lease]) -> None:
    """Refuse a bundle that counts backwards: newly signed for the same activation it goes on."""
    if opened.document.seq > HIGHEST_SEQ:
        raise DocumentError(Code.E_ROLLBACK, "The lease in the bundle leaves no number for others.")
    held = state.held_lease()
    if held is None or held.activation_id != opened.document.activation_id:
        return
    known = [
        state.ratchets[key_id(key)].seq for key in opened.signed_by if key_id(key) in state.ratchets
    ]
    if known and opened.document.seq <= max(known):
        raise DocumentError(Code.E_ROLLBACK, "The lease in the bundle is older than the one held.")


def _take_lease(state: State, trust: Trust, opened: Opened[Lease], pending: Pending) -> State:
    lease = opened.document
    request = open_body(load_envelope(pending.envelope.encode()), CheckInRequest)
    _check_binding(lease, _activation(state))
    if state.lease is None:
        raise DocumentError(Code.E_REPLAY, "There is no lease this one could follow.")
    _check_seq(state, opened, request)
    # A resync jumps over our number, and then continues a lease that we never received.
    if lease.seq == request.seq and lease.prev_hash != sha256(state.lease.encode()):
        raise DocumentError(Code.E_REPLAY, "The lease does not follow the one held.")
    sold = state.license if lease.license is None else _take_license(state, trust, lease)
    return replace(
        state,
        license=sold,
        lease=opened.envelope.raw.decode(),
        denial=None,
        marks=anchor(lease.server_time),
    )


def _check_seq(state: State, opened: Opened[Lease], request: CheckInRequest) -> None:
    known = [
        state.ratchets[key_id(key)].seq for key in opened.signed_by if key_id(key) in state.ratchets
    ]
    if opened.document.seq > request.seq + LONGEST_JUMP:
        raise DocumentError(
            Code.E_ROLLBACK, f"The lease jumps to {opened.document.seq}, {request.seq} was asked."
        )
    if opened.document.seq < request.seq or opened.document.seq <= max(known, default=0):
        raise DocumentError(
            Code.E_ROLLBACK, f"The lease has number {opened.document.seq}, {request.seq} was asked."
        )


def _take_license(state: State, trust: Trust, lease: Lease) -> str:
    offered = trust.open((lease.license or "").encode(), License).document
    if offered.license_id != lease.license_id:
        raise DocumentError(Code.E_WRONG_LICENSE, "The newer licence is another one.")
    _check_serial(state, offered)
    return lease.license or ""


def _check_serial(state: State, offered: License) -> None:
    if state.license is None:
        return
    held = open_body(load_envelope(state.license.encode()), License)
    if held.license_id == offered.license_id and offered.serial < held.serial:
        raise DocumentError(
            Code.E_ROLLBACK, f"Serial {offered.serial} of the licence is older than {held.serial}."
        )


def _take_deactivation(
    state: State, proof: Deactivation, envelope: Envelope, pending: Pending
) -> State:
    request = open_body(load_envelope(pending.envelope.encode()), DeactivateRequest)
    if proof.activation_id != request.checkin.activation_id:
        raise DocumentError(Code.E_WRONG_INSTANCE, "The proof is for another activation.")
    if proof.license_id != _activation(state).license_id:
        raise DocumentError(Code.E_WRONG_LICENSE, "The proof is for another licence.")
    return replace(state, receipt=envelope.raw.decode(), tombstone_at=None)


def _take_denial(state: State, denial: Denial, envelope: Envelope, pending: Pending) -> State:
    # A refused code says nothing about the licence that is running here.
    if pending.kind is RequestKind.ACTIVATE or denial.code not in TERMINAL:
        return state
    return replace(state, denial=envelope.raw.decode())


def _activation(state: State) -> Activation:
    if state.activation is None:
        raise DocumentError(Code.E_WRONG_INSTANCE, "This installation is not activated.")
    return open_body(load_envelope(state.activation.encode()), Activation)


def _check_binding(lease: Lease, activation: Activation) -> None:
    if lease.activation_id != activation.activation_id or lease.generation != activation.generation:
        raise DocumentError(Code.E_WRONG_INSTANCE, "The lease is for another activation.")
    if lease.license_id != activation.license_id:
        raise DocumentError(Code.E_WRONG_LICENSE, "The lease is for another licence.")
