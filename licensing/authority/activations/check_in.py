"""Check-ins: the daily sign of life moves the head of a chain. Nothing here commits."""

from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from licensing.authority.activations import queries
from licensing.authority.activations.desk import Desk, Visit, deny
from licensing.authority.activations.leases import Link, Turn, next_lease
from licensing.authority.activations.models import ActivationRecord, Head
from licensing.authority.activations.rules import (
    ActivationStatus,
    Chain,
    Meaning,
    NonceKind,
    Presented,
    Step,
    is_older,
    judge,
)
from licensing.authority.activations.service import sentence
from licensing.authority.licenses.flags import raise_flag
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import FlagKind, is_same_machine
from licensing.authority.limits.rules import Rule
from licensing.authority.limits.service import take
from licensing.document.errors import Code, NoticeCode, malformed
from licensing.document.parser import MAX_INTEGER
from licensing.document.requests import CheckInRequest, OpenedCheckIn
from server.core import clock

ENDED = {
    ActivationStatus.SUPERSEDED: Code.E_SUPERSEDED,
    ActivationStatus.DEACTIVATED: Code.E_DEACTIVATED,
}


@dataclass(frozen=True)
class _Call:
    """One check-in with everything it is judged by."""

    license: LicenseRecord
    activation: ActivationRecord
    request: CheckInRequest
    request_hash: str
    head: Head | None
    now: int


def check_in(
    session: Session, desk: Desk, known: queries.Known, opened: OpenedCheckIn, visit: Visit
) -> bytes:
    """Answer a check-in with a lease, or with a signed denial."""
    if opened.request.seq >= MAX_INTEGER:
        raise malformed("The member seq leaves no number for the answer.")
    held = queries.hold(session, known, opened.request.nonce)
    if visit.is_limited:
        limits = desk.settings.limits
        name = f"check-in:{held.activation.activation_id}"
        take(session, [Rule(name, limits.checkin_burst, limits.checkin_interval_s)])
    call = _Call(
        held.license,
        held.activation,
        opened.request,
        opened.envelope.body_hash,
        held.head,
        clock.timestamp(),
    )
    step = judge(_chain(held.activation), _presented(call))
    if step.meaning is Meaning.REPEAT:
        return queries.last_answer(session, held.activation)
    return _answer(session, desk, call, step)


def _answer(session: Session, desk: Desk, call: _Call, step: Step) -> bytes:
    refused = ENDED.get(call.activation.status) or _too_old(desk, call)
    if refused is None:
        _write_down(session, call, step)
        if step.meaning is Meaning.HOLD:
            refused = Code.E_CLONE_SUSPECTED
    if refused is not None:
        envelope = deny(desk, call.request_hash, call.now, refused, sentence(refused))
    else:
        turn = Turn(call.license, call.activation, call.request_hash, call.now)
        link = Link(step.chain.seq, step.notices, call.head)
        envelope = next_lease(session, desk, turn, link)
    call.activation.last_request = call.request_hash
    call.activation.last_answer = envelope.raw
    call.activation.last_seen_at = call.now
    session.flush()
    return envelope.raw


def _chain(activation: ActivationRecord) -> Chain:
    return Chain(activation.head_seq, activation.forks, activation.clean, activation.is_held)


def _presented(call: _Call) -> Presented:
    return Presented(
        seq=call.request.seq,
        nonce=_nonce_kind(call.activation, call.head),
        is_repeat=call.request_hash == call.activation.last_request,
    )


def _nonce_kind(activation: ActivationRecord, head: Head | None) -> NonceKind:
    if head is None:
        return NonceKind.UNKNOWN
    if head.nonce == activation.head_nonce:
        return NonceKind.HEAD
    return NonceKind.ABANDONED if head.is_abandoned else NonceKind.STALE


def _too_old(desk: Desk, call: _Call) -> Code | None:
    oldest = desk.settings.clients.oldest_version
    if oldest and is_older(call.request.product_version, oldest):
        return Code.E_CLIENT_TOO_OLD
    return None


def _write_down(session: Session, call: _Call, step: Step) -> None:
    """Take over the counters of the chain and what the installation tells about itself."""
    activation, request = call.activation, call.request
    activation.forks, activation.clean = step.chain.forks, step.chain.clean
    activation.is_held = step.chain.is_held
    if step.abandons_head:
        session.execute(
            update(Head)
            .where(Head.activation_row_id == activation.id, Head.nonce == activation.head_nonce)
            .values(is_abandoned=True)
        )
    activation.product_version = request.product_version
    activation.mode = request.mode.value
    activation.usage = {
        "named": request.usage.named,
        "peak_concurrent": request.usage.peak_concurrent,
        "service": request.usage.service,
    }
    _raise_flags(session, call, step)


def _raise_flags(session: Session, call: _Call, step: Step) -> None:
    detail = f"{step.chain.forks} forks of {call.activation.activation_id}"
    if step.meaning is Meaning.HOLD:
        raise_flag(session, call.license, FlagKind.CLONE_HOLD, detail)
    elif NoticeCode.CLONE_REVIEW in step.notices:
        raise_flag(session, call.license, FlagKind.CLONE_REVIEW, detail)
    if not is_same_machine(call.activation.fingerprint, call.request.fp):
        detail = call.activation.activation_id
        raise_flag(session, call.license, FlagKind.FINGERPRINT_CHANGED, detail)
