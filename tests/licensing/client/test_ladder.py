"""The ladder, row by row, at exact seconds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.client.ladder import (
    SEVERITY,
    Audience,
    Reason,
    Standing,
    Verdict,
    climb,
    days_left,
)
from licensing.document.answers import Lease, LeaseStatus, Notice
from licensing.document.license import CheckinTerms, Kind, License
from licensing.document.parser import Members
from licensing.document.requests import Mode
from tests.licensing.client.vendor import DAY, NOW, license_payload

SOLD = License.read(Members(license_payload()))
END = NOW + 365 * DAY - 1  # the last paid second
LEASE = Lease.read(
    Members(
        {
            "lease_id": "ls_1",
            "activation_id": "act_1",
            "license_id": "lic_1",
            "license_serial": 1,
            "generation": 1,
            "seq": 1,
            "issued_at": NOW,
            "renew_after": NOW + DAY,
            "expires_at": NOW + 14 * DAY,
            "license_expires_at": END,
            "seats": {"named": 25, "concurrent": 25},
            "status": "ok",
            "next_nonce": "0f" * 16,
            "prev_hash": None,
            "req_hash": "ab" * 32,
            "server_time": NOW,
            "notices": [],
            "license": None,
            "keyset": None,
        }
    )
)
FRESH = Standing(SOLD, LEASE, named_used=25)


def at(standing: Standing, now: int) -> tuple[Mode, Reason, Audience]:
    verdict = climb(standing, now)
    return verdict.mode, verdict.reason, verdict.banner


def contacted(issued_at: int, sold: License = SOLD) -> Standing:
    return Standing(sold, replace(LEASE, issued_at=issued_at))


def test_a_fresh_lease_in_a_running_term_is_ok_and_says_when_it_will_not_be() -> None:
    assert climb(FRESH, NOW) == Verdict(
        Mode.OK, Reason.FRESH, NOW + 7 * DAY, findings=climb(FRESH, NOW).findings
    )
    assert at(FRESH, NOW) == (Mode.OK, Reason.FRESH, Audience.NOBODY)


@pytest.mark.parametrize(
    ("age", "mode", "reason", "banner"),
    [
        (7 * DAY - 1, Mode.OK, Reason.FRESH, Audience.NOBODY),
        (7 * DAY, Mode.WARN_ADMIN, Reason.NO_CONTACT, Audience.ADMINS),
        (14 * DAY - 1, Mode.WARN_ADMIN, Reason.NO_CONTACT, Audience.ADMINS),
        (14 * DAY, Mode.WARN_USERS, Reason.NO_CONTACT, Audience.EVERYBODY),
        (21 * DAY - 1, Mode.WARN_USERS, Reason.NO_CONTACT, Audience.EVERYBODY),
        (21 * DAY, Mode.READ_ONLY, Reason.NO_CONTACT, Audience.EVERYBODY),
        (32 * DAY - 1, Mode.READ_ONLY, Reason.NO_CONTACT, Audience.EVERYBODY),
        (32 * DAY, Mode.LOCKED, Reason.NO_CONTACT, Audience.EVERYBODY),
        (300 * DAY, Mode.LOCKED, Reason.NO_CONTACT, Audience.EVERYBODY),
    ],
)
def test_days_without_contact(age: int, mode: Mode, reason: Reason, banner: Audience) -> None:
    assert at(FRESH, NOW + age) == (mode, reason, banner)


def test_the_days_without_contact_stretch_with_the_lease_that_was_sold() -> None:
    long = replace(SOLD, checkin=CheckinTerms(lease_ttl_s=90 * DAY))
    seldom = contacted(NOW, long)
    assert climb(seldom, NOW + 45 * DAY - 1).mode is Mode.OK
    assert climb(seldom, NOW + 45 * DAY).mode is Mode.WARN_ADMIN
    assert climb(seldom, NOW + 90 * DAY).mode is Mode.WARN_USERS
    assert climb(seldom, NOW + 97 * DAY).mode is Mode.READ_ONLY
    assert climb(seldom, NOW + 108 * DAY).mode is Mode.LOCKED


@pytest.mark.parametrize(
    ("before_end", "mode", "reason", "banner"),
    [
        (10 * DAY + 1, Mode.OK, Reason.FRESH, Audience.NOBODY),
        (10 * DAY, Mode.WARN_EXPIRY, Reason.TERM_ENDING, Audience.ADMINS),
        (3 * DAY + 1, Mode.WARN_EXPIRY, Reason.TERM_ENDING, Audience.ADMINS),
        (3 * DAY, Mode.WARN_EXPIRY, Reason.TERM_ENDING, Audience.EVERYBODY),
        (0, Mode.WARN_EXPIRY, Reason.TERM_ENDING, Audience.EVERYBODY),
        (-1, Mode.LOCKED, Reason.TERM_ENDED, Audience.EVERYBODY),
    ],
)
def test_the_end_of_the_term(before_end: int, mode: Mode, reason: Reason, banner: Audience) -> None:
    now = END - before_end
    assert at(contacted(now), now) == (mode, reason, banner)


def test_a_term_under_twenty_days_warns_for_its_last_three() -> None:
    trial = replace(SOLD, kind=Kind.TRIAL, expires_at=NOW + 10 * DAY)
    end = NOW + 10 * DAY
    assert at(contacted(end, trial), end - 3 * DAY - 1)[0] is Mode.OK
    assert at(contacted(end, trial), end - 3 * DAY) == (
        Mode.WARN_EXPIRY,
        Reason.TERM_ENDING,
        Audience.EVERYBODY,
    )
    exactly = replace(SOLD, expires_at=NOW + 20 * DAY)
    assert at(contacted(NOW + 10 * DAY, exactly), NOW + 10 * DAY)[0] is Mode.WARN_EXPIRY


def test_grace_days_only_warn_and_then_lock() -> None:
    graced = replace(SOLD, grace_days=2)
    assert at(contacted(END, graced), END + 2 * DAY)[0] is Mode.WARN_EXPIRY
    assert at(contacted(END, graced), END + 2 * DAY + 1)[:2] == (Mode.LOCKED, Reason.TERM_ENDED)


def test_a_perpetual_licence_never_ends() -> None:
    forever = replace(SOLD, kind=Kind.PERPETUAL, expires_at=None)
    assert at(contacted(NOW + 9000 * DAY, forever), NOW + 9000 * DAY)[0] is Mode.OK
    assert days_left(forever, NOW) is None


def test_more_users_than_a_lowered_cap_are_borne_for_fourteen_days() -> None:
    since = NOW + DAY
    over = replace(FRESH, named_used=26, seats_over_since=since)
    over = replace(over, lease=replace(LEASE, issued_at=NOW + 14 * DAY))
    assert at(over, since) == (Mode.WARN_ADMIN, Reason.SEATS_OVER_CAP, Audience.ADMINS)
    assert at(over, since + 14 * DAY - 1)[0] is Mode.WARN_ADMIN
    assert at(over, since + 14 * DAY) == (
        Mode.READ_ONLY,
        Reason.SEATS_OVER_CAP,
        Audience.EVERYBODY,
    )
    assert [notice.code for notice in climb(over, since).notices] == ["SEATS_OVER_NEW_CAP"]
    unseen = replace(over, seats_over_since=None)
    assert at(unseen, since + 20 * DAY)[0] is Mode.WARN_ADMIN
    assert at(replace(over, named_used=25), since + 14 * DAY)[0] is Mode.OK


@pytest.mark.parametrize("status", [LeaseStatus.SUSPENDED, LeaseStatus.REVOKED])
def test_a_signed_suspension_or_revocation_locks_at_once(status: LeaseStatus) -> None:
    told = replace(FRESH, lease=replace(LEASE, status=status))
    assert at(told, NOW) == (Mode.LOCKED, Reason(status.value), Audience.EVERYBODY)


@pytest.mark.parametrize("reason", [Reason.SUPERSEDED, Reason.DEACTIVATED, Reason.CLONE_HOLD])
def test_a_terminal_answer_locks_at_once(reason: Reason) -> None:
    assert at(replace(FRESH, terminal=reason), NOW)[:2] == (Mode.LOCKED, reason)
    assert at(Standing(terminal=reason), NOW)[:2] == (Mode.LOCKED, reason)


def test_an_expired_status_only_informs_the_licence_rules() -> None:
    told = replace(FRESH, lease=replace(LEASE, status=LeaseStatus.EXPIRED))
    assert at(told, NOW)[0] is Mode.OK


def test_without_an_activation_there_is_setup() -> None:
    for standing in (Standing(), Standing(license=SOLD)):
        assert at(standing, NOW) == (Mode.SETUP, Reason.NOT_ACTIVATED, Audience.ADMINS)
        assert climb(standing, NOW).next_change_at is None or standing.license


def test_a_term_that_has_not_begun_is_setup_until_its_first_second() -> None:
    later = replace(SOLD, starts_at=NOW + DAY)
    assert at(Standing(later, LEASE), NOW + DAY - 1)[:2] == (Mode.SETUP, Reason.NOT_STARTED)
    assert climb(Standing(later, LEASE), NOW).next_change_at == NOW + DAY
    assert at(Standing(later, LEASE), NOW + DAY)[0] is Mode.OK


def test_the_severest_row_wins_and_all_are_told() -> None:
    now = END - DAY
    silent = replace(contacted(now - 22 * DAY), named_used=30, notices=(Notice("X", 1, ""),))
    verdict = climb(silent, now)
    assert (verdict.mode, verdict.reason) == (Mode.READ_ONLY, Reason.NO_CONTACT)
    assert {finding.reason for finding in verdict.findings} == {
        Reason.NO_CONTACT,
        Reason.TERM_ENDING,
        Reason.SEATS_OVER_CAP,
    }
    assert [notice.code for notice in verdict.notices] == ["X", "SEATS_OVER_NEW_CAP"]
    assert verdict.banner is Audience.EVERYBODY


def test_locked_by_the_vendor_says_so_even_when_the_term_has_not_begun() -> None:
    later = replace(SOLD, starts_at=NOW + DAY)
    told = Standing(later, replace(LEASE, status=LeaseStatus.REVOKED))
    assert at(told, NOW)[:2] == (Mode.LOCKED, Reason.REVOKED)


@pytest.mark.parametrize(
    ("before_end", "days"), [(10 * DAY, 11), (DAY, 2), (DAY - 1, 1), (0, 1), (-1, 0), (-DAY, 0)]
)
def test_days_left_are_rounded_up(before_end: int, days: int) -> None:
    assert days_left(SOLD, END - before_end) == days


standings = st.builds(
    Standing,
    license=st.none()
    | st.builds(
        lambda start, length, grace: replace(
            SOLD, starts_at=start, expires_at=start + length, grace_days=grace
        ),
        st.integers(NOW - 40 * DAY, NOW + 40 * DAY),
        st.integers(1, 60 * DAY),
        st.integers(0, 3),
    ),
    lease=st.none()
    | st.builds(
        lambda issued: replace(LEASE, issued_at=issued), st.integers(NOW - 40 * DAY, NOW + DAY)
    ),
    terminal=st.sampled_from([None, None, Reason.SUPERSEDED]),
    named_used=st.integers(20, 30),
    seats_over_since=st.none() | st.integers(NOW - 20 * DAY, NOW),
)


@given(standings, st.integers(NOW - 50 * DAY, NOW + 150 * DAY), st.integers(0, 60 * DAY))
def test_nothing_changes_before_the_announced_moment(
    standing: Standing, now: int, later: int
) -> None:
    verdict = climb(standing, now)
    change = verdict.next_change_at
    assert change is None or change > now
    until = now + later if change is None else min(now + later, change - 1)
    then = climb(standing, max(now, until))
    assert (then.mode, then.reason, then.banner) == (verdict.mode, verdict.reason, verdict.banner)
    ranks = [SEVERITY.index(finding.mode) for finding in verdict.findings]
    assert ranks == sorted(ranks, reverse=True)
