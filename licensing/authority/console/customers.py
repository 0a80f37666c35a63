"""Pages of customers: the list, one customer with its licences, its form."""

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField

from licensing.authority.activations.lists import list_licenses
from licensing.authority.audit.queries import list_entries
from licensing.authority.console.desk import console, operator, say
from licensing.authority.console.reading import show_list
from licensing.authority.customers import queries, service
from licensing.authority.customers.service import CustomerDraft
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.core.listing import Filter, ListQuery
from server.http.access import needs
from server.http.forms import put_back
from server.http.unit_of_work import current_session

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from licensing.authority.customers.models import Customer

blueprint = Blueprint("customers", __name__)

LICENSES_SHOWN = 50
ENTRIES_SHOWN = 10


class CustomerForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What the vendor writes down about a customer."""

    name = StringField()
    email = StringField()
    phone = StringField()
    locale = StringField()
    timezone = StringField()

    def draft(self) -> CustomerDraft:
        """Return what was typed."""
        return CustomerDraft(
            name=self.name.data or "",
            timezone=(self.timezone.data or "").strip(),
            email=(self.email.data or "").strip() or None,
            phone=(self.phone.data or "").strip() or None,
            locale=self.locale.data or "fa",
        )


@blueprint.get("/customers")
@needs("customers.see")
def page() -> ResponseReturnValue:
    """List the customers."""
    return show_list("console/customers/list.html", "customers.page", queries.list_customers)


@blueprint.get("/customers/options")
@needs("customers.see")
def options() -> ResponseReturnValue:
    """Answer a picker: the customers that fit what was typed."""
    typed = request.args.get("q", "")[:200]
    found = queries.list_customers(current_session(), ListQuery(q=typed, sort="name", limit=20))
    return jsonify(
        [
            {"value": one.customer_id, "text": one.name, "hint": one.email or one.customer_id}
            for one in found.items
        ]
    )


@blueprint.get("/customers/new")
@needs("customers.edit")
def new() -> ResponseReturnValue:
    """Show the form for a new customer."""
    form = CustomerForm(timezone=console().settings.selling.timezone, locale="fa")
    return _form(form, None, None)


@blueprint.post("/customers/new")
@needs("customers.edit")
def create() -> ResponseReturnValue:
    """Write the customer down, or show the form again with what does not fit."""
    form = CustomerForm()
    try:
        customer = service.add_customer(current_session(), operator().email, form.draft())
    except DaftarError as refusal:
        return _refused(form, None, refusal)
    say(_("%(name)s is written down.", name=customer.name))
    return redirect(url_for("customers.show", customer_id=customer.customer_id))


@blueprint.get("/customers/<customer_id>")
@needs("customers.see")
def show(customer_id: str) -> ResponseReturnValue:
    """Show one customer with its licences and what was done about it."""
    session = current_session()
    customer = queries.get_customer(session, customer_id)
    wish = ListQuery(filters=(Filter("customer", "eq", customer_id),), limit=LICENSES_SHOWN)
    entries = None
    if operator().may("audit.see"):
        about = (Filter("subject", "eq", customer_id),)
        entries = list_entries(session, ListQuery(filters=about, limit=ENTRIES_SHOWN))
    return render_template(
        "console/customers/show.html",
        customer=customer,
        licenses=list_licenses(session, wish),
        entries=entries,
    )


@blueprint.get("/customers/<customer_id>/edit")
@needs("customers.edit")
def edit(customer_id: str) -> ResponseReturnValue:
    """Show the form of a customer."""
    customer = queries.get_customer(current_session(), customer_id)
    form = CustomerForm(obj=customer)
    return _form(form, customer, None)


@blueprint.post("/customers/<customer_id>/edit")
@needs("customers.edit")
def change(customer_id: str) -> ResponseReturnValue:
    """Change the customer; new documents carry the new name from now on."""
    session = current_session()
    customer = queries.get_customer(session, customer_id)
    form = CustomerForm()
    try:
        service.change_customer(session, operator().email, customer_id, form.draft())
    except DaftarError as refusal:
        session.refresh(customer)
        return _refused(form, customer, refusal)
    say(_("The changes are saved."))
    return redirect(url_for("customers.show", customer_id=customer_id))


def _refused(
    form: CustomerForm, customer: "Customer | None", refusal: DaftarError
) -> ResponseReturnValue:
    elsewhere, status = put_back(form, refusal)
    return _form(form, customer, refusal.message, elsewhere), status


def _form(
    form: CustomerForm,
    customer: "Customer | None",
    problem: str | None,
    elsewhere: object = (),
) -> str:
    return render_template(
        "console/customers/form.html",
        form=form,
        customer=customer,
        problem=problem,
        elsewhere=elsewhere,
    )
