"""The life of a licence, lived through by the product's own client: sold, renewed, moved, given back."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from licensing.authority.activations.answer_files import answer_file
from licensing.authority.activations.desk import Desk
from licensing.authority.config import CHALLENGE_SECRET
from licensing.authority.customers.service import CustomerDraft, add_customer
from licensing.authority.licenses import rules, terms
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.rules import LicenseStatus
from licensing.authority.licenses.service import SeatChange
from licensing.client.ladder import Audience, Reason
from licensing.client.outcome import Result
from licensing.document.answers import Deactivation
from licensing.document.license import Kind
from licensing.document.requests import DeactivationReason, Mode
from server.core import clock
from server.core.config import read_secret
from server.core.errors import Conflict, Invalid, NotLicensed
from tests.licensing.authority.life import DAY, USAGE, Server, at, is_well, later, same_machine
from tests.licensing.authority.stage import Vendor
from tests.support.racing import race

Install = Callable[[str], Server]
OK = (Mode.OK, Reason.FRESH)


@pytest.fixture
def install(vendor_here: Vendor, tmp_path: Path) -> Install:
    return lambda name: Server(vendor_here, tmp_path / name)


def end_of(vendor: Vendor, license_id: str) -> int:
    with vendor.database.read() as session:
        return look_up(session, license_id).expires_at or 0


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


# Terms


def test_a_renewal_goes_on_from_the_old_end_and_arrives_by_check_in(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(days=30), install("one")
    server.activate(issued.code)
    end = end_of(vendor_here, issued.license_id)
    with at(end - 5 * DAY):
        server.check_in()
        assert server.stands() == (Mode.WARN_EXPIRY, Reason.TERM_ENDING)
        vendor_here.renew(issued.license_id, 365)
        server.check_in()
        assert server.stands() == OK
        assert server.license.expires_at == rules.end_of_term(end, 365, "Asia/Tehran")


@pytest.mark.parametrize("late", [1, 30])
def test_who_pays_some_days_late_gains_none(
    vendor_here: Vendor, install: Install, late: int
) -> None:
    issued, server = vendor_here.sell(days=30), install("one")
    server.activate(issued.code)
    end = end_of(vendor_here, issued.license_id)
    with at(end + late * DAY):
        assert server.stands()[0] is Mode.LOCKED
        vendor_here.renew(issued.license_id, 365)
        assert is_well(server.check_in())
        assert server.stands() == OK
        assert server.license.expires_at == rules.end_of_term(end, 365, "Asia/Tehran")


def test_who_comes_back_after_more_than_a_month_begins_anew(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(days=30), install("one")
    server.activate(issued.code)
    with at(end_of(vendor_here, issued.license_id) + 31 * DAY):
        vendor_here.renew(issued.license_id, 365)
        assert is_well(server.check_in())
        assert server.license.expires_at == rules.end_of_term(clock.timestamp(), 365, "Asia/Tehran")


def test_a_renewal_that_would_be_over_already_is_refused(vendor_here: Vendor) -> None:
    issued = vendor_here.sell(days=30)
    with at(end_of(vendor_here, issued.license_id) + 20 * DAY), pytest.raises(Invalid):
        vendor_here.renew(issued.license_id, 10)


def test_grace_days_are_signed_and_lock_after_the_last_of_them(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(days=30, grace_days=7), install("one")
    server.activate(issued.code)
    end = end_of(vendor_here, issued.license_id)
    with at(end + 6 * DAY):
        server.check_in()
        assert server.stands() == (Mode.WARN_EXPIRY, Reason.TERM_ENDING)
    with at(end + 7 * DAY + 1):
        assert server.stands() == (Mode.LOCKED, Reason.TERM_ENDED)


ENDS = [
    ("Asia/Tehran", date(2027, 3, 20)),
    ("Asia/Tehran", date(2021, 9, 21)),  # clocks went back at midnight: 23:59:59 came twice
    ("Asia/Tehran", date(2021, 3, 21)),  # the next day began at 01:00
    ("Europe/Paris", date(2027, 3, 28)),
    ("Europe/Paris", date(2027, 10, 31)),
    ("America/New_York", date(2027, 11, 7)),
    ("America/Havana", date(2027, 3, 13)),  # midnight is skipped
    ("America/Havana", date(2027, 11, 6)),
    ("Pacific/Apia", date(2011, 12, 29)),  # the next day was left out altogether
    ("Pacific/Kiritimati", date(2027, 12, 31)),
]


@pytest.mark.parametrize(("zone", "last"), ENDS)
def test_the_last_paid_second_is_23_59_59_of_the_customers_day(zone: str, last: date) -> None:
    start = rules.start_of_day(last, zone) + 9 * 3600 - 10 * DAY
    place = ZoneInfo(zone)
    days = (last - datetime.fromtimestamp(start, place).date()).days

    end = rules.end_of_term(start, days, zone)

    shown = datetime.fromtimestamp(end, place)
    assert (shown.date(), shown.time()) == (last, time(23, 59, 59))
    assert datetime.fromtimestamp(end + 1, place).date() > last


@pytest.mark.parametrize("zone", ["Asia/Tehran", "America/New_York", "Pacific/Kiritimati"])
def test_a_day_ends_where_the_customer_lives(
    vendor_here: Vendor, install: Install, zone: str
) -> None:
    with vendor_here.database.write() as session:
        who = add_customer(session, "Root", CustomerDraft("Pars", zone)).customer_id
    issued, server = vendor_here.sell(customer_id=who, days=30), install("one")
    server.activate(issued.code)
    place = ZoneInfo(zone)

    assert datetime.fromtimestamp(server.license.expires_at or 0, place).time() == time(23, 59, 59)
    with at(server.license.expires_at or 0):
        server.check_in()
        assert server.stands()[0] is Mode.WARN_EXPIRY
    with at((server.license.expires_at or 0) + 2):
        assert server.stands() == (Mode.LOCKED, Reason.TERM_ENDED)


def test_a_licence_for_a_first_day_holds_that_many_whole_days(vendor_here: Vendor) -> None:
    start = rules.start_of_day(date(2028, 1, 1), "Asia/Tehran")
    issued = vendor_here.sell(days=366, starts_at=start)

    end = datetime.fromtimestamp(end_of(vendor_here, issued.license_id), ZoneInfo("Asia/Tehran"))

    assert end.date() == date(2028, 12, 31)


# The next term


def load(vendor: Vendor, license_id: str, days: int, named: int | None = None) -> None:
    with vendor.database.write() as session:
        terms.load_next_term(session, "Root", vendor.keys, license_id, days, SeatChange(named))


def test_a_next_term_loaded_ahead_ends_the_warning_and_brings_its_own_seats(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(days=30, seats=5), install("one")
    server.activate(issued.code)
    end = end_of(vendor_here, issued.license_id)
    with at(end - 5 * DAY):
        server.check_in()
        assert server.stands() == (Mode.WARN_EXPIRY, Reason.TERM_ENDING)
        load(vendor_here, issued.license_id, 365, named=8)
        server.check_in()
        assert server.stands() == OK
        assert (server.license.seats.named, server.license.expires_at) == (
            5,
            rules.end_of_term(end, 365, "Asia/Tehran"),
        )
        assert server.stands(named=8)[1] is Reason.SEATS_OVER_CAP
        assert server.client.verdict(1).next_change_at is not None
    with at(end + 2):
        # No word from the vendor was needed for that.
        assert server.stands(named=8) == OK
        assert server.license.at(clock.timestamp()).seats.named == 8
        server.check_in()
        assert (server.license.serial, server.license.seats.named) == (3, 8)
        assert server.license.next_term is None


def test_a_smaller_next_term_bites_when_it_begins(vendor_here: Vendor, install: Install) -> None:
    issued, server = vendor_here.sell(days=30, seats=5), install("one")
    server.activate(issued.code)
    end = end_of(vendor_here, issued.license_id)
    load(vendor_here, issued.license_id, 365, named=2)
    with at(end - DAY):
        server.check_in(named=4)
        assert server.stands(named=4) == OK
    with at(end + 2):
        assert server.stands(named=4) == (Mode.WARN_ADMIN, Reason.SEATS_OVER_CAP)


def test_a_next_term_is_withdrawn_before_it_begins_and_not_after(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(days=30), install("one")
    server.activate(issued.code)
    end = end_of(vendor_here, issued.license_id)
    load(vendor_here, issued.license_id, 365)
    with pytest.raises(Conflict):
        load(vendor_here, issued.license_id, 365)
    withdraw(vendor_here, issued.license_id)
    server.check_in()
    assert (server.license.expires_at, server.license.next_term) == (end, None)
    load(vendor_here, issued.license_id, 365)
    with at(end + 2), pytest.raises(Conflict):
        withdraw(vendor_here, issued.license_id)


def withdraw(vendor: Vendor, license_id: str) -> None:
    with vendor.database.write() as session:
        terms.withdraw_next_term(session, "Root", vendor.keys, license_id)


def test_the_vendors_clock_begins_terms_that_nobody_asks_about(vendor_here: Vendor) -> None:
    issued = vendor_here.sell(days=30, seats=5)
    load(vendor_here, issued.license_id, 365, named=8)
    with at(end_of(vendor_here, issued.license_id) - 364 * DAY):
        assert terms.begin_next_terms(vendor_here.database, vendor_here.keys) == 1
        assert terms.begin_next_terms(vendor_here.database, vendor_here.keys) == 0
    with vendor_here.database.read() as session:
        assert look_up(session, issued.license_id).named == 8


@pytest.mark.parametrize("kind", [Kind.PERPETUAL, Kind.TRIAL])
def test_only_a_running_subscription_has_a_next_term(vendor_here: Vendor, kind: Kind) -> None:
    with pytest.raises(Conflict):
        load(vendor_here, vendor_here.sell(kind=kind).license_id, 30)


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


# Given back


def test_a_licence_given_back_online_may_be_refunded_at_once(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)

    assert is_well(server.client.deactivate(DeactivationReason.REFUND, USAGE))

    proof = proof_of(server)
    assert proof.reason is DeactivationReason.REFUND
    assert proof.refund_eligible_at == proof.deactivated_at
    assert server.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
    assert install("two").activate(issued.code).code == "E_DEACTIVATED"


def test_a_licence_given_back_by_file_may_be_refunded_when_its_lease_is_over(
    vendor_here: Vendor, install: Install
) -> None:
    """The tombstone comes before the file: the server is locked although the vendor knows nothing yet."""
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    lease = server.client.status().lease
    assert lease is not None
    with later(days=3):
        request = server.client.export_deactivation(DeactivationReason.REFUND, USAGE)
        assert server.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
        server.start()
        assert server.stands() == (Mode.LOCKED, Reason.DEACTIVATED)
        assert is_well(server.client.import_answer(answered(vendor_here, request)))
        proof = proof_of(server)
    assert proof.refund_eligible_at == lease.expires_at
    assert proof.deactivated_at < lease.expires_at


def test_by_file_after_the_lease_has_ended_the_refund_is_due_at_once(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    with later(days=20):
        request = server.client.export_deactivation(DeactivationReason.REFUND, USAGE)
        assert is_well(server.client.import_answer(answered(vendor_here, request)))
        proof = proof_of(server)
    assert proof.refund_eligible_at == proof.deactivated_at


def answered(vendor: Vendor, request: bytes) -> bytes:
    secret = read_secret(vendor.settings.secrets_dir, CHALLENGE_SECRET)
    with vendor.database.write() as session:
        return answer_file(session, Desk(vendor.settings, vendor.keys, secret), request).file


def proof_of(server: Server) -> Deactivation:
    found = server.client.status().receipt
    assert found is not None
    return found


def test_the_proof_outlives_the_state_and_says_what_was_given_back(
    vendor_here: Vendor, install: Install
) -> None:
    issued, server = vendor_here.sell(), install("one")
    server.activate(issued.code)
    for _day in range(3):
        server.check_in()
    server.client.deactivate(DeactivationReason.END, USAGE)
    files = list((server.folder / "license").rglob("*"))
    proofs = [path for path in files if "deactivation" in path.name or "receipt" in str(path)]

    proof = proof_of(server)
    assert (proof.license_id, proof.final_seq, proof.generation) == (issued.license_id, 4, 1)
    assert any(json.loads(path.read_text("utf8")) for path in proofs if path.is_file())
    assert server.check_in().result is Result.REFUSED
    assert datetime.fromtimestamp(proof.deactivated_at, UTC) <= clock.now()
