"""The life of a licence, lived through by the product's own client: tried, moved, stopped, grown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from licensing.authority.licenses import rules
from licensing.authority.licenses.rules import LicenseStatus
from licensing.client.ladder import Audience, Reason
from licensing.document.license import Kind
from licensing.document.requests import DeactivationReason, Mode
from server.core import clock
from server.core.errors import Conflict, NotLicensed
from tests.licensing.authority.life import (
    DAY,
    OK,
    USAGE,
    Install,
    Server,
    at,
    is_well,
    later,
    same_machine,
)
from tests.licensing.authority.stage import Vendor
from tests.support.racing import race

# Trials


def test_a_trial_runs_ten_days_from_its_first_activation_and_locks(
    vendor_here: Vendor, install: Install
) -> None:
    issued = vendor_here.sell(kind=Kind.TRIAL, email="it@pars.example")
    with later(days=40):
        server = install("one")
        assert is_well(server.activate(issued.code))
        first = clock.timestamp()
        assert server.license.expires_at == rules.end_of_term(first, 10, "Asia/Tehran")
        assert "crm" in server.license.features
    with at(first + 6 * DAY):
        assert is_well(server.check_in())
        assert server.stands() == OK
    with at(first + 9 * DAY):
        assert server.stands() == (Mode.WARN_EXPIRY, Reason.TERM_ENDING)
        assert server.client.verdict(1).banner is Audience.EVERYBODY
    with at(first + 12 * DAY):
        assert server.stands() == (Mode.LOCKED, Reason.TERM_ENDED)


def test_wiping_everything_does_not_begin_the_trial_anew(
    vendor_here: Vendor, install: Install, tmp_path: Path
) -> None:
    """Neither with the same code, nor with another trial under another address on the same machine."""
    issued = vendor_here.sell(kind=Kind.TRIAL, email="it@pars.example")
    first, wiped = install("one"), tmp_path / "wiped"
    first.activate(issued.code)
    end = first.license.expires_at
    same_machine(wiped, tmp_path / "one")
    with later(days=5):
        again = Server(vendor_here, wiped)
        assert again.activate(issued.code).code == "E_ALREADY_ACTIVE"
        other = vendor_here.sell(kind=Kind.TRIAL, email="me@elsewhere.example")
        assert again.activate(other.code).code == "E_TRIAL_USED"
        with pytest.raises(NotLicensed):
            vendor_here.sell(kind=Kind.TRIAL, email="boss@pars.example")
        moved = vendor_here.rehost(issued.license_id)
        assert is_well(again.activate(moved.code))
        assert again.license.expires_at == end
    with later(days=12):
        assert again.stands() == (Mode.LOCKED, Reason.TERM_ENDED)


def test_two_trials_of_one_organisation_race_and_one_begins(vendor: Vendor, tmp_path: Path) -> None:
    """Two licences were prepared for two addresses of one domain, before either was started."""
    domain = f"race-{vendor.database.dialect}.example"
    sold = [vendor.sell(kind=Kind.TRIAL, email=f"{name}@{domain}") for name in ("anna", "ben")]

    def run(place: int) -> str:
        return Server(vendor, tmp_path / f"racer{place}").activate(sold[place].code).code

    assert set(race(vendor.database, run, [(0,), (1,)])) == {"", "E_TRIAL_USED"}


# Seats


def test_seats_are_raised_and_lowered_by_check_in(vendor_here: Vendor, install: Install) -> None:
    issued, server = vendor_here.sell(days=365, seats=5), install("one")
    server.activate(issued.code)
    vendor_here.set_seats(issued.license_id, 9)
    server.check_in(named=7)
    assert server.license.seats.named == 9
    vendor_here.set_seats(issued.license_id, 6)

    server.check_in(named=7)

    server.client.tick(7)
    assert server.stands(named=7) == (Mode.WARN_ADMIN, Reason.SEATS_OVER_CAP)
    lease = server.client.status().lease
    assert lease is not None
    assert "SEATS_OVER_NEW_CAP" in [notice.code for notice in lease.notices]
    for day in (5, 10):
        with later(days=day):
            server.check_in(named=7)
            server.client.tick(7)
    with later(days=13):
        server.check_in(named=7)
        assert server.stands(named=7) == (Mode.WARN_ADMIN, Reason.SEATS_OVER_CAP)
    with later(days=14, hours=1):
        assert server.stands(named=7) == (Mode.READ_ONLY, Reason.SEATS_OVER_CAP)
        assert server.stands(named=6) == OK


# Perpetual


def test_a_perpetual_licence_runs_on_after_its_maintenance(
    vendor_here: Vendor, install: Install
) -> None:
    """Maintenance is asked for when a version is installed and activated, never at start."""
    issued, server = vendor_here.sell(kind=Kind.PERPETUAL, days=30), install("one")
    server.activate(issued.code)
    for day in range(10, 90, 10):
        with later(days=day):
            assert is_well(server.check_in())
            server.start()
            assert server.stands() == OK


def test_a_newer_build_is_not_activated_beyond_the_maintenance(
    found_here: Callable[..., Vendor], tmp_path: Path
) -> None:
    vendor = found_here(
        {"limits.enabled": "false", "clients.builds": '["0.1.0=2026-01-01", "9.0.0=2099-01-01"]'}
    )
    issued = vendor.sell(kind=Kind.PERPETUAL, days=30)

    assert Server(vendor, tmp_path / "new", version="9.0.0").activate(issued.code).code == (
        "E_MAINTENANCE"
    )
    assert is_well(Server(vendor, tmp_path / "old", version="0.1.0").activate(issued.code))


# Stopped


def test_suspended_resumed_and_revoked_for_good(vendor_here: Vendor, install: Install) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    for status, stands in (
        (LicenseStatus.SUSPENDED, (Mode.LOCKED, Reason.SUSPENDED)),
        (LicenseStatus.OK, OK),
        (LicenseStatus.REVOKED, (Mode.LOCKED, Reason.REVOKED)),
    ):
        vendor_here.set_status(issued.license_id, status)
        assert is_well(server.check_in())
        assert server.stands() == stands
    with pytest.raises(Conflict):
        vendor_here.set_status(issued.license_id, LicenseStatus.OK)
    server.start()
    assert server.stands() == (Mode.LOCKED, Reason.REVOKED)


# Sites and moves


def test_a_branch_is_a_second_licence_on_a_second_server(
    vendor_here: Vendor, install: Install
) -> None:
    customer = vendor_here.customer()
    head = vendor_here.sell(customer_id=customer)
    branch = vendor_here.sell(customer_id=customer, site="Shiraz", networks=("10.9.0.0/16",))
    one, two = install("one"), install("two")

    assert is_well(one.activate(head.code))
    assert is_well(two.activate(branch.code))
    assert (two.license.site.label, two.license.network_scope.cidrs) == ("Shiraz", ("10.9.0.0/16",))
    assert one.license.customer == two.license.customer
    assert one.license.site.id != two.license.site.id
    assert install("three").activate(head.code).code == "E_ALREADY_ACTIVE"


def test_a_planned_move_takes_the_same_code_along(vendor_here: Vendor, install: Install) -> None:
    issued, old, new = vendor_here.sell(), install("old"), install("new")
    old.activate(issued.code)

    assert is_well(old.client.deactivate(DeactivationReason.MOVE, USAGE))

    assert old.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
    assert is_well(new.activate(issued.code))
    activation = new.client.status().activation
    assert activation is not None
    assert activation.generation == 2
    # No move of this kind counts towards the two of a year.
    assert vendor_here.rehost(issued.license_id).code != issued.code


def test_dead_hardware_is_replaced_twice_a_year_and_then_looked_into(
    vendor_here: Vendor, install: Install
) -> None:
    issued = vendor_here.sell(days=900)
    code, servers = issued.code, [install(f"server{number}") for number in range(4)]
    servers[0].activate(code)
    for number in (1, 2):
        code = vendor_here.rehost(issued.license_id).code
        assert is_well(servers[number].activate(code))
        assert servers[number - 1].check_in().code == "E_SUPERSEDED"
        assert servers[number - 1].stands() == (Mode.LOCKED, Reason.SUPERSEDED)
    with pytest.raises(NotLicensed) as refused:
        vendor_here.rehost(issued.license_id)
    assert refused.value.code == "E_REHOST_LIMIT"
    assert vendor_here.flags(issued.license_id) == ["rehosted"]

    code = vendor_here.rehost(issued.license_id, approved=True).code
    assert is_well(servers[3].activate(code))
    with later(days=366):
        vendor_here.rehost(issued.license_id)


def test_two_rehosts_at_once_are_counted_one_by_one(vendor: Vendor, tmp_path: Path) -> None:
    issued = vendor.sell()
    Server(vendor, tmp_path / "one").activate(issued.code)
    code = vendor.rehost(issued.license_id).code
    Server(vendor, tmp_path / "two").activate(code)

    def run(_place: int) -> str:
        try:
            vendor.rehost(issued.license_id)
        except NotLicensed as refused:
            return refused.code
        return ""

    told = race(vendor.database, run, [(0,), (1,), (2,)])

    # The first supersedes the server; for the others there is nothing left to supersede.
    assert told == ["", "", ""]
    ended = [one.status.value for one in vendor.activations(issued.license_id)]
    assert ended == ["superseded", "superseded"]
