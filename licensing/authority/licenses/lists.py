"""The lists of flags and of serials, and what a list of licences offers (that list: activations/lists.py)."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import customers_of_rows
from licensing.authority.licenses.models import Flag, LicenseRecord, LicenseSerial, end_order
from licensing.authority.licenses.rules import FlagKind
from licensing.document.documents import open_body
from licensing.document.envelope import load_envelope
from licensing.document.license import License
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment
from server.core.search_index import search_in


@dataclass(frozen=True)
class FlagRow:
    """One flag with the licence it is about and whose that is."""

    flag: Flag
    license: LicenseRecord
    customer: Customer


@dataclass(frozen=True)
class SerialRow:
    """One document that was signed for a licence, and by which key."""

    serial: int
    issued_at: int
    signed_by: str | None
    document: License


def read_seconds(text: str) -> int:
    """Read an RFC 3339 moment as Unix seconds."""
    return int(read_moment(text).timestamp())


def _of_customer(customer_id: str) -> ColumnElement[bool]:
    found = select(Customer.id).where(Customer.customer_id == customer_id)
    return LicenseRecord.customer_row_id.in_(found)


def _has_flag(kind: str) -> ColumnElement[bool]:
    """Return the condition for licences with this flag up; `any` is for whichever."""
    up = select(Flag.license_row_id).where(Flag.resolved_at.is_(None))
    if kind != "any":
        up = up.where(Flag.kind == _flag_kind(kind))
    return LicenseRecord.id.in_(up)


def _flag_kind(text: str) -> FlagKind:
    try:
        return FlagKind(text)
    except ValueError as error:
        raise Invalid(_("There is no flag “%(name)s”.", name=text), field="filter[flag]") from error


def _is_open(answer: str) -> ColumnElement[bool]:
    is_yes = answer in {"1", "true", "yes"}
    return Flag.resolved_at.is_(None) if is_yes else Flag.resolved_at.is_not(None)


_WINDOW = ("gte", "lte", "gt", "lt")

LICENSES = ListSpec(
    key=LicenseRecord.id,
    filters={
        "status": Field(LicenseRecord.status, operators=("eq", "in")),
        "kind": Field(LicenseRecord.kind, operators=("eq", "in")),
        "expires_at": Field(end_order(), read_seconds, _WINDOW),
        "named": Field(LicenseRecord.named, read_int, ("eq", *_WINDOW)),
        "signed_by": Field(LicenseRecord.signed_by, operators=("eq", "in")),
    },
    conditions={"customer": _of_customer, "flag": _has_flag},
    sorts={
        "id": Field(LicenseRecord.id, read_int),
        "expires_at": Field(end_order(), read_int),
        "named": Field(LicenseRecord.named, read_int),
    },
    default_sort="-id",
    search=search_in(LicenseRecord.search_text),
)

FLAGS = ListSpec(
    key=Flag.id,
    filters={"kind": Field(Flag.kind, operators=("eq", "in"))},
    conditions={"open": _is_open},
    sorts={"id": Field(Flag.id, read_int)},
    default_sort="-id",
)

SERIALS = ListSpec(
    key=LicenseSerial.serial,
    sorts={"serial": Field(LicenseSerial.serial, read_int)},
    default_sort="-serial",
)


def list_flags(session: Session, wish: ListQuery) -> Page[FlagRow]:
    """Return one page of flags, with the licences they are about."""
    found = page(session, select(Flag), FLAGS, wish)
    licenses = licenses_of_rows(session, [one.license_row_id for one in found.items])
    customers = customers_of_rows(session, [one.customer_row_id for one in licenses.values()])
    rows = [(flag, licenses[flag.license_row_id]) for flag in found.items]
    return found.with_items(
        [FlagRow(flag, sold, customers[sold.customer_row_id]) for flag, sold in rows]
    )


def list_serials(session: Session, license_: LicenseRecord, wish: ListQuery) -> Page[SerialRow]:
    """Return one page of the documents of a licence, the newest first."""
    query = select(LicenseSerial).where(LicenseSerial.license_row_id == license_.id)
    found = page(session, query, SERIALS, wish)
    return found.with_items(
        [
            SerialRow(
                one.serial,
                one.issued_at,
                one.signed_by,
                open_body(load_envelope(one.envelope.encode()), License),
            )
            for one in found.items
        ],
    )


def licenses_of_rows(session: Session, rows: Collection[int]) -> dict[int, LicenseRecord]:
    """Return the licences of these rows; one query."""
    if not rows:
        return {}
    found = session.scalars(select(LicenseRecord).where(LicenseRecord.id.in_(set(rows))))
    return {license_.id: license_ for license_ in found}


def flags_of_rows(session: Session, rows: Collection[int]) -> dict[int, list[FlagKind]]:
    """Return what is open about the licences of these rows; one query."""
    up: dict[int, list[FlagKind]] = {}
    if not rows:
        return up
    found = session.execute(
        select(Flag.license_row_id, Flag.kind)
        .where(Flag.license_row_id.in_(rows), Flag.resolved_at.is_(None))
        .order_by(Flag.id)
    )
    for row, kind in found:
        up.setdefault(row, []).append(kind)
    return up
