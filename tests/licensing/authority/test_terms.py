"""Terms of a licence as the product's own client lives them: renewed, ended, and the next one loaded ahead."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from licensing.authority.customers.service import CustomerDraft, add_customer
from licensing.authority.licenses import rules, terms
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.service import SeatChange
from licensing.client.ladder import Reason
from licensing.document.license import Kind
from licensing.document.requests import Mode
from server.core import clock
from server.core.errors import Conflict, Invalid
from tests.licensing.authority.life import (
    DAY,
    OK,
    Install,
    at,
    end_of,
    is_well,
)
from tests.licensing.authority.stage import Vendor

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
