"""Reading activations and the answers they were given."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from licensing.authority.activations.models import (
    ActivationComponent,
    ActivationRecord,
    KeptAnswer,
)
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.activations.standing import Known
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import enough


def hold(session: Session, known: Known) -> tuple[LicenseRecord, ActivationRecord]:
    """Return licence and activation, nobody else's until the transaction ends.

    The licence's row is the one lock for everything that happens to it, so it is taken first and
    the activation is read behind it, both as they are now whatever this request read before.
    """
    license_ = session.get_one(
        LicenseRecord, known.license_row_id, with_for_update=True, populate_existing=True
    )
    return license_, session.get_one(ActivationRecord, known.id, populate_existing=True)


def active_of(session: Session, license_: LicenseRecord) -> ActivationRecord | None:
    """Return the activation that holds the licence now, whatever this request read of it before."""
    return session.scalar(
        select(ActivationRecord)
        .where(
            ActivationRecord.license_row_id == license_.id,
            ActivationRecord.status == ActivationStatus.ACTIVE,
        )
        .execution_options(populate_existing=True)
    )


def list_activations(session: Session, license_: LicenseRecord) -> list[ActivationRecord]:
    """Return every activation the licence ever had, the oldest first."""
    return list(
        session.scalars(
            select(ActivationRecord)
            .where(ActivationRecord.license_row_id == license_.id)
            .order_by(ActivationRecord.id)
        )
    )


def active_by_license(session: Session) -> dict[int, ActivationRecord]:
    """Return the active activations by the row of their licence."""
    found = session.scalars(
        select(ActivationRecord).where(ActivationRecord.status == ActivationStatus.ACTIVE)
    )
    return {activation.license_row_id: activation for activation in found}


def kept_answer(session: Session, request_hash: str) -> bytes | None:
    """Return the stored answer to an activation request that was seen before."""
    return session.scalar(select(KeptAnswer.answer).where(KeptAnswer.request_hash == request_hash))


def last_answer(session: Session, row_id: int) -> bytes:
    """Return the stored reply to the last check-in."""
    query = select(ActivationRecord.last_answer).where(ActivationRecord.id == row_id)
    return session.scalars(query).one() or b""


def proof_of(session: Session, activation: ActivationRecord) -> bytes:
    """Return the stored proof of a deactivation."""
    session.refresh(activation, ["proof"])
    return activation.proof or b""


def licenses_of_machine(
    session: Session, fingerprint: dict[str, str], but: LicenseRecord
) -> list[str]:
    """Return other licences that were activated on a machine which shares enough with this one."""
    if not fingerprint:
        return []
    agreeing = [
        (ActivationComponent.name == name) & (ActivationComponent.value == value)
        for name, value in fingerprint.items()
    ]
    anyone = agreeing[0]
    for one in agreeing[1:]:
        anyone = anyone | one
    counted = (
        select(LicenseRecord.license_id)
        .join(ActivationRecord, ActivationRecord.license_row_id == LicenseRecord.id)
        .join(ActivationComponent, ActivationComponent.activation_row_id == ActivationRecord.id)
        .where(anyone, LicenseRecord.id != but.id)
        .group_by(ActivationRecord.id, LicenseRecord.license_id)
        .having(func.count() >= enough(len(fingerprint)))
    )
    return sorted(set(session.scalars(counted)))
