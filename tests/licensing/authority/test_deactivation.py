"""Giving a licence back over HTTP: the proof, and what becomes of the code."""

import pytest

from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.rules import LicenseStatus
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import Problem, Stranger

DEACTIVATIONS = "/v1/deactivations"


def activated(vendor: Vendor) -> tuple[Stranger, str, str]:
    """Return an activated server, its licence and its code."""
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    return server, issued.license_id, issued.code


def status_of(vendor: Vendor, license_id: str) -> LicenseStatus:
    with vendor.database.read() as session:
        return look_up(session, license_id).status


@pytest.mark.parametrize("reason", ["move", "refund", "end"])
def test_the_proof_says_who_left_when_and_why(vendor: Vendor, reason: str) -> None:
    server, license_id, _code = activated(vendor)
    server.check_in()

    proof = server.deactivate(reason)

    assert proof.kind == "deactivation"
    said = proof.payload
    assert said["activation_id"] == server.activation["activation_id"]
    assert (said["license_id"], said["generation"], said["final_seq"]) == (license_id, 1, 2)
    assert said["reason"] == reason
    assert said["refund_eligible_at"] == said["deactivated_at"] == said["server_time"]
    ended = vendor.activations(license_id)[0]
    assert (ended.status, ended.end_reason) == (ActivationStatus.DEACTIVATED, reason)


def test_after_a_move_the_same_code_activates_the_next_generation(vendor: Vendor) -> None:
    server, _license_id, code = activated(vendor)
    server.deactivate("move")
    other = vendor.stranger()

    assert other.activate(code).kind == "bundle"
    assert other.activation["generation"] == 2
    assert (other.lease["seq"], other.lease["prev_hash"]) == (1, None)


@pytest.mark.parametrize("reason", ["refund", "end"])
def test_a_licence_that_was_given_back_for_good_is_closed(vendor: Vendor, reason: str) -> None:
    server, license_id, code = activated(vendor)
    server.deactivate(reason)

    assert status_of(vendor, license_id) is LicenseStatus.CLOSED
    assert vendor.stranger().activate(code).code == "E_DEACTIVATED"


def test_a_lost_proof_is_given_again_byte_for_byte(vendor: Vendor) -> None:
    server, _license_id, code = activated(vendor)
    first = server.deactivate("move")
    vendor.stranger().activate(code)

    assert server.again(DEACTIVATIONS).raw == first.raw


def test_the_proof_survives_a_check_in_of_the_old_server(vendor: Vendor) -> None:
    server, _license_id, _code = activated(vendor)
    first = server.deactivate("refund")
    leaving = server.last_request

    assert server.check_in().code == "E_DEACTIVATED"
    assert server.ask(DEACTIVATIONS, leaving).raw == first.raw
    assert server.deactivate("refund").code == "E_DEACTIVATED"


def test_a_snapshot_may_leave_with_its_old_nonce(vendor: Vendor) -> None:
    server, _license_id, _code = activated(vendor)
    snapshot = server.twin()
    for _day in range(3):
        server.check_in()

    proof = snapshot.deactivate("refund")

    assert proof.kind == "deactivation"
    assert proof.payload["final_seq"] == 4


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (LicenseStatus.SUSPENDED, LicenseStatus.CLOSED),
        (LicenseStatus.REVOKED, LicenseStatus.REVOKED),
    ],
)
def test_a_stopped_licence_can_be_given_back(
    vendor: Vendor, status: LicenseStatus, after: LicenseStatus
) -> None:
    server, license_id, _code = activated(vendor)
    vendor.set_status(license_id, status)

    assert server.deactivate("end").kind == "deactivation"
    assert status_of(vendor, license_id) is after


def test_a_moved_suspended_licence_stays_suspended(vendor: Vendor) -> None:
    server, license_id, code = activated(vendor)
    vendor.set_status(license_id, LicenseStatus.SUSPENDED)
    server.deactivate("move")

    assert vendor.stranger().activate(code).code == "E_SUSPENDED"


def test_a_superseded_server_has_nothing_to_give_back(vendor: Vendor) -> None:
    server, license_id, _code = activated(vendor)
    vendor.rehost(license_id)

    assert server.deactivate("refund").code == "E_SUPERSEDED"


def test_nobody_else_can_give_a_licence_back(vendor: Vendor) -> None:
    server, license_id, _code = activated(vendor)
    thief = server.twin()
    thief.key = vendor.stranger().key

    with pytest.raises(Problem) as refused:
        thief.deactivate("end")

    assert (refused.value.status, refused.value.code) == (400, "E_SIGNATURE")
    assert vendor.activations(license_id)[0].status is ActivationStatus.ACTIVE


def test_an_unknown_reason_is_refused(vendor: Vendor) -> None:
    server, _license_id, _code = activated(vendor)

    with pytest.raises(Problem) as refused:
        server.deactivate("boredom")

    assert refused.value.code == "E_FORMAT"
