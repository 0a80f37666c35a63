"""What an installation remembers of its licence: one record, its text, and its authenticity. No files."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from licensing.client.clock import TimeMarks
from licensing.document.answers import Lease
from licensing.document.documents import open_body
from licensing.document.envelope import load_envelope
from licensing.document.errors import DocumentError, malformed
from licensing.document.parser import Members, dump_object

_MANY = 64


class RequestKind(StrEnum):
    """What an installation can ask."""

    ACTIVATE = "activate"
    CHECK_IN = "check-in"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True)
class Pending:
    """A request that was persisted before it was sent and has no signed answer yet."""

    kind: RequestKind
    envelope: str
    made_at: int
    code_id: str | None = None


@dataclass(frozen=True)
class Ratchet:
    """The newest time and sequence number a signing key has used towards us."""

    server_time: int
    seq: int


@dataclass(frozen=True)
class State:
    """Everything that survives a restart. Documents are envelopes exactly as they came."""

    roots: tuple[str, ...] = ()
    keyset: str | None = None
    license: str | None = None
    activation: str | None = None
    lease: str | None = None
    denial: str | None = None
    receipt: str | None = None
    pending: Pending | None = None
    tombstone_at: int | None = None
    ratchets: Mapping[str, Ratchet] = field(default_factory=dict)
    marks: TimeMarks = field(default_factory=TimeMarks)
    fingerprint: Mapping[str, str] | None = None
    seats_over_since: int | None = None

    def held_lease(self) -> Lease | None:
        """Return the lease as it was accepted; its signature is not looked at again."""
        if self.lease is None:
            return None
        return open_body(load_envelope(self.lease.encode()), Lease)


def dump_state(state: State, mac_key: bytes) -> bytes:
    """Return the bytes to keep: the state as text and its MAC."""
    payload = asdict(state)
    payload["roots"] = [{"envelope": one} for one in state.roots]
    payload["ratchets"] = [
        {"keyid": keyid, "server_time": one.server_time, "seq": one.seq}
        for keyid, one in state.ratchets.items()
    ]
    text = dump_object(payload)
    return dump_object({"mac": _mac(mac_key, text), "state": text.decode()})


def load_state(raw: bytes, mac_key: bytes | None) -> tuple[State, bool]:
    """Return the state of kept bytes, and whether its MAC vouches for it.

    Raises `E_FORMAT` when there is nothing readable left.
    """
    try:
        members = Members(_object(raw))
        text = members.text("state", len(raw)).encode()
        state = _read(Members(_object(text)))
    except (ValueError, RecursionError) as error:
        raise malformed("The licence state is unreadable.") from error
    mac = members.text("mac").encode()
    vouched = mac_key is not None and hmac.compare_digest(_mac(mac_key, text).encode(), mac)
    return state, vouched


def only_signed(state: State) -> State:
    """Return what is left of a state without its MAC: documents that prove themselves, no more."""
    return State(
        roots=state.roots,
        keyset=state.keyset,
        license=state.license,
        activation=state.activation,
        lease=state.lease,
        denial=state.denial,
        receipt=state.receipt,
    )


def is_newer(offered: State, held: State) -> bool:
    """Tell whether another copy of the state is ahead: the newer `seq` of the same activation.

    A signed end or a tombstone follows the lease it stands beside, and a newer lease takes it away.
    Of two activations the one with the newer signed time is ahead.
    """
    try:
        theirs, ours = offered.held_lease(), held.held_lease()
    except DocumentError:
        return False
    if theirs is None or ours is None:
        return theirs is not None and held.receipt is None
    if theirs.activation_id == ours.activation_id:
        return (theirs.seq, _is_ended(offered)) > (ours.seq, _is_ended(held))
    return theirs.server_time > ours.server_time


def same_lease(one: State, other: State) -> bool:
    """Tell whether two copies of the state hold the same lease, and so count time from one moment."""
    return one.lease is not None and one.lease == other.lease


def _is_ended(state: State) -> bool:
    return state.denial is not None or state.tombstone_at is not None


def _object(raw: bytes) -> dict[str, object]:
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise malformed("The licence state is no object.")
    return value


def _mac(key: bytes, text: bytes) -> str:
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _read(members: Members) -> State:
    marks = members.nested("marks")
    return State(
        roots=tuple(one.envelope("envelope") for one in members.objects("roots", _MANY)),
        keyset=members.optional("keyset", members.envelope),
        license=members.optional("license", members.envelope),
        activation=members.optional("activation", members.envelope),
        lease=members.optional("lease", members.envelope),
        denial=members.optional("denial", members.envelope),
        receipt=members.optional("receipt", members.envelope),
        pending=members.optional("pending", lambda name: _pending(members.nested(name))),
        tombstone_at=members.optional("tombstone_at", members.time),
        ratchets={
            one.text("keyid"): Ratchet(one.time("server_time"), one.integer("seq"))
            for one in members.objects("ratchets", _MANY)
        },
        marks=TimeMarks(
            signed=marks.integer("signed"),
            running=marks.integer("running"),
            high_water=marks.integer("high_water"),
            boot=marks.text("boot") if marks.has("boot") else "",
            seen=marks.integer("seen") if marks.has("seen") else 0,
        ),
        fingerprint=members.optional("fingerprint", members.components),
        seats_over_since=members.optional("seats_over_since", members.time),
    )


def _pending(members: Members) -> Pending:
    return Pending(
        kind=members.word("kind", RequestKind),
        envelope=members.envelope("envelope"),
        made_at=members.time("made_at"),
        code_id=members.optional("code_id", members.text),
    )
