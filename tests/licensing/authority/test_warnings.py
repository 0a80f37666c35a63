"""What the vendor's side tells: customers before their term ends, its own people when something needs them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.config import load_settings
from licensing.authority.customers.service import CustomerDraft, add_customer
from licensing.authority.housekeeping import jobs, warn_staff
from licensing.authority.licenses.flags import raise_flag
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.authority.staff.models import StaffMember
from licensing.authority.staff.rules import Role, StaffStatus
from licensing.authority.warnings.rules import silent_step, warns_of_end
from licensing.authority.warnings.service import tell_customers
from licensing.document.license import Kind
from server.core import clock
from server.core.db import Database
from server.core.errors import Invalid
from server.core.outbox import OutgoingMessage
from server.core.schedule import JobState
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import Vendor, found_vendor, open_vendor
from tests.licensing.authority.stranger import Reply
from tests.support.mail import MailServer
from tests.support.postgres import Cluster
from tests.support.racing import race

DAY = 86_400
RITA = CustomerDraft("Pars Trading", "Asia/Tehran", "rita@pars.example", "0912 123 4567", "en")


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_cluster: Cluster
) -> Iterator[Vendor]:
    """Give an authority inside the test, once on each database."""
    name = postgres_cluster.create_database() if request.param == "postgresql" else ""
    url = postgres_cluster.url(name) if name else ""
    opened = open_vendor(found_vendor(tmp_path / "authority", url), _no_line)
    yield opened
    opened.database.dispose()
    if name:
        postgres_cluster.drop_database(name)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Vendor]:
    """Give an authority inside the test, on SQLite."""
    opened = open_vendor(found_vendor(tmp_path / "authority"), _no_line)
    yield opened
    opened.database.dispose()


def _no_line(*_request: object) -> Reply:
    raise AssertionError("nobody calls here")


def at(days: float, hour: int = 9) -> time_machine.travel:
    """Travel to this hour in UTC so many days from today; 9 is half past noon in Tehran."""
    day = clock.now() + timedelta(days=days)
    return time_machine.travel(
        day.replace(hour=hour, minute=0, second=0, microsecond=0), tick=False
    )


def buyer(vendor: Vendor, draft: CustomerDraft = RITA) -> str:
    with vendor.database.write() as session:
        return add_customer(session, "Root", draft).customer_id


def sell(vendor: Vendor, draft: CustomerDraft = RITA, **order: Any) -> str:
    return vendor.sell(customer_id=buyer(vendor, draft), **order).license_id


def hire(vendor: Vendor, status: StaffStatus = StaffStatus.ACTIVE) -> None:
    with vendor.database.write() as session:
        member = StaffMember(
            email="vera@vendor.example",
            email_key="vera@vendor.example",
            name="Vera",
            role=Role.SUPPORT,
            status=status,
            locale="en",
        )
        session.add(member)


def messages(vendor: Vendor) -> list[OutgoingMessage]:
    with vendor.database.read() as session:
        return list(session.scalars(select(OutgoingMessage).order_by(OutgoingMessage.id)))


def told(vendor: Vendor) -> list[tuple[str, str]]:
    return [(one.purpose, one.channel.value) for one in messages(vendor)]


def activate(vendor: Vendor, license_id: str) -> None:
    """Let a server hold the licence that called a moment ago."""
    now = clock.timestamp()
    with vendor.database.write() as session:
        row = look_up(session, license_id)
        session.add(
            ActivationRecord(
                activation_id=f"act_{row.id}",
                license_row_id=row.id,
                generation=1,
                instance_pub=b"k" * 32,
                fingerprint={},
                activated_at=now,
                last_seen_at=now,
                product_version="0.1.0",
            )
        )


def test_the_end_of_a_term_is_told_once_a_day_by_both_ways(vendor: Vendor) -> None:
    sell(vendor, days=30)
    counts = []
    for day in (0, 15, 19, 21, 22):
        with at(day):
            counts.append((tell_customers(vendor.database), tell_customers(vendor.database)))

    assert counts == [(0, 0), (0, 0), (0, 0), (2, 0), (2, 0)]
    assert told(vendor)[:2] == [("customer.term_ending", "email"), ("customer.term_ending", "sms")]
    mail, sms = messages(vendor)[:2]
    assert mail.recipient == "rita@pars.example"
    assert "ends in" in mail.subject
    assert "holds even if a message was not delivered" in mail.body
    assert (sms.recipient, sms.subject) == ("+989121234567", "")


def test_in_the_last_days_it_is_urgent_and_after_a_renewal_it_is_over(house: Vendor) -> None:
    license_id = sell(house, days=30)
    with at(28):
        tell_customers(house.database)
        house.renew(license_id, 365)
    with at(29):
        tell_customers(house.database)

    first = messages(house)[0]
    assert first.subject.startswith("Urgent:")
    assert first.is_urgent
    after = [one for one in messages(house) if one.id > 2]
    assert [one.purpose for one in after] == ["customer.renewed"]
    assert "is renewed" in after[0].subject


def test_at_night_nobody_is_written_to(house: Vendor) -> None:
    sell(house, days=5, kind=Kind.SUBSCRIPTION)
    sell(house, replace(RITA, timezone="America/Los_Angeles", email="lee@la.example"), days=5)

    with at(4, hour=18):  # 21:30 in Tehran, the morning in Los Angeles
        tell_customers(house.database)

    assert {one.recipient for one in messages(house)} <= {"lee@la.example", "+989121234567"}
    assert messages(house)[0].recipient == "lee@la.example"


def test_a_customer_is_written_to_in_their_language_and_calendar(house: Vendor) -> None:
    sell(house, replace(RITA, locale="fa"), days=30)

    with at(25):
        tell_customers(house.database)

    mail = messages(house)[0]
    assert mail.locale == "fa"
    assert 'dir="rtl"' in mail.html
    assert any(digit in mail.subject for digit in "۰۱۲۳۴۵۶۷۸۹")


def test_a_silent_server_is_told_of_at_each_step_once(vendor: Vendor) -> None:
    license_id = sell(vendor, days=365)
    with at(1):
        activate(vendor, license_id)
    for day in (2, 7, 8, 10, 13, 15, 21, 41):
        with at(day):
            tell_customers(vendor.database)

    assert told(vendor) == [("customer.silent", "email")] * 2


def test_what_was_done_to_a_licence_is_told_once(vendor: Vendor) -> None:
    license_id = sell(vendor, days=365)
    with at(1):
        vendor.set_status(license_id, LicenseStatus.SUSPENDED)
        tell_customers(vendor.database)
        vendor.set_status(license_id, LicenseStatus.OK)
        vendor.rehost(license_id)
        tell_customers(vendor.database)
    with at(2):
        tell_customers(vendor.database)
        vendor.set_status(license_id, LicenseStatus.REVOKED)
        tell_customers(vendor.database)

    assert told(vendor) == [
        ("customer.suspended", "email"),
        ("customer.suspended", "sms"),
        ("customer.resumed", "email"),
        ("customer.rehosted", "email"),
        ("customer.rehosted", "sms"),
        ("customer.revoked", "email"),
        ("customer.revoked", "sms"),
    ]


def test_a_flag_is_told_to_the_customer_and_to_the_staff(vendor: Vendor) -> None:
    hire(vendor)
    license_id = sell(vendor, days=365)
    with at(1):
        with vendor.database.write() as session:
            raise_flag(session, look_up(session, license_id), FlagKind.CLONE_REVIEW, "2 forks")
            raise_flag(session, look_up(session, license_id), FlagKind.WEAK_BINDING, "1 part")
        for _again in range(3):
            tell_customers(vendor.database)
            warn_staff(vendor.settings, vendor.database, vendor.keys)

    assert told(vendor) == [("customer.clone_review", "email"), ("staff.digest", "email")]
    digest = messages(vendor)[1]
    assert digest.recipient == "vera@vendor.example"
    assert "Copies suspected (2 forks)" in digest.body
    assert license_id in digest.body


def test_staff_hear_of_keys_that_end_daily_and_of_nothing_else(house: Vendor) -> None:
    hire(house)
    for day in (1, 65, 66):
        with at(day):
            warn_staff(house.settings, house.database, house.keys)
            warn_staff(house.settings, house.database, house.keys)

    assert told(house) == [("staff.digest", "email")] * 2
    assert "keys rotate" in messages(house)[0].body


def test_a_backup_that_failed_is_told_at_once_once_a_day(house: Vendor) -> None:
    hire(house)
    with house.database.write() as session:
        session.add(
            JobState(name="backups.daily", next_at=clock.now(), ok=False, error="The disk is full.")
        )
    for day, hour in ((1, 1), (1, 9), (2, 9)):
        with at(day, hour=hour):
            warn_staff(house.settings, house.database, house.keys)

    assert told(house) == [("staff.job_failed", "email")] * 2
    assert "The disk is full." in messages(house)[0].body


def test_who_left_or_was_never_let_in_is_told_nothing(house: Vendor) -> None:
    hire(house, StaffStatus.DEACTIVATED)
    sell(house, CustomerDraft("Nobody", "Asia/Tehran"), days=30)
    with at(70):
        warn_staff(house.settings, house.database, house.keys)
    with at(25):
        tell_customers(house.database)

    assert messages(house) == []


def _tell(url: str, moment: datetime) -> int:
    database = Database(url)
    with time_machine.travel(moment, tick=False):
        return tell_customers(database)


def test_two_processes_tell_one_customer_once(vendor: Vendor) -> None:
    sell(vendor, days=30)
    noon = (clock.now() + timedelta(days=25)).replace(hour=9)

    counts = race(vendor.database, _tell, [(vendor.settings.database_url, noon)] * 3)

    assert sum(int(str(count)) for count in counts) == 2
    assert len(messages(vendor)) == 2


def test_every_job_of_warning_runs_by_the_clock(house: Vendor) -> None:
    wanted = {"letters.send", "letters.forget", "customers.warn", "staff.warn"}
    known = {job.name: job for job in jobs(house.settings, house.database, house.keys)}

    assert wanted <= set(known)
    for name in sorted(wanted):
        known[name].run()


@pytest.mark.parametrize(
    ("term", "left", "warned"),
    [(365, 10, True), (365, 11, False), (15, 3, True), (15, 4, False), (365, -1, False)],
)
def test_when_the_end_is_near(term: int, left: int, warned: bool) -> None:
    end = 1_800_000_000
    assert warns_of_end(starts_at=end - term * DAY, expires_at=end, now=end - left * DAY) is warned


@pytest.mark.parametrize(
    ("silent", "lease", "step"),
    [(6, 14, 0), (7, 14, 1), (14, 14, 2), (20, 90, 0), (45, 90, 1), (91, 90, 2)],
)
def test_when_silence_is_told(silent: int, lease: int, step: int) -> None:
    now = 1_800_000_000
    seen = now - silent * DAY
    assert silent_step(last_seen_at=seen, lease_ttl_s=lease * DAY, now=now) == step


# The command


def test_the_command_sends_a_test_and_lists_it(console: Console, mail_server: MailServer) -> None:
    empty = console.run("notify", "list").stdout
    missing = console.refusal("notify", "test", "--mail", "vera@vendor.example")
    with (console.home / "authority.toml").open("a", encoding="utf8") as file:
        file.write(
            f'\n[mail]\nhost = "{mail_server.host}"\nport = {mail_server.port}\n'
            'security = "none"\nfrom_address = "licences@vendor.example"\n'
        )

    sent = console.json("notify", "test", "--mail", "vera@vendor.example")
    listed = console.json("notify", "list")["items"]

    assert "Nothing was sent yet." in empty
    assert missing[0] == 3
    assert sent["answer"] == "250 Kept"
    assert [one["state"] for one in listed] == ["sent"]
    assert "vera@vendor.example" in console.run("notify", "list").stdout
    assert console.refusal("notify", "test")[0] == 2
    mail_server.wait_for(1)


def test_a_customer_has_a_telephone_and_a_language(console: Console) -> None:
    console.json(
        *("customer", "add", "--name", "Pars", "--email", "rita@pars.example"),
        *("--phone", "0912 123 4567", "--locale", "fr"),
    )
    wrong = console.refusal("customer", "add", "--name", "Pars", "--phone", "12")

    (kept,) = console.json("customer", "list")["items"]
    assert (kept["phone"], kept["locale"]) == ("+989121234567", "fr")
    assert wrong[0] == 2


def test_settings_that_cannot_be_meant_so_are_refused(console: Console) -> None:
    file = console.home / "authority.toml"
    file.write_text(file.read_text("utf8") + '\n[mail]\nhost = "mail.vendor.example"\n', "utf8")

    with pytest.raises(Invalid) as refusal:
        load_settings(console.home)

    assert refusal.value.field == "mail.from_address"


def test_a_server_that_gave_its_licence_up_may_be_silent(house: Vendor) -> None:
    activate(house, sell(house, days=365))
    with house.database.write() as session:
        session.execute(update(ActivationRecord).values(status="superseded"))
    with at(20):
        tell_customers(house.database)

    assert messages(house) == []
