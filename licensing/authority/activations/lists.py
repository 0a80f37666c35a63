"""The lists of licences and of activations: what was sold, which servers hold it, which are silent.

Each page costs a fixed number of queries; every filter and sort has an index behind it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import customers_of_rows
from licensing.authority.licenses import lists
from licensing.authority.licenses.lists import flags_of_rows, licenses_of_rows, read_seconds
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import FlagKind
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int

_YES = frozenset({"1", "true", "yes"})
_WINDOW = ("gte", "lte", "gt", "lt")


@dataclass(frozen=True)
class LicenseRow:
    """One licence as a list shows it: whose it is, which server holds it, what is open about it."""

    license: LicenseRecord
    customer: Customer
    active: ActivationRecord | None
    flags: tuple[FlagKind, ...]


@dataclass(frozen=True)
class ActivationRow:
    """One server with the licence it holds or held, and whose that is."""

    activation: ActivationRecord
    license: LicenseRecord
    customer: Customer


def _is_active(answer: str) -> ColumnElement[bool]:
    active = exists().where(
        ActivationRecord.license_row_id == LicenseRecord.id,
        ActivationRecord.status == ActivationStatus.ACTIVE,
    )
    return active if answer in _YES else ~active


def _of_license(license_id: str) -> ColumnElement[bool]:
    found = select(LicenseRecord.id).where(LicenseRecord.license_id == license_id)
    return ActivationRecord.license_row_id.in_(found)


LICENSES = replace(lists.LICENSES, conditions={**lists.LICENSES.conditions, "active": _is_active})

ACTIVATIONS = ListSpec(
    key=ActivationRecord.id,
    filters={
        "status": Field(ActivationRecord.status, operators=("eq", "in")),
        "activation": Field(ActivationRecord.activation_id, operators=("eq",)),
        "last_seen_at": Field(ActivationRecord.last_seen_at, read_seconds, _WINDOW),
    },
    conditions={"license": _of_license},
    sorts={
        "id": Field(ActivationRecord.id, read_int),
        "last_seen_at": Field(ActivationRecord.last_seen_at, read_int),
    },
    default_sort="-id",
)


def list_licenses(session: Session, wish: ListQuery) -> Page[LicenseRow]:
    """Return one page of licences, found by their id, site or customer."""
    found = page(session, select(LicenseRecord), LICENSES, wish)
    customers = customers_of_rows(session, [one.customer_row_id for one in found.items])
    rows = [one.id for one in found.items]
    active, flags = active_of_rows(session, rows), flags_of_rows(session, rows)
    return found.with_items(
        LicenseRow(
            one, customers[one.customer_row_id], active.get(one.id), tuple(flags.get(one.id, ()))
        )
        for one in found.items
    )


def list_activations(session: Session, wish: ListQuery) -> Page[ActivationRow]:
    """Return one page of activations; by `status` and `last_seen_at` those that have gone silent."""
    found = page(session, select(ActivationRecord), ACTIVATIONS, wish)
    licenses = licenses_of_rows(session, [one.license_row_id for one in found.items])
    customers = customers_of_rows(session, [one.customer_row_id for one in licenses.values()])
    pairs = [(one, licenses[one.license_row_id]) for one in found.items]
    return found.with_items(
        ActivationRow(one, sold, customers[sold.customer_row_id]) for one, sold in pairs
    )


def active_of_rows(session: Session, rows: Collection[int]) -> dict[int, ActivationRecord]:
    """Return the servers that hold the licences of these rows; one query."""
    if not rows:
        return {}
    found = session.scalars(
        select(ActivationRecord).where(
            ActivationRecord.license_row_id.in_(rows),
            ActivationRecord.status == ActivationStatus.ACTIVE,
        )
    )
    return {activation.license_row_id: activation for activation in found}
