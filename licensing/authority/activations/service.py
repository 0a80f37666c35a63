"""Activating: one licence, one server. The caller opens the transaction; nothing here commits.

The order of the questions is that of licensing.md §5. Key and signature were judged before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from licensing.authority.activations import queries
from licensing.authority.activations.challenges import is_fresh
from licensing.authority.activations.desk import Desk, Visit, deny
from licensing.authority.activations.leases import Asked, sign_bundle
from licensing.authority.activations.models import (
    ActivationComponent,
    ActivationRecord,
    KeptAnswer,
    OfflineChallenge,
)
from licensing.authority.activations.rules import is_older
from licensing.authority.audit.service import PROTOCOL, note
from licensing.authority.licenses.documents import refresh
from licensing.authority.licenses.flags import raise_flag
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import lock_by_code
from licensing.authority.licenses.rules import FlagKind, refusal
from licensing.authority.licenses.trials import is_trial_used, start_trial
from licensing.authority.limits.rules import per_day
from licensing.authority.limits.service import take
from licensing.authority.names import new_name
from licensing.document.activation_code import is_code_proof
from licensing.document.envelope import Envelope
from licensing.document.errors import Code
from licensing.document.keys import encode_public_key
from licensing.document.license import Kind
from licensing.document.nonces import is_offline_challenge
from licensing.document.requests import ActivateRequest, OpenedActivation
from server.core import clock
from server.core.i18n import gettext as _

WRONG_CODE_STREAK = 5
WEAK_BINDING = 3  # a machine with fewer readable components is bound weakly


class _Refused(Exception):
    """A signed no; what was counted on the way to it is kept."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True)
class _Wish:
    request: ActivateRequest
    request_hash: str
    visit: Visit
    now: int


_SENTENCES: Mapping[Code, Callable[[], str]] = {
    Code.E_CHALLENGE: lambda: _(
        "The challenge is not ours or too old. Take a new one and try again."
    ),
    Code.E_CODE: lambda: _("This activation code is not valid. Check it, or ask your vendor."),
    Code.E_SUSPENDED: lambda: _("This licence is suspended. Speak to your vendor."),
    Code.E_REVOKED: lambda: _("This licence was revoked. Speak to your vendor."),
    Code.E_DEACTIVATED: lambda: _("This licence was given back and cannot be activated again."),
    Code.E_NOT_STARTED: lambda: _("The term of this licence has not begun."),
    Code.E_EXPIRED: lambda: _("The term of this licence is over. Renew it first."),
    Code.E_CLIENT_TOO_OLD: lambda: _("This version of the product is too old. Upgrade it first."),
    Code.E_MAINTENANCE: lambda: _(
        "This version is newer than the maintenance of the licence. "
        "Renew the maintenance, or install an older version."
    ),
    Code.E_CLONE_SUSPECTED: lambda: _(
        "Copies of this installation were seen. Speak to your vendor, who can release it."
    ),
    Code.E_ALREADY_ACTIVE: lambda: _(
        "This licence is active on another server. Deactivate it there, or ask your vendor to move it."
    ),
    Code.E_TRIAL_USED: lambda: _("This organisation or this machine has had its trial."),
    Code.E_SUPERSEDED: lambda: _("This licence was moved to another server."),
}


def sentence(code: Code) -> str:
    """Return what a denial of this code says to people."""
    return _SENTENCES[code]()


def activate(session: Session, desk: Desk, opened: OpenedActivation, visit: Visit) -> bytes:
    """Answer an activation request; the same payload gets the same bytes, whenever it comes again."""
    request, request_hash = opened.request, opened.envelope.body_hash
    # Locked before the look, so that of two equal requests the second finds the first one's answer.
    license_ = lock_by_code(session, request.code_id)
    kept = queries.kept_answer(session, request_hash)
    if kept is not None:
        return kept
    if visit.is_limited:
        most = desk.settings.limits.activation_per_code_day
        take(session, [per_day("activation-code", request.code_id[:40], most)])
    wish = _Wish(request, request_hash, visit, clock.timestamp())
    try:
        answer = _bind(session, desk, license_, wish)
    except _Refused as refused:
        no = deny(desk, request_hash, wish.now, refused.code, sentence(refused.code))
        return _keep(session, wish, no, is_denial=True)
    return _keep(session, wish, answer, is_denial=False)


def _bind(session: Session, desk: Desk, license_: LicenseRecord | None, wish: _Wish) -> Envelope:
    _check_challenge(session, desk, wish)
    license_ = _check_code(session, license_, wish)
    reason = refusal(
        license_.status, license_.starts_at, license_.expires_at, license_.grace_days, wish.now
    )
    if reason is not None:
        raise _Refused(reason)
    _check_version(desk, license_, wish.request.product_version)
    activation = queries.active_of(session, license_)
    if activation is None:
        activation = _new_activation(session, desk, license_, wish)
    elif activation.instance_pub != wish.request.instance_pub:
        raise _Refused(Code.E_ALREADY_ACTIVE)
    elif activation.is_held:
        raise _Refused(Code.E_CLONE_SUSPECTED)
    ring = desk.keys.ring()
    refresh(session, ring, license_, wish.now)
    return sign_bundle(desk.mint, license_, activation, Asked(ring, wish.request_hash, wish.now))


def _check_challenge(session: Session, desk: Desk, wish: _Wish) -> None:
    challenge = wish.request.challenge
    if wish.visit.is_online:
        right = is_fresh(desk.challenge_secret, challenge, wish.now)
    else:
        right = is_offline_challenge(challenge) and _is_first_use(session, challenge, wish.now)
    if not right:
        raise _Refused(Code.E_CHALLENGE)


def _is_first_use(session: Session, challenge: str, now: int) -> bool:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    written = session.scalar(
        insert(OfflineChallenge)
        .values(challenge=challenge, used_at=now)
        .on_conflict_do_nothing()
        .returning(OfflineChallenge.challenge)
    )
    return written is not None


def _check_code(session: Session, license_: LicenseRecord | None, wish: _Wish) -> LicenseRecord:
    request = wish.request
    # An unknown code costs the same time as a wrong proof.
    key = bytes(32) if license_ is None else license_.code_key
    instance = encode_public_key(request.instance_pub)
    is_right = is_code_proof(key, request.challenge, instance, request.code_proof)
    if license_ is None:
        raise _Refused(Code.E_CODE)
    if not is_right:
        license_.wrong_codes += 1
        if license_.wrong_codes == WRONG_CODE_STREAK:
            streak = {"in_a_row": license_.wrong_codes}
            note(session, PROTOCOL, "activation.wrong_codes", license_.license_id, streak)
        if license_.wrong_codes >= WRONG_CODE_STREAK:
            raise_flag(session, license_, FlagKind.WRONG_CODES, f"{license_.wrong_codes} in a row")
        raise _Refused(Code.E_CODE)
    license_.wrong_codes = 0
    return license_


def _check_version(desk: Desk, license_: LicenseRecord, version: str) -> None:
    clients = desk.settings.clients
    if clients.oldest_version and is_older(version, clients.oldest_version):
        raise _Refused(Code.E_CLIENT_TOO_OLD)
    if license_.kind is Kind.PERPETUAL:
        built, until = clients.built_at(version), license_.maintenance_until
        if built is not None and until is not None and built > until:
            raise _Refused(Code.E_MAINTENANCE)


def _new_activation(
    session: Session, desk: Desk, license_: LicenseRecord, wish: _Wish
) -> ActivationRecord:
    fingerprint = dict(wish.request.fp)
    if license_.kind is Kind.TRIAL and license_.serial == 0:
        _begin_trial(session, desk, license_, wish)
    license_.generation += 1
    activation = ActivationRecord(
        activation_id=new_name("act"),
        license_row_id=license_.id,
        generation=license_.generation,
        instance_pub=wish.request.instance_pub,
        fingerprint=fingerprint,
        activated_at=wish.now,
        head_seq=0,
        forks=0,
        clean=0,
        is_held=False,
        usage={},
        last_seen_at=wish.now,
        product_version=wish.request.product_version,
    )
    session.add(activation)
    session.flush()
    session.add_all(
        ActivationComponent(activation_row_id=activation.id, name=name, value=value)
        for name, value in fingerprint.items()
    )
    _look_at_machine(session, license_, fingerprint)
    note(
        session,
        PROTOCOL,
        "activation.begin",
        license_.license_id,
        {"activation": activation.activation_id, "generation": activation.generation},
    )
    return activation


def _begin_trial(session: Session, desk: Desk, license_: LicenseRecord, wish: _Wish) -> None:
    if session.get_bind().dialect.name == "postgresql":
        # Two trials of one machine are two licences, so neither's row would keep the other waiting.
        session.execute(text("LOCK TABLE trial_uses IN SHARE ROW EXCLUSIVE MODE"))
    fingerprint = dict(wish.request.fp)
    if is_trial_used(session, license_, fingerprint):
        raise _Refused(Code.E_TRIAL_USED)
    start_trial(session, desk.keys, license_, fingerprint, wish.now)


def _look_at_machine(
    session: Session, license_: LicenseRecord, fingerprint: dict[str, str]
) -> None:
    if len(fingerprint) < WEAK_BINDING:
        detail = f"{len(fingerprint)} components"
        raise_flag(session, license_, FlagKind.WEAK_BINDING, detail)
    others = queries.licenses_of_machine(session, fingerprint, license_)
    if others:
        raise_flag(session, license_, FlagKind.SHARED_FINGERPRINT, ", ".join(others[:20]))


def _keep(session: Session, wish: _Wish, answer: Envelope, *, is_denial: bool) -> bytes:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.flush()
    written = session.scalar(
        insert(KeptAnswer)
        .values(
            request_hash=wish.request_hash,
            answer=answer.raw,
            is_denial=is_denial,
            answered_at=wish.now,
        )
        .on_conflict_do_nothing()
        .returning(KeptAnswer.request_hash)
    )
    if written is None:  # the same unknown code twice at once; no licence's row kept them apart
        return queries.kept_answer(session, wish.request_hash) or answer.raw
    return answer.raw
