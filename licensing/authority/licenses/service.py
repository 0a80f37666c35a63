"""Selling and changing licences. The caller opens the transaction; nothing here commits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.audit.service import note
from licensing.authority.config import Selling
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import get_customer
from licensing.authority.keys.store import Keys
from licensing.authority.licenses import rules
from licensing.authority.licenses.documents import sign_next
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import get_license, trial_of_organization
from licensing.authority.licenses.rules import LicenseStatus, Order
from licensing.authority.names import new_name
from licensing.document.activation_code import code_id, code_key, format_code, generate_code
from licensing.document.errors import Code
from licensing.document.license import Kind
from server.core import clock
from server.core.clock import rfc3339
from server.core.errors import Conflict, Invalid, NotLicensed
from server.core.i18n import gettext as _
from server.core.text import search_text


@dataclass(frozen=True)
class Issued:
    """A licence and its activation code, which is shown now and never again."""

    license_id: str
    code: str


def new_code(license_: LicenseRecord) -> str:
    """Give the licence a new activation code and return it as it is shown."""
    code = generate_code()
    license_.code_id = code_id(code)
    license_.code_key = code_key(code)
    license_.wrong_codes = 0
    return format_code(code)


def check_number(name: str, value: int, least: int, most: int) -> None:
    """Raise Invalid for a number outside its bounds, both of which belong to it."""
    if not least <= value <= most:
        raise Invalid(
            _(
                "%(name)s lies between %(least)s and %(most)s, not at %(value)s.",
                name=name,
                least=least,
                most=most,
                value=value,
            ),
            field=name.replace("-", "_"),
        )


def check_order(order: Order) -> None:
    """Raise Invalid for what cannot be sold, whoever buys."""
    check_number("seats", order.seats, 1, rules.MOST_SEATS)
    check_number("concurrent", order.concurrent or order.seats, 1, rules.MOST_SEATS)
    check_number("service-accounts", order.service_accounts, 0, rules.MOST_SEATS)
    check_number("days", rules.term_days(order), 1, rules.LONGEST_TERM_DAYS)
    check_number("grace-days", order.grace_days, 0, rules.LONGEST_GRACE)
    check_number("lease-days", order.lease_days, 1, rules.LONGEST_LEASE)
    if order.kind is Kind.TRIAL and rules.term_days(order) != rules.TRIAL_DAYS:
        raise Invalid(_("A trial lasts %(n)s days.", n=rules.TRIAL_DAYS), field="days")
    check_networks(order.networks)


def check_networks(networks: Iterable[str]) -> None:
    """Raise Invalid for what is no network."""
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            raise Invalid(
                _("%(network)s is no network. One is written 10.0.0.0/8.", network=network),
                field="networks",
            ) from error


def issue_license(
    session: Session, operator: str, keys: Keys, selling: Selling, order: Order
) -> Issued:
    """Sell a licence; a trial is only prepared and signed at its first activation."""
    check_order(order)
    customer = get_customer(session, order.customer_id)
    now = clock.timestamp()
    license_ = _record(customer, selling, order, now)
    code = new_code(license_)
    index_license(license_, customer)
    session.add(license_)
    session.flush()
    if order.kind is Kind.TRIAL:
        _refuse_second_trial(session, customer, license_)
    else:
        sign_next(session, keys, license_, now)
    note(
        session,
        operator,
        "license.issue",
        license_.license_id,
        {"customer": customer.customer_id, "kind": order.kind.value, "seats": order.seats},
    )
    return Issued(license_.license_id, code)


def _record(customer: Customer, selling: Selling, order: Order, now: int) -> LicenseRecord:
    starts_at = order.starts_at or now
    days = rules.term_days(order)
    ends_at = rules.end_of_order(order, customer.timezone, now)
    terms = rules.checkin_terms(order.lease_days)
    perpetual = order.kind is Kind.PERPETUAL
    return LicenseRecord(
        license_id=new_name("lic"),
        customer_row_id=customer.id,
        kind=order.kind,
        product=selling.product,
        edition=order.edition or selling.edition,
        site_id="site_hq" if order.site is None else new_name("site"),
        site_label="Head office" if order.site is None else order.site,
        network_mode=order.network_mode,
        networks=list(order.networks),
        features=list(order.features or selling.features),
        named=order.seats,
        concurrent=order.concurrent or order.seats,
        service_accounts=order.service_accounts,
        term_days=days,
        starts_at=starts_at,
        expires_at=None if perpetual or order.kind is Kind.TRIAL else ends_at,
        maintenance_until=None if order.kind is Kind.TRIAL else ends_at,
        timezone=customer.timezone,
        grace_days=order.grace_days,
        interval_s=terms.interval_s,
        lease_ttl_s=terms.lease_ttl_s,
        read_only_after_s=terms.read_only_after_s,
        lock_after_s=terms.lock_after_s,
        serial=0,
        generation=0,
    )


def index_license(license_: LicenseRecord, customer: Customer) -> None:
    """Bring what a licence is found by up to date."""
    license_.search_text = search_text(
        license_.license_id, license_.site_label, customer.name, customer.email
    )


def index_licenses_of(session: Session, customer: Customer) -> None:
    """Let the licences of a customer be found by what the customer is called now."""
    sold = select(LicenseRecord).where(LicenseRecord.customer_row_id == customer.id)
    for license_ in session.scalars(sold):
        index_license(license_, customer)


def _refuse_second_trial(session: Session, customer: Customer, license_: LicenseRecord) -> None:
    organization = customer.organization
    if organization is not None and trial_of_organization(session, organization, license_):
        raise NotLicensed(
            _("The organisation %(name)s has had its trial.", name=organization),
            code=Code.E_TRIAL_USED.value,
        )


def set_status(
    session: Session, operator: str, license_id: str, wanted: LicenseStatus, reason: str = ""
) -> None:
    """Suspend, resume or revoke; the server of the customer learns it at its next check-in."""
    license_ = get_license(session, license_id)
    if license_.status is wanted:
        return
    if not rules.may_become(license_.status, wanted):
        raise Conflict(
            _(
                "The licence %(id)s is %(held)s and cannot become %(wanted)s.",
                id=license_id,
                held=license_.status.value,
                wanted=wanted.value,
            )
        )
    license_.status = wanted
    note(session, operator, f"license.{wanted.value}", license_id, {"reason": reason})


def check_living(license_: LicenseRecord) -> None:
    """Raise Conflict for a licence that was revoked or given back."""
    if license_.status in (LicenseStatus.REVOKED, LicenseStatus.CLOSED):
        raise Conflict(
            _(
                "The licence %(id)s is %(held)s. Issue a new one instead.",
                id=license_.license_id,
                held=license_.status.value,
            )
        )


def renew_license(
    session: Session, operator: str, keys: Keys, license_id: str, days: int
) -> LicenseRecord:
    """Add days after the last paid one, or from today when that is more than a month ago.

    With a next term loaded ahead the days follow that one.
    """
    check_number("days", days, 1, rules.LONGEST_TERM_DAYS)
    license_ = get_license(session, license_id)
    check_living(license_)
    if license_.kind is Kind.TRIAL:
        raise Conflict(_("A trial is not renewed. Issue a subscription instead."))
    now = clock.timestamp()
    held = license_.expires_at if license_.kind is Kind.SUBSCRIPTION else license_.maintenance_until
    start = now if held is None else rules.renewal_start(held, now)
    ends_at = rules.end_of_term(start, days, license_.timezone)
    if ends_at <= now:
        raise Invalid(
            _(
                "The term ended on %(end)s, so %(days)s days after it are over already. Add more days.",
                end=rfc3339(datetime.fromtimestamp(start, UTC)),
                days=days,
            ),
            field="days",
        )
    license_.maintenance_until = ends_at
    if license_.kind is Kind.SUBSCRIPTION:
        license_.expires_at = ends_at
    sign_next(session, keys, license_, now)
    note(session, operator, "license.renew", license_id, {"days": days, "until": ends_at})
    return license_


@dataclass(frozen=True)
class SeatChange:
    """New caps; None leaves one as it is."""

    named: int | None = None
    concurrent: int | None = None
    service_accounts: int | None = None


def caps_after(license_: LicenseRecord, change: SeatChange) -> tuple[int, int, int]:
    """Return the caps of users, devices and service accounts after a change, or raise Invalid.

    Without a number of its own that of the devices follows the number of users.
    """
    named = license_.named if change.named is None else change.named
    followed = named if change.named is not None else license_.concurrent
    concurrent = followed if change.concurrent is None else change.concurrent
    service = (
        license_.service_accounts if change.service_accounts is None else change.service_accounts
    )
    check_number("seats", named, 1, rules.MOST_SEATS)
    check_number("concurrent", concurrent, 1, rules.MOST_SEATS)
    check_number("service-accounts", service, 0, rules.MOST_SEATS)
    return named, concurrent, service


def set_seats(
    session: Session, operator: str, keys: Keys, license_id: str, change: SeatChange
) -> LicenseRecord:
    """Change the caps of the running term; they arrive with the next check-in."""
    license_ = get_license(session, license_id)
    check_living(license_)
    named, concurrent, service = caps_after(license_, change)
    before = license_.named
    license_.named, license_.concurrent, license_.service_accounts = named, concurrent, service
    if license_.serial > 0:
        sign_next(session, keys, license_, clock.timestamp())
    detail = {"named": named, "named_before": before, "concurrent": concurrent}
    note(session, operator, "license.set_seats", license_id, detail)
    return license_
