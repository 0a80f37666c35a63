"""`daftar-authority license`: what changes about a licence that was sold."""

from datetime import UTC, datetime

import click

from licensing.authority.commands.home import open_home
from licensing.authority.commands.showing import moment
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.service import SeatChange, renew_license, set_seats
from licensing.authority.licenses.terms import (
    TermsChange,
    change_terms,
    load_next_term,
    withdraw_next_term,
)
from licensing.document.license import NetworkMode
from server.core.clock import rfc3339
from server.core.command_line import HomeCommand, json_option, report
from server.core.i18n import gettext as _


@click.command("renew", cls=HomeCommand)
@click.argument("license_id", metavar="ID")
@click.option("--days", required=True, type=int, metavar="N", help="Days to add.")
@json_option
def renew(*, license_id: str, days: int, as_json: bool) -> None:
    """Add days to the term; the server fetches the new licence at its next check-in."""
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            license_ = renew_license(session, home.operator, keys, license_id, days)
    _tell_serial(license_, as_json=as_json)


@click.command("set-seats", cls=HomeCommand)
@click.argument("license_id", metavar="ID")
@click.option("--seats", "named", type=int, metavar="N", help="Users that may be active.")
@click.option("--devices", type=int, metavar="N", help="Devices at once.")
@click.option("--service-accounts", type=int, metavar="N")
@json_option
def change_seats(
    *,
    license_id: str,
    named: int | None,
    devices: int | None,
    service_accounts: int | None,
    as_json: bool,
) -> None:
    """Change the seats; a lower number deactivates nobody."""
    change = SeatChange(named, devices, service_accounts)
    if change == SeatChange():
        raise click.UsageError(_("Name at least one number, such as --seats 25."))
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            license_ = set_seats(session, home.operator, keys, license_id, change)
    _tell_serial(license_, as_json=as_json)


@click.command("next-term", cls=HomeCommand)
@click.argument("license_id", metavar="ID")
@click.option("--days", type=int, metavar="N", help="Days of the term after the running one.")
@click.option("--seats", "named", type=int, metavar="N", help="Users from then on.")
@click.option("--devices", type=int, metavar="N", help="Devices at once from then on.")
@click.option("--service-accounts", type=int, metavar="N")
@click.option("--withdraw", is_flag=True, help="Take back a next term that has not begun.")
@json_option
def next_term(  # noqa: PLR0913 - one argument for each option of the command line
    *,
    license_id: str,
    days: int | None,
    named: int | None,
    devices: int | None,
    service_accounts: int | None,
    withdraw: bool,
    as_json: bool,
) -> None:
    """Load the next term ahead, with seats of its own; the running one is not touched."""
    if withdraw is (days is not None):
        raise click.UsageError(_("Say either --days N or --withdraw."))
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            if days is None:
                license_ = withdraw_next_term(session, home.operator, keys, license_id)
            else:
                seats = SeatChange(named, devices, service_accounts)
                license_ = load_next_term(session, home.operator, keys, license_id, days, seats)
    _tell_serial(license_, as_json=as_json)


@click.command("change", cls=HomeCommand)
@click.argument("license_id", metavar="ID")
@click.option("--site", metavar="NAME", help="What the place is called.")
@click.option("--edition", metavar="NAME")
@click.option("--feature", "features", multiple=True, metavar="NAME", help="All of them, repeated.")
@click.option(
    "--network-mode",
    type=click.Choice([mode.value for mode in NetworkMode]),
    help="What happens to clients outside the networks.",
)
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="All of them, repeated.")
@click.option("--grace-days", type=int, metavar="N")
@click.option("--lease-days", type=int, metavar="N")
@json_option
def change(  # noqa: PLR0913 - one argument for each option of the command line
    *,
    license_id: str,
    site: str | None,
    edition: str | None,
    features: tuple[str, ...],
    network_mode: str | None,
    networks: tuple[str, ...],
    grace_days: int | None,
    lease_days: int | None,
    as_json: bool,
) -> None:
    """Change the site, the networks or other terms; the customer of a licence never changes."""
    wanted = TermsChange(
        site=site,
        edition=edition,
        features=features or None,
        network_mode=NetworkMode(network_mode) if network_mode else None,
        networks=networks or None,
        grace_days=grace_days,
        lease_days=lease_days,
    )
    if wanted == TermsChange():
        raise click.UsageError(_("Name at least one change, such as --network 10.20.0.0/16."))
    with open_home() as home:
        keys = home.keys()
        with home.database.write() as session:
            license_ = change_terms(session, home.operator, keys, license_id, wanted)
    _tell_serial(license_, as_json=as_json)


def _tell_serial(license_: LicenseRecord, *, as_json: bool) -> None:
    ends = license_.expires_at
    until = None if ends is None else rfc3339(datetime.fromtimestamp(ends, UTC))
    document: dict[str, object] = {
        "license_id": license_.license_id,
        "serial": license_.serial,
        "expires_at": until,
        "seats": {"named": license_.named, "concurrent": license_.concurrent},
    }
    lines = _(
        "Licence %(id)s, serial %(serial)s: %(named)s users, %(devices)s devices, until %(until)s.",
        id=license_.license_id,
        serial=license_.serial,
        named=license_.named,
        devices=license_.concurrent,
        until=until or "—",
    )
    if license_.next_starts_at is not None:
        document["next_term"] = {
            "starts_at": moment(license_.next_starts_at),
            "seats": {"named": license_.next_named, "concurrent": license_.next_concurrent},
        }
        lines += "\n" + _(
            "The next term is loaded: from %(start)s on with %(named)s users and %(devices)s devices.",
            start=moment(license_.next_starts_at),
            named=license_.next_named,
            devices=license_.next_concurrent,
        )
    report(document, lines, as_json=as_json)
