"""Proofs of deactivation that customers hand in: whether they are ours, and whether a refund was paid.

A refund is paid against the signed proof alone, and once (R-LIC-10). Nothing here commits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.audit.service import note
from licensing.authority.keys.store import Keys
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import look_up
from licensing.document.answers import Deactivation
from licensing.document.documents import open_body
from licensing.document.envelope import load_envelope
from licensing.document.errors import DocumentError
from licensing.document.files import load_answer_file
from licensing.document.requests import DeactivationReason
from server.core import clock
from server.core.clock import rfc3339
from server.core.errors import Broken, Conflict, Invalid, NotFound
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Proof:
    """A proof that is ours. `is_on_file`: our own database holds the very same bytes."""

    document: Deactivation
    is_on_file: bool
    refunded_at: int | None


def read_proof(session: Session, keys: Keys, raw: bytes) -> Proof:
    """Return what a proof says. Raise Invalid for what is none, Broken for one that is not ours.

    One that is on file needs no signature any more: its key may have been revoked since. One that a
    lost database has forgotten is believed by its signature.
    """
    envelope_raw = _envelope_of(raw)
    try:
        envelope = load_envelope(envelope_raw)
        claimed = open_body(envelope, Deactivation)
    except DocumentError as error:
        raise Invalid(
            _("That is no proof of a deactivation: %(why)s", why=error.message), field="file"
        ) from error
    kept = _activation(session, claimed.activation_id)
    if kept is not None and kept.proof is not None:
        if kept.proof != envelope.raw:
            raise Broken(_("The proof differs from the one that was given for this activation."))
        return Proof(claimed, is_on_file=True, refunded_at=kept.refunded_at)
    try:
        keys.ring().trust.open(envelope_raw, Deactivation)
    except DocumentError as error:
        raise Broken(
            _("The proof is not signed by this authority: %(why)s", why=error.message)
        ) from error
    return Proof(claimed, is_on_file=False, refunded_at=None)


def _envelope_of(raw: bytes) -> bytes:
    """Return the envelope itself; a customer without a line has it inside the answer file."""
    try:
        return load_answer_file(raw).answer
    except DocumentError:
        return raw.strip()


def _activation(session: Session, activation_id: str) -> ActivationRecord | None:
    return session.scalar(
        select(ActivationRecord)
        .where(ActivationRecord.activation_id == activation_id)
        .options(undefer(ActivationRecord.proof))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def pay_refund(session: Session, operator: str, keys: Keys, raw: bytes) -> Proof:
    """Write down that the refund for this proof is paid; a second time and too early are refused."""
    proof, now = read_proof(session, keys, raw), clock.timestamp()
    document = proof.document
    eligible_at = document.refund_eligible_at or document.deactivated_at
    _check_due(proof, eligible_at, now)
    kept = _activation(session, document.activation_id)
    if kept is not None:
        kept.refunded_at = now
    note(
        session,
        operator,
        "license.refund",
        document.license_id,
        {"activation": document.activation_id, "eligible_at": eligible_at},
    )
    session.flush()
    return Proof(document, is_on_file=True, refunded_at=now)


def _check_due(proof: Proof, eligible_at: int, now: int) -> None:
    document = proof.document
    if document.reason is not DeactivationReason.REFUND:
        raise Conflict(
            _(
                "The licence was given back with the reason “%(reason)s”, not for a refund.",
                reason=document.reason.value,
            )
        )
    if not proof.is_on_file:
        raise Conflict(
            _(
                "The proof is ours, but the activation %(id)s is not in this database, "
                "so whether it was paid before cannot be told. Look into your books.",
                id=document.activation_id,
            )
        )
    if proof.refunded_at is not None:
        raise Conflict(_("The refund was paid on %(day)s already.", day=_moment(proof.refunded_at)))
    if now < eligible_at:
        raise Conflict(
            _(
                "The refund may be paid from %(day)s on: until then the server could go on working.",
                day=_moment(eligible_at),
            )
        )


def newest_proof(session: Session, license_id: str) -> bytes:
    """Return the newest proof that was given for a licence, or raise NotFound."""
    license_: LicenseRecord = look_up(session, license_id)
    found = session.scalar(
        select(ActivationRecord.proof)
        .where(ActivationRecord.license_row_id == license_.id, ActivationRecord.proof.is_not(None))
        .order_by(ActivationRecord.id.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound(_("The licence %(id)s was never given back.", id=license_id))
    return bytes(found)


def _moment(seconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
