"""What time does: challenges, terms, trials, key windows. The authority runs inside the test."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from licensing.authority.activations.models import Head
from licensing.authority.housekeeping import (
    CHAINS_KEPT_DAYS,
    DENIALS_KEPT_DAYS,
    ending_soon,
    forget_old_chains,
    forget_old_denials,
)
from licensing.authority.licenses.queries import look_up
from licensing.document.documents import Role
from licensing.document.license import Kind
from server.core import clock
from server.core.errors import NotLicensed
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import Stranger, codes

ACTIVATIONS = "/v1/activations"
DAY = 86_400


def later(**time: int) -> time_machine.travel:
    """Travel so far from now; the clock goes on."""
    return time_machine.travel(clock.now() + timedelta(**time))


def activated(vendor: Vendor, **order: Any) -> tuple[Stranger, str]:
    issued, server = vendor.sell(**order), vendor.stranger()
    server.activate(issued.code)
    return server, issued.license_id


def test_a_challenge_lives_for_ten_minutes(vendor_here: Vendor) -> None:
    issued, server = vendor_here.sell(), vendor_here.stranger()
    in_time, late = server.challenge(), server.challenge()

    with later(minutes=9):
        assert server.activate(issued.code, challenge=in_time).kind == "bundle"
    with later(minutes=11):
        assert server.activate(issued.code, challenge=late).code == "E_CHALLENGE"


def test_a_request_that_was_answered_is_answered_whatever_its_challenges_age(
    vendor_here: Vendor,
) -> None:
    issued, server = vendor_here.sell(), vendor_here.stranger()
    first = server.activate(issued.code)

    with later(days=3):
        assert server.again(ACTIVATIONS).raw == first.raw


def test_an_ended_term_is_told_by_the_lease_and_refuses_new_activations(
    vendor_here: Vendor,
) -> None:
    server, _id = activated(vendor_here, days=30)
    unused = vendor_here.sell(days=30)

    with later(days=29):
        assert server.check_in().payload["status"] == "ok"
    with later(days=32):
        assert server.check_in().payload["status"] == "expired"
        assert vendor_here.stranger().activate(unused.code).code == "E_EXPIRED"


def test_grace_is_a_part_of_the_term(vendor_here: Vendor) -> None:
    server, _id = activated(vendor_here, days=30, grace_days=5)

    with later(days=33):
        assert server.check_in().payload["status"] == "ok"
    with later(days=37):
        assert server.check_in().payload["status"] == "expired"


def test_a_renewed_licence_is_well_again(vendor_here: Vendor) -> None:
    server, license_id = activated(vendor_here, days=30)

    with later(days=35):
        server.check_in()
        vendor_here.renew(license_id, 30)
        answer = server.check_in()

        assert answer.payload["status"] == "ok"
        # The five days it was late are paid for as well.
        left = server.license["expires_at"] - clock.timestamp()
        assert 24 * DAY < left < 26 * DAY


def test_a_perpetual_licence_never_ends(vendor_here: Vendor) -> None:
    server, _id = activated(vendor_here, kind=Kind.PERPETUAL)

    assert (server.license["expires_at"], server.lease["license_expires_at"]) == (None, None)
    with later(days=60):
        assert server.check_in().payload["status"] == "ok"


def test_the_days_of_a_trial_run_from_its_first_activation(vendor_here: Vendor) -> None:
    issued = vendor_here.sell(kind=Kind.TRIAL)

    with later(days=40):
        server = vendor_here.stranger()
        server.activate(issued.code)
        assert server.license["starts_at"] == server.license["issued_at"]
        assert 10 * DAY <= server.license["expires_at"] - clock.timestamp() < 11 * DAY
    with later(days=52):
        assert server.check_in().payload["status"] == "expired"


def test_a_spent_trial_does_not_begin_anew_on_another_server(vendor_here: Vendor) -> None:
    issued, server = vendor_here.sell(kind=Kind.TRIAL), vendor_here.stranger()
    server.activate(issued.code)
    server.deactivate("move")

    with later(days=20):
        assert vendor_here.stranger().activate(issued.code).code == "E_EXPIRED"


def test_only_two_rehosts_a_year_need_no_approval(vendor_here: Vendor) -> None:
    issued = vendor_here.sell()
    license_id = issued.license_id
    for _move in range(2):
        vendor_here.stranger().activate(issued.code)
        issued = vendor_here.rehost(license_id)
    vendor_here.stranger().activate(issued.code)

    with pytest.raises(NotLicensed) as refused:
        vendor_here.rehost(license_id)

    assert refused.value.code == "E_REHOST_LIMIT"
    assert "rehosted" in vendor_here.flags(license_id)
    with later(days=366):
        assert vendor_here.rehost(license_id).license_id == license_id
    with vendor_here.database.read() as session:
        assert look_up(session, license_id).generation == 3


def test_a_rehost_beyond_two_works_with_approval(vendor_here: Vendor) -> None:
    issued = vendor_here.sell()
    for _move in range(3):
        vendor_here.stranger().activate(issued.code)
        issued = vendor_here.rehost(issued.license_id, approved=True)

    assert vendor_here.stranger().activate(issued.code).kind == "bundle"


def test_versions_that_are_too_old_are_refused(found_here: Callable[..., Vendor]) -> None:
    vendor = found_here({"limits.enabled": "false", "clients.oldest_version": '"0.3"'})
    issued, server = vendor.sell(), vendor.stranger()

    assert server.activate(issued.code).code == "E_CLIENT_TOO_OLD"
    server.version = "0.3.1"
    assert server.activate(issued.code).kind == "bundle"
    refused = server.check_in(product_version="0.2.9")
    assert refused.code == "E_CLIENT_TOO_OLD"
    assert server.check_in().payload["seq"] == 2


def test_a_perpetual_licence_covers_what_was_built_within_its_maintenance(
    found_here: Callable[..., Vendor],
) -> None:
    day = f"{clock.now() + timedelta(days=90):%Y-%m-%d}"
    vendor = found_here({"limits.enabled": "false", "clients.builds": f'["0.9.0={day}"]'})
    perpetual = vendor.sell(kind=Kind.PERPETUAL, days=30)
    term = vendor.sell()
    newer = vendor.stranger()
    newer.version = "0.9.0"

    assert newer.activate(perpetual.code).code == "E_MAINTENANCE"
    assert newer.activate(term.code).kind == "bundle"
    assert vendor.stranger().activate(perpetual.code).kind == "bundle"


def test_old_denials_are_forgotten_and_bundles_never(vendor_here: Vendor) -> None:
    issued, server = vendor_here.sell(), vendor_here.stranger()
    bundle = server.activate(issued.code)
    granted = server.last_request
    refused = vendor_here.stranger()
    refused.activate(issued.code)

    with later(days=DENIALS_KEPT_DAYS + 1):
        forget_old_denials(vendor_here.database)

        assert server.ask(ACTIVATIONS, granted).raw == bundle.raw
        assert refused.again(ACTIVATIONS).code == "E_CHALLENGE"


def test_given_up_heads_are_remembered_while_they_count(vendor_here: Vendor) -> None:
    server, _license_id = activated(vendor_here)
    clone = server.twin()
    server.check_in()
    clone.check_in()  # the head of the first lineage is given up

    def remembered() -> int:
        with vendor_here.database.read() as session:
            return len(session.scalars(select(Head)).all())

    for days, count in ((CHAINS_KEPT_DAYS - 1, 1), (CHAINS_KEPT_DAYS + 1, 0)):
        with later(days=days):
            forget_old_chains(vendor_here.database)

            assert remembered() == count


def test_an_ordinary_year_leaves_no_row_behind(vendor_here: Vendor) -> None:
    server, license_id = activated(vendor_here)
    for _day in range(20):
        server.check_in()

    with vendor_here.database.read() as session:
        assert session.scalars(select(Head)).all() == []
    assert vendor_here.activations(license_id)[0].head_seq == 21


def test_lease_keys_rotate_without_anybody_noticing(vendor_here: Vendor) -> None:
    """A year of check-ins: a key lives 90 days, its successor comes 30 days before its end."""
    server, license_id = activated(vendor_here, days=700, lease_days=90)
    seen: set[str] = set()
    start = clock.now()
    for day in range(0, 365, 5):
        with time_machine.travel(start + timedelta(days=day)):
            if day and day % 60 == 0:
                vendor_here.rotate(Role.LEASE)
            answer = server.check_in()
            assert answer.payload["status"] == "ok"
            seen.add(answer.raw.decode().partition('"keyid":"')[2][:16])

    assert len(seen) >= 5
    assert server.trust.keyset["version"] == 7
    assert vendor_here.activations(license_id)[0].forks == 0


def test_an_old_installation_can_activate_anew_after_many_rotations(vendor_here: Vendor) -> None:
    issued, server = vendor_here.sell(days=700), vendor_here.stranger()
    server.activate(issued.code)

    with later(days=60):
        vendor_here.rotate(Role.LEASE)
    with later(days=120):
        vendor_here.rotate(Role.LEASE)
        server.fetch_keyset()
        assert server.activate(issued.code).kind == "bundle"


def test_without_a_valid_key_nothing_is_signed_and_health_says_so(vendor_here: Vendor) -> None:
    server, _id = activated(vendor_here)
    request = server.last_request

    with later(days=91):
        reply = vendor_here.send("GET", "/healthz", None)
        assert (reply.status, reply.json["code"]) == (503, "unhealthy")
        assert "lease" in reply.json["detail"]
        assert vendor_here.stranger().send("POST", ACTIVATIONS, request).status == 200
        payload = vendor_here.stranger().activate_request("7" * 26)
        assert vendor_here.send("POST", ACTIVATIONS, payload).status == 503


def test_the_vendor_is_warned_before_keys_end(vendor_here: Vendor) -> None:
    assert ending_soon(vendor_here.keys) == []
    with later(days=61):
        assert ending_soon(vendor_here.keys) == ["lease"]
        vendor_here.rotate(Role.LEASE)
        assert ending_soon(vendor_here.keys) == []
    with later(days=440):
        assert "keyset" in ending_soon(vendor_here.keys)


def test_a_new_keyset_arrives_with_the_next_check_in_and_once(vendor_here: Vendor) -> None:
    server, _id = activated(vendor_here)
    vendor_here.rotate(Role.LEASE)

    assert codes(server.check_in()) == ["KEY_ROTATION"]
    assert server.trust.keyset["version"] == 2
    assert codes(server.check_in()) == []
