"""Check-ins: the daily sign of life moves the head of a chain. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from licensing.authority.activations import standing as stands
from licensing.authority.activations.desk import Desk, Visit, deny
from licensing.authority.activations.leases import Link, SignedLease, Turn, news_for, sign_lease
from licensing.authority.activations.nonces import Told
from licensing.authority.activations.queries import last_answer
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
from licensing.authority.activations.standing import Known, Shown, Standing, Terms
from licensing.authority.audit.service import PROTOCOL, note
from licensing.authority.licenses.flags import raise_flag
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import FlagKind, is_same_machine
from licensing.authority.limits.rules import Rule
from licensing.authority.limits.service import counted
from licensing.document.envelope import Envelope
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
    """One check-in with everything it is judged by. `calls_full_at` is its bucket after this call."""

    standing: Standing
    request: CheckInRequest
    request_hash: str
    now: int
    calls_full_at: float


def check_in(
    session: Session, desk: Desk, known: Known, opened: OpenedCheckIn, visit: Visit
) -> bytes:
    """Answer a check-in with a lease, or with a signed denial."""
    if opened.request.seq >= MAX_INTEGER:
        raise malformed("The member seq leaves no number for the answer.")
    held = stands.hold(session, known)
    call = _Call(
        held,
        opened.request,
        opened.envelope.body_hash,
        clock.timestamp(),
        _counted(desk, held) if visit.is_limited else held.calls_full_at,
    )
    is_repeat = call.request_hash == held.last_request
    shown = _UNSEEN if is_repeat else _look_at_nonce(session, desk, call)
    chain = Chain(held.head_seq, held.forks, held.clean, held.is_held)
    step = judge(chain, Presented(call.request.seq, shown.kind, is_repeat))
    if step.meaning is Meaning.REPEAT:
        return _repeated(session, call)
    return _answer(session, desk, call, step, shown)


_UNSEEN = Shown(NonceKind.UNKNOWN, None)


def _look_at_nonce(session: Session, desk: Desk, call: _Call) -> Shown:
    held, nonce = call.standing, call.request.nonce
    return stands.look_at_nonce(
        session, held, nonce, desk.mint.recognise(held.activation_id, nonce)
    )


def _counted(desk: Desk, held: Standing) -> float:
    """Return the bucket with this call in it; the row that is written anyhow keeps it."""
    limits = desk.settings.limits
    rule = Rule(held.activation_id, limits.checkin_burst, limits.checkin_interval_s)
    return counted(rule, held.calls_full_at)


def _repeated(session: Session, call: _Call) -> bytes:
    """Return the stored reply once more; nothing changes but the count."""
    if call.calls_full_at != call.standing.calls_full_at:
        stands.write_down(session, call.standing, {"calls_full_at": call.calls_full_at})
    return last_answer(session, call.standing.id)


def _answer(session: Session, desk: Desk, call: _Call, step: Step, shown: Shown) -> bytes:
    held = call.standing
    refused = ENDED.get(held.status) or _too_old(desk, call)
    changes: dict[str, object] = {}
    if refused is None:
        changes |= _told(call, step)
        _raise_flags(session, call, step, shown)
        if step.meaning is Meaning.HOLD:
            refused = Code.E_CLONE_SUSPECTED
    if refused is not None:
        envelope = deny(desk, call.request_hash, call.now, refused, sentence(refused))
    else:
        if step.abandons_head:
            _give_up_head(session, desk, call)
        signed = _next_lease(session, desk, call, step, shown)
        envelope, changes = signed.envelope, changes | signed.head()
    _keep(session, call, envelope, changes)
    return envelope.raw


def _keep(session: Session, call: _Call, envelope: Envelope, changes: dict[str, object]) -> None:
    kept = {
        "last_request": call.request_hash,
        "last_answer": envelope.raw,
        "last_seen_at": call.now,
        "calls_full_at": call.calls_full_at,
    }
    stands.write_down(session, call.standing, changes | kept)


def _next_lease(session: Session, desk: Desk, call: _Call, step: Step, shown: Shown) -> SignedLease:
    held = call.standing
    # One version of the keys for the whole answer: what it tells and what signs it.
    ring = desk.keys.ring()
    terms = stands.refreshed(session, ring, held.terms, call.now)
    news = news_for(shown.told, Told(terms.serial, ring.keyset.version))
    offered = stands.envelope_of(session, terms) if news.license else None
    turn = Turn(
        ring=ring,
        terms=terms,
        activation_id=held.activation_id,
        generation=held.generation,
        head_hash=held.head_hash,
        request_hash=call.request_hash,
        now=call.now,
    )
    notices = (*step.notices, *news.notices(), *_about_seats(call, terms))
    return sign_lease(desk.mint, turn, Link(step.chain.seq, notices, offered, news.keyset))


def _about_seats(call: _Call, terms: Terms) -> Sequence[NoticeCode]:
    over = call.request.usage.named > terms.named
    return [NoticeCode.SEATS_OVER_NEW_CAP] if over else []


def _too_old(desk: Desk, call: _Call) -> Code | None:
    oldest = desk.settings.clients.oldest_version
    if oldest and is_older(call.request.product_version, oldest):
        return Code.E_CLIENT_TOO_OLD
    return None


def _told(call: _Call, step: Step) -> dict[str, object]:
    """Return the counters of the chain and what the installation tells about itself."""
    request = call.request
    # Told once and settled by the vendor, a changed machine is no news every day.
    machine = {"shown_fingerprint": dict(request.fp)} if _is_new_machine(call) else {}
    return {
        **machine,
        "forks": step.chain.forks,
        "clean": step.chain.clean,
        "is_held": step.chain.is_held,
        "product_version": request.product_version,
        "mode": request.mode.value,
        "usage": {
            "named": request.usage.named,
            "peak_concurrent": request.usage.peak_concurrent,
            "service": request.usage.service,
        },
    }


def _give_up_head(session: Session, desk: Desk, call: _Call) -> None:
    held = call.standing
    if held.head_nonce is not None:
        told = desk.mint.recognise(held.activation_id, held.head_nonce)
        stands.give_up(session, held, told or Told(0, 0), call.now)


def _raise_flags(session: Session, call: _Call, step: Step, shown: Shown) -> None:
    held = call.standing
    forks = f"{step.chain.forks} forks of {held.activation_id}"
    if step.meaning is Meaning.HOLD and not held.is_held:
        _flag(session, held, FlagKind.CLONE_HOLD, forks)
        note(
            session,
            PROTOCOL,
            "activation.hold",
            held.terms.license_id,
            {"activation": held.activation_id, "forks": step.chain.forks},
        )
    elif NoticeCode.CLONE_REVIEW in step.notices:
        _flag(session, held, FlagKind.CLONE_REVIEW, forks)
    if _is_new_machine(call):
        _flag(session, held, FlagKind.FINGERPRINT_CHANGED, held.activation_id)
    if shown.told is not None and shown.told.license_serial > held.terms.serial:
        _flag(session, held, FlagKind.BEHIND, f"serial {shown.told.license_serial}")


def _is_new_machine(call: _Call) -> bool:
    """Tell whether this is another machine than at activation, and another than the last time that was told."""
    held, shown = call.standing, call.request.fp
    known = (held.fingerprint, held.shown_fingerprint)
    return not any(one is not None and is_same_machine(one, shown) for one in known)


def _flag(session: Session, held: Standing, kind: FlagKind, detail: str) -> None:
    raise_flag(session, session.get_one(LicenseRecord, held.terms.id), kind, detail)
