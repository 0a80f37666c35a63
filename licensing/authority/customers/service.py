"""Changing customers. The caller opens the transaction; nothing here commits."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import get_customer
from licensing.authority.customers.rules import name_key, normal_email, organization_of
from licensing.authority.licenses.service import index_licenses_of
from licensing.authority.names import new_name
from server.core.contact import clean_phone
from server.core.errors import Invalid
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _
from server.core.text import search_text

NAME_LENGTH = 200


@dataclass(frozen=True)
class CustomerDraft:
    """What the vendor knows about a new customer; `timezone` decides when a paid day ends.

    Warnings go to `email` and `phone`, in the language `locale`.
    """

    name: str
    timezone: str
    email: str | None = None
    phone: str | None = None
    locale: str = "fa"


def check_timezone(name: str) -> str:
    """Return the name of a time zone, or raise Invalid."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            _("%(name)s is no time zone. One is called Asia/Tehran.", name=name), field="timezone"
        ) from error
    return name


def checked(draft: CustomerDraft) -> CustomerDraft:
    """Return what was typed in its normal form, or raise Invalid."""
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
    phone = clean_phone(draft.phone, "phone") if draft.phone and draft.phone.strip() else None
    if draft.locale not in LOCALES:
        raise Invalid(_("The language is one of fa, en and fr."), field="locale")
    return CustomerDraft(name, check_timezone(draft.timezone), email, phone, draft.locale)


def add_customer(session: Session, operator: str, draft: CustomerDraft) -> Customer:
    """Write down a new customer."""
    draft = checked(draft)
    customer = Customer(
        customer_id=new_name("cus"),
        name=draft.name,
        email=draft.email,
        organization=organization_of(draft.email) if draft.email else None,
        phone=draft.phone,
        locale=draft.locale,
        timezone=draft.timezone,
    )
    index_customer(customer)
    session.add(customer)
    session.flush()
    note(session, operator, "customer.add", customer.customer_id, {"name": draft.name})
    return customer


def change_customer(
    session: Session, operator: str, customer_id: str, draft: CustomerDraft
) -> Customer:
    """Correct what is known of a customer. Licences carry a new name from their next document on.

    A paid term keeps its end, whatever becomes of the zone, and trials are counted by the address
    they were started under, so no change gives anybody another one (R-LIC-11).
    """
    draft = checked(draft)
    customer = get_customer(session, customer_id, lock=True)
    before = draft_of(customer)
    if draft == before:
        return customer
    customer.name, customer.timezone, customer.email = draft.name, draft.timezone, draft.email
    customer.phone, customer.locale = draft.phone, draft.locale
    customer.organization = organization_of(draft.email) if draft.email else None
    index_customer(customer)
    index_licenses_of(session, customer)
    session.flush()
    note(
        session,
        operator,
        "customer.change",
        customer_id,
        {
            "name": draft.name,
            "name_before": before.name,
            "email": draft.email,
            "email_before": before.email,
            "phone": draft.phone,
            "phone_before": before.phone,
            "locale": draft.locale,
            "locale_before": before.locale,
            "timezone": draft.timezone,
            "timezone_before": before.timezone,
        },
    )
    return customer


def draft_of(customer: Customer) -> CustomerDraft:
    """Return what is known of a customer, as it was typed."""
    return CustomerDraft(
        customer.name, customer.timezone, customer.email, customer.phone, customer.locale
    )


def index_customer(customer: Customer) -> None:
    """Bring what a customer is found and sorted by up to date."""
    customer.name_key = name_key(customer.name)
    customer.search_text = search_text(
        customer.name, customer.email, customer.phone, customer.customer_id
    )
