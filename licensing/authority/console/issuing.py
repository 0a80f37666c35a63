"""Selling a licence: the form, what it would mean while it is filled in, and the code, shown once."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import StringField, TextAreaField

from licensing.authority.console.desk import console, operator, reveal, say
from licensing.authority.console.licenses import CODE
from licensing.authority.console.reading import typed_day
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import get_customer
from licensing.authority.licenses import rules
from licensing.authority.licenses.queries import is_organization_tried, living_of_customer
from licensing.authority.licenses.rules import Order
from licensing.authority.licenses.service import check_order, issue_license
from licensing.document.license import PRIVATE_NETWORKS, Kind, NetworkMode
from server.core import clock
from server.core.checklist import Checklist
from server.core.errors import DaftarError, Invalid
from server.core.format import date
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.http.access import needs
from server.http.forms import lines, put_back, whole
from server.http.unit_of_work import current_session

blueprint = Blueprint("issuing", __name__)


class OrderForm(FlaskForm):  # type: ignore[misc] # Flask-WTF has no types
    """What is sold. Everything stays as typed until it is read."""

    customer_id = StringField()
    kind = StringField(default=Kind.SUBSCRIPTION.value)
    seats = StringField()
    concurrent = StringField()
    service_accounts = StringField(default=str(rules.SERVICE_ACCOUNTS))
    days = StringField()
    starts_on = StringField()
    site = StringField()
    edition = StringField()
    features = StringField()
    network_mode = StringField(default=NetworkMode.ENFORCE.value)
    networks = TextAreaField(default="\n".join(PRIVATE_NETWORKS))
    grace_days = StringField(default="0")
    lease_days = StringField(default="14")

    def order(self, session: Session) -> Order:
        """Return what was typed as an order; raise Invalid for everything that is unreadable at once."""
        checks = Checklist()
        numbers: dict[str, Any] = {
            name: checks.take(None, whole, self[name].data, name)
            for name in (
                "seats",
                "concurrent",
                "service_accounts",
                "days",
                "grace_days",
                "lease_days",
            )
        }
        customer = checks.take(None, _customer, session, self.customer_id.data)
        starts_on = checks.take(None, typed_day, self.starts_on.data, "starts_on")
        if numbers["seats"] is None and not any(one.field == "seats" for one in checks.errors):
            checks.refuse("seats", _("Say how many users may be active."), "missing")
        checks.finish()
        order = Order(
            customer_id=customer.customer_id if customer else "",
            seats=numbers["seats"] or 0,
            kind=_word(Kind, self.kind.data, "kind"),
            days=numbers["days"],
            concurrent=numbers["concurrent"],
            service_accounts=numbers["service_accounts"] or 0,
            site=(self.site.data or "").strip()[:200] or None,
            edition=(self.edition.data or "").strip()[:100] or None,
            features=lines(self.features.data),
            network_mode=_word(NetworkMode, self.network_mode.data, "network_mode"),
            networks=lines(self.networks.data) or PRIVATE_NETWORKS,
            starts_at=_first_second(starts_on, customer),
            grace_days=numbers["grace_days"] or 0,
            lease_days=14 if numbers["lease_days"] is None else numbers["lease_days"],
        )
        check_order(order)
        return order


def _word(enum: Any, text: str | None, field: str) -> Any:
    try:
        return enum(text or "")
    except ValueError as error:
        raise Invalid(_("Choose one of what is offered."), field=field) from error


def _customer(session: Session, customer_id: str | None) -> Customer:
    if not customer_id:
        raise Invalid(_("Choose who buys."), field="customer_id")
    try:
        return get_customer(session, customer_id)
    except DaftarError as error:
        raise Invalid(error.message, field="customer_id") from error


def _first_second(day: Any, customer: Customer | None) -> int | None:
    if day is None or customer is None:
        return None
    start = datetime.combine(day, time(), ZoneInfo(customer.timezone))
    return int(start.astimezone(UTC).timestamp())


@dataclass(frozen=True)
class Outlook:
    """What the order would mean, in sentences, and what to think of before."""

    sentences: tuple[str, ...]
    warnings: tuple[str, ...]


def _outlook(session: Session, order: Order) -> Outlook:
    customer = get_customer(session, order.customer_id)
    said = [_term(order, customer)]
    warned = []
    if order.kind is Kind.TRIAL and customer.organization is None:
        warned.append(
            _("The customer has no e-mail address, so its trials are told apart by machine only.")
        )
    if order.kind is Kind.TRIAL and is_organization_tried(session, customer.organization):
        warned.append(_("This organisation has had its trial; the licence will be refused."))
    held = living_of_customer(session, customer)
    if held:
        warned.append(
            ngettext(
                "The customer has %(n)s licence in force already. To add users to it, change its seats.",
                "The customer has %(n)s licences in force already. To add users to one, change its seats.",
                held,
            )
        )
    if order.network_mode is not NetworkMode.ENFORCE:
        warned.append(_("People outside the networks will get in: that is not the usual licence."))
    if order.concurrent is not None and order.concurrent < order.seats:
        said.append(_("Not everybody can work at once: fewer devices than users."))
    return Outlook(tuple(said), tuple(warned))


def _term(order: Order, customer: Customer) -> str:
    if order.kind is Kind.TRIAL:
        return _(
            "The trial lasts %(n)s days from the first activation, and is signed only then.",
            n=rules.TRIAL_DAYS,
        )
    ends = rules.end_of_order(order, customer.timezone, clock.timestamp())
    day = datetime.fromtimestamp(ends, ZoneInfo(customer.timezone)).date()
    if order.kind is Kind.PERPETUAL:
        return _(
            "Usable for ever; builds of up to %(day)s may be installed.",
            day=date(day),
        )
    return _(
        "The last paid day is %(day)s; the licence ends at 23:59:59 in %(zone)s.",
        day=date(day),
        zone=customer.timezone,
    )


@blueprint.get("/licenses/new")
@needs("licenses.sell")
def new() -> ResponseReturnValue:
    """Show the form of a new licence."""
    selling = console().settings.selling
    form = OrderForm(
        customer_id=request.args.get("customer", ""),
        edition=selling.edition,
        features=", ".join(selling.features),
    )
    return _form(form, None)


def _form(form: OrderForm, problem: str | None, elsewhere: object = ()) -> str:
    session = current_session()
    chosen = []
    if form.customer_id.data:
        try:
            customer = get_customer(session, form.customer_id.data)
            chosen = [(customer.customer_id, customer.name)]
        except DaftarError:
            form.customer_id.data = ""
    return render_template(
        "console/licenses/form.html",
        form=form,
        problem=problem,
        elsewhere=elsewhere,
        chosen=chosen,
        trial_days=rules.TRIAL_DAYS,
        term_days=rules.TERM_DAYS,
    )


@blueprint.get("/licenses/check")
@needs("licenses.sell")
def check() -> ResponseReturnValue:
    """Say what the form as it stands would mean."""
    form = OrderForm(request.args, meta={"csrf": False})
    try:
        order = form.order(current_session())
        outlook = _outlook(current_session(), order)
    except DaftarError as refusal:
        errors = [one.message for one in getattr(refusal, "errors", ())]
        return render_template("console/licenses/_outlook.html", outlook=None, errors=errors)
    return render_template("console/licenses/_outlook.html", outlook=outlook, errors=())


@blueprint.post("/licenses/new")
@needs("licenses.sell")
def create() -> ResponseReturnValue:
    """Sell the licence and show its activation code on the next page, this once."""
    form, session, house = OrderForm(), current_session(), console()
    try:
        order = form.order(session)
        issued = issue_license(session, operator().email, house.keys, house.settings.selling, order)
    except DaftarError as refusal:
        session.rollback()
        elsewhere, status = put_back(form, refusal)
        return _form(form, refusal.message, elsewhere), status
    reveal(CODE, code=issued.code)
    say(_("The licence %(id)s is issued.", id=issued.license_id))
    return redirect(url_for("licenses.show", license_id=issued.license_id))
