"""Giving an activation back: the signed proof, and what the reason does to the licence. Commits nothing."""

from sqlalchemy.orm import Session

from licensing.authority.activations import queries
from licensing.authority.activations.check_in import ENDED
from licensing.authority.activations.desk import Desk, Visit, deny
from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.activations.service import sentence
from licensing.authority.activations.standing import Known
from licensing.authority.audit.service import PROTOCOL, note
from licensing.authority.licenses.flags import settle_flags
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.authority.limits.rules import per_day
from licensing.authority.limits.service import take
from licensing.document.answers import Deactivation
from licensing.document.requests import DeactivationReason, OpenedDeactivation
from server.core import clock


def deactivate(
    session: Session, desk: Desk, known: Known, opened: OpenedDeactivation, visit: Visit
) -> bytes:
    """End an activation and return the proof; whatever nonce is shown, the signature says who asks."""
    license_, activation = queries.hold(session, known)
    request_hash, now = opened.envelope.body_hash, clock.timestamp()
    if activation.proof_request == request_hash:
        return queries.proof_of(session, activation)
    if visit.is_limited:
        most = desk.settings.limits.deactivation_per_day
        take(session, [per_day("deactivation", activation.activation_id, most)])
    if activation.status in ENDED:
        code = ENDED[activation.status]
        return deny(desk, request_hash, now, code, sentence(code)).raw
    reason = opened.request.reason
    proof = Deactivation(
        activation_id=activation.activation_id,
        license_id=license_.license_id,
        generation=activation.generation,
        final_seq=activation.head_seq,
        deactivated_at=now,
        reason=reason,
        req_hash=request_hash,
        # A server without a line could have gone on working until its lease ended.
        refund_eligible_at=now if visit.is_online else max(now, activation.lease_expires_at),
        server_time=now,
    )
    envelope = desk.keys.seal(proof, now)
    activation.proof_request, activation.proof = request_hash, envelope.raw
    end_activation(activation, ActivationStatus.DEACTIVATED, reason.value, now)
    _close(license_, reason)
    settle_flags(session, license_, [FlagKind.CLONE_REVIEW, FlagKind.CLONE_HOLD])
    detail = {"activation": activation.activation_id, "reason": reason.value}
    note(session, PROTOCOL, "activation.end", license_.license_id, detail)
    session.flush()
    return envelope.raw


def end_activation(
    activation: ActivationRecord, status: ActivationStatus, reason: str, now: int
) -> None:
    """Write down that an activation is over."""
    activation.status = status
    activation.end_reason = reason
    activation.ended_at = now
    activation.is_held = False


def _close(license_: LicenseRecord, reason: DeactivationReason) -> None:
    """Close a licence that was given back for good; what the vendor revoked stays revoked."""
    if reason is not DeactivationReason.MOVE and license_.status is not LicenseStatus.REVOKED:
        license_.status = LicenseStatus.CLOSED
