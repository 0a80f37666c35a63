"""What a request file asks, told before anything is done about it. Nothing here changes anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import customers_of_rows
from licensing.authority.licenses.models import LicenseRecord
from licensing.document.envelope import load_envelope, sha256
from licensing.document.requests import (
    ActivateRequest,
    CheckInRequest,
    DeactivateRequest,
    claimed_activation_id,
    open_activation,
    open_check_in,
    open_deactivation,
)
from licensing.document.trust import answer_kind
from server.core.errors import NotFound
from server.core.i18n import gettext as _

_NUMBER_LENGTH = 8


@dataclass(frozen=True)
class Asked:
    """A request whose signature holds, and what we know of the licence and the server behind it.

    `number` is the beginning of the request's hash, which the customer's server shows as well. `license`
    is None for an activation code that no licence has.
    """

    kind: str
    number: str
    product_version: str
    sent_at: int
    fingerprint: Mapping[str, str]
    license: LicenseRecord | None
    customer: Customer | None
    activation: ActivationRecord | None
    seq: int | None = None
    mode: str | None = None
    usage: Mapping[str, int] | None = None
    reason: str | None = None


def what_is_asked(session: Session, raw: bytes) -> Asked:
    """Read a `.dftreq`. Raise DocumentError when it is none, NotFound for a stranger's."""
    kinds: list[type[ActivateRequest | CheckInRequest | DeactivateRequest]] = [
        ActivateRequest,
        CheckInRequest,
        DeactivateRequest,
    ]
    kind = answer_kind(raw, kinds)
    if kind is ActivateRequest:
        return _activation(session, open_activation(raw).request, number_of(raw))
    server = _server(session, claimed_activation_id(raw))
    if kind is CheckInRequest:
        wanted = open_check_in(raw, server.instance_pub).request
        return _check_in(session, server, wanted, number_of(raw))
    leaving = open_deactivation(raw, server.instance_pub).request
    return _check_in(session, server, leaving.checkin, number_of(raw), leaving.reason.value)


def number_of(raw: bytes) -> str:
    """Return the number by which both sides name this request."""
    return sha256(load_envelope(raw).body)[:_NUMBER_LENGTH]


def _server(session: Session, activation_id: str) -> ActivationRecord:
    found = session.scalar(
        select(ActivationRecord).where(ActivationRecord.activation_id == activation_id)
    )
    if found is None:
        raise NotFound(
            _(
                "This authority does not know the server that asks, %(id)s. It was activated by "
                "another authority, or before this one's database was restored.",
                id=activation_id,
            )
        )
    return found


def _activation(session: Session, wanted: ActivateRequest, number: str) -> Asked:
    license_ = session.scalar(select(LicenseRecord).where(LicenseRecord.code_id == wanted.code_id))
    active = None
    if license_ is not None:
        active = session.scalar(
            select(ActivationRecord)
            .where(ActivationRecord.license_row_id == license_.id)
            .order_by(ActivationRecord.id.desc())
            .limit(1)
        )
    return Asked(
        kind="activate",
        number=number,
        product_version=wanted.product_version,
        sent_at=wanted.sent_at,
        fingerprint=wanted.fp,
        license=license_,
        customer=_customer(session, license_),
        activation=active,
    )


def _check_in(
    session: Session,
    server: ActivationRecord,
    wanted: CheckInRequest,
    number: str,
    reason: str | None = None,
) -> Asked:
    license_ = session.get_one(LicenseRecord, server.license_row_id)
    usage = wanted.usage
    return Asked(
        kind="check-in" if reason is None else "deactivate",
        number=number,
        product_version=wanted.product_version,
        sent_at=wanted.sent_at,
        fingerprint=wanted.fp,
        license=license_,
        customer=_customer(session, license_),
        activation=server,
        seq=wanted.seq,
        mode=wanted.mode.value,
        usage={
            "named": usage.named,
            "peak_concurrent": usage.peak_concurrent,
            "service": usage.service,
        },
        reason=reason,
    )


def _customer(session: Session, license_: LicenseRecord | None) -> Customer | None:
    if license_ is None:
        return None
    return customers_of_rows(session, [license_.customer_row_id]).get(license_.customer_row_id)
