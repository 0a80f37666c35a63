"""Changing customers. The caller opens the transaction; nothing here commits."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.customers.models import Customer
from licensing.authority.customers.rules import normal_email, organization_of
from licensing.authority.names import new_name
from server.core.errors import Invalid
from server.core.i18n import gettext as _

NAME_LENGTH = 200


@dataclass(frozen=True)
class CustomerDraft:
    """What the vendor knows about a new customer; `timezone` decides when a paid day ends."""

    name: str
    timezone: str
    email: str | None = None


def check_timezone(name: str) -> str:
    """Return the name of a time zone, or raise Invalid."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            _("%(name)s is no time zone. One is called Asia/Tehran.", name=name), field="timezone"
        ) from error
    return name


def add_customer(session: Session, operator: str, draft: CustomerDraft) -> Customer:
    """Write down a new customer."""
    name = draft.name.strip()
    if not 0 < len(name) <= NAME_LENGTH or "\x00" in name:
        raise Invalid(
            _("A customer's name has 1 to %(n)s characters.", n=NAME_LENGTH), field="name"
        )
    email = None
    if draft.email is not None:
        email = normal_email(draft.email)
        if email is None:
            raise Invalid(_("%(email)s is no e-mail address.", email=draft.email), field="email")
    customer = Customer(
        customer_id=new_name("cus"),
        name=name,
        email=email,
        organization=organization_of(email) if email else None,
        timezone=check_timezone(draft.timezone),
    )
    session.add(customer)
    session.flush()
    note(session, operator, "customer.add", customer.customer_id, {"name": name})
    return customer
