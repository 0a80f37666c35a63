"""Reading customers."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.customers.models import Customer
from server.core.errors import NotFound
from server.core.i18n import gettext as _


def get_customer(session: Session, customer_id: str) -> Customer:
    """Return the customer, or raise NotFound."""
    found = session.scalar(select(Customer).where(Customer.customer_id == customer_id))
    if found is None:
        raise NotFound(
            _(
                "There is no customer %(id)s. “daftar-authority customer list” shows them all.",
                id=customer_id,
            )
        )
    return found


def list_customers(session: Session) -> list[Customer]:
    """Return every customer, the oldest first."""
    return list(session.scalars(select(Customer).order_by(Customer.id)))
