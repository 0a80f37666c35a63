"""`daftar-authority license`: selling licences and looking after them."""

import json
from dataclasses import replace
from datetime import datetime

import click

from licensing.authority.activations.queries import active_by_license, list_activations
from licensing.authority.activations.vendor import clear_hold, rehost_license
from licensing.authority.commands.answering import answer
from licensing.authority.commands.home import open_home
from licensing.authority.commands.license_terms import change, change_seats, next_term, renew
from licensing.authority.commands.refunds import check_proof, proof, refund
from licensing.authority.commands.showing import show_activation, show_flag, show_license
from licensing.authority.customers.queries import get_customer
from licensing.authority.licenses.queries import customer_of, every_license, look_up, open_flags
from licensing.authority.licenses.rules import LicenseStatus, Order, start_of_day
from licensing.authority.licenses.service import (
    Issued,
    issue_license,
    set_status,
)
from licensing.document.license import PRIVATE_NETWORKS, Kind, NetworkMode
from server.core.command_line import HomeGroup, json_option, report
from server.core.i18n import gettext as _


@click.group("license", cls=HomeGroup)
def group() -> None:
    """Sell licences and look after them."""


for command in (answer, renew, next_term, change_seats, change, proof, check_proof, refund):
    group.add_command(command)


@group.command("issue")
@click.option("--customer", required=True, metavar="ID", help="Who buys.")
@click.option("--seats", required=True, type=int, metavar="N", help="Users that may be active.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.SUBSCRIPTION.value,
    show_default=True,
)
@click.option(
    "--days", type=int, metavar="N", help="The term, or the maintenance of a perpetual one."
)
@click.option(
    "--devices", type=int, metavar="N", help="Devices at once; by default as many as users."
)
@click.option("--service-accounts", type=int, default=5, show_default=True, metavar="N")
@click.option("--site", metavar="NAME", help="The place it is for, if not the head office.")
@click.option("--edition", metavar="NAME", help="By default that of the settings.")
@click.option("--feature", "features", multiple=True, metavar="NAME", help="May be repeated.")
@click.option(
    "--network-mode",
    type=click.Choice([mode.value for mode in NetworkMode]),
    default=NetworkMode.ENFORCE.value,
    show_default=True,
    help="What happens to clients outside the networks.",
)
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="May be repeated.")
@click.option("--starts", type=click.DateTime(["%Y-%m-%d"]), help="The first day, if not today.")
@click.option("--grace-days", type=int, default=0, show_default=True, metavar="N")
@click.option("--lease-days", type=int, default=14, show_default=True, metavar="N")
@json_option
def issue(  # noqa: PLR0913 - one argument for each option of the command line
    *,
    customer: str,
    seats: int,
    kind: str,
    days: int | None,
    devices: int | None,
    service_accounts: int,
    site: str | None,
    edition: str | None,
    features: tuple[str, ...],
    network_mode: str,
    networks: tuple[str, ...],
    starts: datetime | None,
    grace_days: int,
    lease_days: int,
    as_json: bool,
) -> None:
    """Sell a licence and print its activation code, once."""
    order = Order(
        customer_id=customer,
        seats=seats,
        kind=Kind(kind),
        days=days,
        concurrent=devices,
        service_accounts=service_accounts,
        site=site,
        edition=edition,
        features=features,
        network_mode=NetworkMode(network_mode),
        networks=networks or PRIVATE_NETWORKS,
        grace_days=grace_days,
        lease_days=lease_days,
    )
    _tell_code(_sell(order, starts), as_json=as_json)


def _sell(order: Order, starts: datetime | None) -> Issued:
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            zone = get_customer(session, order.customer_id).timezone
            first = None if starts is None else start_of_day(starts.date(), zone)
            order = replace(order, starts_at=first)
            return issue_license(session, home.operator, keys, home.settings.selling, order)


def _tell_code(issued: Issued, *, as_json: bool) -> None:
    lines = _(
        "Licence %(id)s. Its activation code is shown this one time:\n%(code)s",
        id=issued.license_id,
        code=issued.code,
    )
    report({"license_id": issued.license_id, "code": issued.code}, lines, as_json=as_json)


@group.command("list")
@click.option("--customer", metavar="ID", help="Only those of one customer.")
@click.option(
    "--search", metavar="WORDS", help="Part of an id, a site, a customer's name or e-mail."
)
@json_option
def list_all(*, customer: str | None, search: str | None, as_json: bool) -> None:
    """Show every licence and whether it is in use."""
    with open_home() as home, home.database.read() as session:
        sold = every_license(session, customer, search)
        active = active_by_license(session)
    items = [show_license(one, who, active.get(one.id)) for one, who in sold]
    lines = "\n".join(
        f"{one.license_id}  {one.status.value:<9}  {one.kind.value:<12}  {who.name}"
        for one, who in sold
    )
    empty = _("There is no licence yet. “daftar-authority license issue” sells one.")
    report({"items": items}, lines or empty, as_json=as_json)


@group.command("show")
@click.argument("license_id", metavar="ID")
@json_option
def show(*, license_id: str, as_json: bool) -> None:
    """Show one licence with its activations and flags."""
    with open_home() as home, home.database.read() as session:
        license_ = look_up(session, license_id)
        activations = list_activations(session, license_)
        flags = open_flags(session, license_)
        customer = customer_of(session, license_)
    active = next((one for one in activations if one.status.value == "active"), None)
    document = {
        **show_license(license_, customer, active),
        "activations": [show_activation(one) for one in activations],
        "flags": [show_flag(one) for one in flags],
    }
    report(document, json.dumps(document, ensure_ascii=False, indent=2), as_json=as_json)


def _change_status(license_id: str, wanted: LicenseStatus, reason: str, *, as_json: bool) -> None:
    with open_home() as home, home.database.write() as session:
        set_status(session, home.operator, license_id, wanted, reason)
    lines = _(
        "The licence %(id)s is %(status)s. Its server learns it at its next check-in.",
        id=license_id,
        status=wanted.value,
    )
    report({"license_id": license_id, "status": wanted.value}, lines, as_json=as_json)


@group.command("suspend")
@click.argument("license_id", metavar="ID")
@click.option("--reason", default="", help="Kept in the audit trail.")
@json_option
def suspend(*, license_id: str, reason: str, as_json: bool) -> None:
    """Stop a licence for a while."""
    _change_status(license_id, LicenseStatus.SUSPENDED, reason, as_json=as_json)


@group.command("resume")
@click.argument("license_id", metavar="ID")
@click.option("--reason", default="", help="Kept in the audit trail.")
@json_option
def resume(*, license_id: str, reason: str, as_json: bool) -> None:
    """Let a suspended licence work again."""
    _change_status(license_id, LicenseStatus.OK, reason, as_json=as_json)


@group.command("revoke")
@click.argument("license_id", metavar="ID")
@click.option("--reason", default="", help="Kept in the audit trail.")
@json_option
def revoke(*, license_id: str, reason: str, as_json: bool) -> None:
    """End a licence for good."""
    _change_status(license_id, LicenseStatus.REVOKED, reason, as_json=as_json)


@group.command("rehost")
@click.argument("license_id", metavar="ID")
@click.option("--approve", is_flag=True, help="Also beyond two moves within a year.")
@json_option
def rehost(*, license_id: str, approve: bool, as_json: bool) -> None:
    """Take a licence off its server and print a new activation code."""
    with open_home() as home, home.database.write() as session:
        issued = rehost_license(session, home.operator, license_id, approved=approve)
    _tell_code(issued, as_json=as_json)


@group.command("clear-hold")
@click.argument("license_id", metavar="ID")
@json_option
def release(*, license_id: str, as_json: bool) -> None:
    """Let a licence check in again that was held because of copies."""
    with open_home() as home, home.database.write() as session:
        clear_hold(session, home.operator, license_id)
    lines = _("The licence %(id)s may check in again.", id=license_id)
    report({"license_id": license_id, "held": False}, lines, as_json=as_json)
