"""Reading customers."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.customers.models import Customer
from licensing.authority.customers.rules import name_key
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int
from server.core.search_index import search_in

CUSTOMERS = ListSpec(
    key=Customer.id,
    filters={
        "organization": Field(Customer.organization, operators=("eq", "in")),
        "email": Field(Customer.email, operators=("eq", "in")),
        "name": Field(Customer.name_key, name_key, ("eq",)),
    },
    sorts={"name": Field(Customer.name_key), "id": Field(Customer.id, read_int)},
    default_sort="-id",
    search=search_in(Customer.search_text),
)


def get_customer(session: Session, customer_id: str, *, lock: bool = False) -> Customer:
    """Return the customer, locked for a change if need be, or raise NotFound."""
    query = select(Customer).where(Customer.customer_id == customer_id)
    if lock:  # as it is now, whatever this request read of it before
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound(
            _(
                "There is no customer %(id)s. “daftar-authority customer list” shows them all.",
                id=customer_id,
            )
        )
    return found


def list_customers(session: Session, wish: ListQuery) -> Page[Customer]:
    """Return one page of customers, found by name, address or id."""
    return page(session, select(Customer), CUSTOMERS, wish)


def every_customer(session: Session) -> list[Customer]:
    """Return every customer, the oldest first."""
    return list(session.scalars(select(Customer).order_by(Customer.id)))


def customers_of_rows(session: Session, rows: Collection[int]) -> dict[int, Customer]:
    """Return the customers of these rows; one query."""
    if not rows:
        return {}
    found = session.scalars(select(Customer).where(Customer.id.in_(set(rows))))
    return {customer.id: customer for customer in found}
