"""`daftar-authority customer`."""

import click

from licensing.authority.commands.home import open_home
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import every_customer, get_customer
from licensing.authority.customers.service import (
    CustomerDraft,
    add_customer,
    change_customer,
    draft_of,
)
from server.core.clock import rfc3339
from server.core.command_line import HomeGroup, json_option, report
from server.core.i18n import LOCALES
from server.core.i18n import gettext as _


@click.group("customer", cls=HomeGroup)
def group() -> None:
    """Keep the customers."""


@group.command("add")
@click.option("--name", required=True, help="Who buys.")
@click.option("--email", help="An address of the organisation; trials are counted by its domain.")
@click.option("--phone", help="A mobile number for warnings by SMS.")
@click.option(
    "--locale",
    type=click.Choice(LOCALES),
    default="fa",
    show_default=True,
    help="The language of warnings.",
)
@click.option("--timezone", help="Where the customer's days end; by default that of the settings.")
@json_option
def add(
    *,
    name: str,
    email: str | None,
    phone: str | None,
    locale: str,
    timezone: str | None,
    as_json: bool,
) -> None:
    """Write down a customer."""
    with open_home() as home:
        zone = timezone or home.settings.selling.timezone
        with home.database.write() as session:
            draft = CustomerDraft(name, zone, email, phone, locale)
            customer = add_customer(session, home.operator, draft)
    lines = _("%(name)s is customer %(id)s.", name=customer.name, id=customer.customer_id)
    report({"customer_id": customer.customer_id}, lines, as_json=as_json)


@group.command("change")
@click.argument("customer_id", metavar="ID")
@click.option("--name", help="The corrected name; licences carry it from their next document on.")
@click.option("--email", help="An address of the organisation.")
@click.option("--phone", help="A mobile number for warnings by SMS.")
@click.option("--locale", type=click.Choice(LOCALES), help="The language of warnings.")
@click.option("--timezone", help="Where the customer's days end from now on.")
@json_option
def change(  # noqa: PLR0913 - one argument for each option of the command line
    *,
    customer_id: str,
    name: str | None,
    email: str | None,
    phone: str | None,
    locale: str | None,
    timezone: str | None,
    as_json: bool,
) -> None:
    """Correct what is known of a customer; a licence is never handed to another one."""
    with open_home() as home, home.database.write() as session:
        held = draft_of(get_customer(session, customer_id))
        wanted = CustomerDraft(
            name or held.name,
            timezone or held.timezone,
            held.email if email is None else email,
            held.phone if phone is None else phone,
            locale or held.locale,
        )
        if wanted == held:
            raise click.UsageError(_("Name at least one change, such as --email it@pars.example."))
        customer = change_customer(session, home.operator, customer_id, wanted)
    lines = _("%(name)s is customer %(id)s.", name=customer.name, id=customer.customer_id)
    report(_shown(customer), lines, as_json=as_json)


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Show every customer."""
    with open_home() as home, home.database.read() as session:
        customers = every_customer(session)
    lines = "\n".join(
        f"{one.customer_id}  {one.name}" + (f"  <{one.email}>" if one.email else "")
        for one in customers
    )
    empty = _("There is no customer yet. “daftar-authority customer add” writes one down.")
    report({"items": [_shown(one) for one in customers]}, lines or empty, as_json=as_json)


def _shown(customer: Customer) -> dict[str, object]:
    return {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "locale": customer.locale,
        "timezone": customer.timezone,
        "created_at": rfc3339(customer.created_at),
    }
