"""Check-ins over HTTP: the chain, lost replies, snapshots, clones, and what a lease tells."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from licensing.authority.licenses.rules import LicenseStatus
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import Answer, Problem, Stranger, codes, sealed, sha256

CHECK_INS = "/v1/check-ins"


@pytest.fixture
def license_id(vendor: Vendor, server: Stranger) -> str:
    """Give the licence of the server."""
    return str(server.license["license_id"])


@pytest.fixture
def server(vendor: Vendor) -> Stranger:
    """Give an activated server."""
    stranger = vendor.stranger()
    stranger.activate(vendor.sell().code)
    return stranger


def fork(one: Stranger, other: Stranger, times: int) -> list[Answer]:
    """Let two copies of one server check in by turns; return the answers that counted as forks."""
    one.check_in()
    other.check_in()  # a restored snapshot, as far as anybody can tell
    lineages = (one, other)
    return [lineages[number % 2].check_in() for number in range(times)]


def test_a_check_in_moves_the_chain_by_one(server: Stranger) -> None:
    for _day in range(3):
        before, before_raw = server.lease, server.lease_raw
        answer = server.check_in()

        assert server.lease["seq"] == before["seq"] + 1
        assert server.lease["prev_hash"] == sha256(before_raw)
        assert server.lease["next_nonce"] != before["next_nonce"]
        assert server.lease["lease_id"] != before["lease_id"]
        assert codes(answer) == []
        assert (answer.payload["license"], answer.payload["keyset"]) == (None, None)


def test_a_lost_reply_is_given_again_byte_for_byte(server: Stranger) -> None:
    first = server.check_in()
    lost = server.twin()

    again = server.again(CHECK_INS)

    assert again.raw == first.raw
    assert lost.check_in().payload["seq"] == first.payload["seq"] + 1


def test_one_check_in_sent_many_times_at_once_is_answered_once(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    request = sealed("checkin-req", server.check_in_payload(), server.key)
    copies = [server.twin() for _number in range(6)]

    with ThreadPoolExecutor(len(copies)) as pool:
        answers = list(pool.map(lambda copy: copy.ask(CHECK_INS, request), copies))

    assert len({answer.raw for answer in answers}) == 1
    assert vendor.activations(license_id)[0].head_seq == 2


def test_different_check_ins_at_once_leave_one_head(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    copies = [server.twin() for _number in range(4)]

    with ThreadPoolExecutor(len(copies)) as pool:
        answers = list(pool.map(lambda copy: copy.check_in(), copies))

    numbers = sorted(answer.payload["seq"] for answer in answers)
    assert numbers == [2, 3, 4, 5]
    last = max(answers, key=lambda answer: int(answer.payload["seq"]))
    held = vendor.activations(license_id)[0]
    assert (held.head_seq, held.head_nonce) == (5, last.payload["next_nonce"])


@pytest.mark.parametrize(("shown", "given"), [(1, 3), (3, 4), (70, 71), (2**53 - 3, 2**53 - 2)])
def test_a_damaged_counter_is_agreed_anew(server: Stranger, shown: int, given: int) -> None:
    server.check_in()
    if shown == 3:
        shown, given = 4, 5

    answer = server.check_in(seq=shown)

    assert answer.payload["seq"] == given
    assert codes(answer) == ["STATE_RESYNC"]
    assert server.check_in(seq=given + 1).kind == "lease" if given < 2**50 else True


def test_a_counter_without_a_successor_is_refused(server: Stranger) -> None:
    with pytest.raises(Problem) as refused:
        server.check_in(seq=2**53 - 1)

    assert (refused.value.status, refused.value.code) == (400, "E_FORMAT")


def test_a_restored_snapshot_goes_on_and_counts_for_nothing(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    snapshot = server.twin()
    for _day in range(3):
        server.check_in()
    for _restore in range(4):  # the same snapshot again and again
        server.restore(snapshot)
        answer = server.check_in()

        assert codes(answer) == ["STATE_RESYNC"]
    assert answer.payload["seq"] == 8
    assert codes(server.check_in()) == []
    assert vendor.activations(license_id)[0].forks == 0
    assert vendor.flags(license_id) == []


def test_a_clone_is_noticed_at_the_second_fork_and_stops_nothing(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    first, second = fork(server, server.twin(), 2)

    assert codes(first) == ["STATE_RESYNC"]
    assert codes(second) == ["STATE_RESYNC", "CLONE_REVIEW"]
    assert second.payload["status"] == "ok"
    assert vendor.flags(license_id) == ["clone_review"]


def test_the_sixth_fork_is_held_until_the_vendor_resolves_it(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    clone = server.twin()
    *before, sixth = fork(server, clone, 6)
    head = vendor.activations(license_id)[0].head_nonce

    assert all(answer.kind == "lease" for answer in before)
    assert sixth.code == "E_CLONE_SUSPECTED"
    assert server.check_in().code == clone.check_in().code == "E_CLONE_SUSPECTED"
    held = vendor.activations(license_id)[0]
    assert (held.is_held, held.forks, held.head_nonce) == (True, 6, head)
    assert "clone_hold" in vendor.flags(license_id)

    refused = server.check_in()
    vendor.clear_hold(license_id)

    assert refused.code == "E_CLONE_SUSPECTED"
    assert server.again(CHECK_INS).kind == "lease"
    assert server.check_in().kind == "lease"
    assert vendor.activations(license_id)[0].forks <= 1
    assert vendor.flags(license_id) == []


def test_a_held_server_cannot_slip_away_by_activating_anew(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    fork(server, server.twin(), 6)

    assert server.activate(issued.code).code == "E_CLONE_SUSPECTED"


def test_a_held_server_may_leave(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    fork(server, server.twin(), 6)

    assert server.deactivate("move").kind == "deactivation"
    assert vendor.stranger().activate(issued.code).kind == "bundle"


def test_an_unknown_nonce_counts_as_a_second_lineage(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    answer = server.check_in(nonce="f" * 32)

    assert codes(answer) == ["STATE_RESYNC"]
    assert answer.payload["license"] is not None  # nobody knows what such a server holds
    assert vendor.activations(license_id)[0].forks == 1


def test_sixty_clean_check_ins_forget_the_forks(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    clone = server.twin()
    fork(clone, server, 2)  # the last to check in holds the head

    for _day in range(59):
        assert codes(server.check_in()) == ["CLONE_REVIEW"]

    assert codes(server.check_in()) == []
    assert vendor.activations(license_id)[0].forks == 0


@pytest.mark.parametrize("status", [LicenseStatus.SUSPENDED, LicenseStatus.REVOKED])
def test_a_stopped_licence_is_told_by_the_lease(
    vendor: Vendor, server: Stranger, license_id: str, status: LicenseStatus
) -> None:
    vendor.set_status(license_id, status)

    assert server.check_in().payload["status"] == status.value


def test_a_resumed_licence_is_told_by_the_lease(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    vendor.set_status(license_id, LicenseStatus.SUSPENDED)
    server.check_in()
    vendor.set_status(license_id, LicenseStatus.OK)

    assert server.check_in().payload["status"] == "ok"


def test_a_renewal_arrives_by_itself_and_once(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    held = dict(server.license)
    vendor.renew(license_id, 30)

    answer = server.check_in()

    assert codes(answer) == ["RENEWAL_AVAILABLE"]
    assert server.license["serial"] == held["serial"] + 1
    assert server.license["expires_at"] > held["expires_at"]
    assert answer.payload["license_serial"] == 2
    assert answer.payload["license_expires_at"] == server.license["expires_at"]
    assert server.check_in().payload["license"] is None


def test_a_renewal_whose_reply_was_lost_in_a_snapshot_arrives_again(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    snapshot = server.twin()
    vendor.renew(license_id, 30)
    server.check_in()
    server.restore(snapshot)

    assert server.check_in().payload["license"] is not None


def test_a_new_serial_names_the_one_before(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    bundle = server.activate(issued.code)
    vendor.set_seats(issued.license_id, 7)

    server.check_in()

    assert server.license["seats"]["named"] == 7
    assert server.license["prev_serial_sha256"] == sha256(bundle.payload["license"].encode())


def test_more_users_than_a_lowered_cap_are_noticed(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    server.named = 5
    vendor.set_seats(license_id, 3)

    assert codes(server.check_in()) == ["RENEWAL_AVAILABLE", "SEATS_OVER_NEW_CAP"]
    assert server.lease["seats"]["named"] == 3
    server.named = 3
    assert codes(server.check_in()) == []


def test_another_machine_is_flagged_and_stops_nothing(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    moved = dict.fromkeys(server.fp, "0" * 32)

    answer = server.check_in(fp=moved)

    assert (answer.kind, codes(answer)) == ("lease", [])
    assert vendor.flags(license_id) == ["fingerprint_changed"]


def test_what_an_installation_tells_is_kept_for_the_vendor(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    server.check_in(product_version="0.2.0", mode="warn_users")

    held = vendor.activations(license_id)[0]
    assert (held.product_version, held.mode) == ("0.2.0", "warn_users")
    assert held.usage == {"named": 1, "peak_concurrent": 1, "service": 0}


def test_a_superseded_server_is_told_again_and_again(
    vendor: Vendor, server: Stranger, license_id: str
) -> None:
    head = vendor.activations(license_id)[0].head_nonce
    vendor.rehost(license_id)

    first = server.check_in()

    assert first.code == "E_SUPERSEDED"
    assert server.again(CHECK_INS).raw == first.raw
    assert server.check_in().code == "E_SUPERSEDED"
    assert vendor.activations(license_id)[0].head_nonce == head


def test_a_foreign_signature_is_no_check_in(vendor: Vendor, server: Stranger) -> None:
    before = dict(server.lease)
    thief = vendor.stranger()
    request = sealed("checkin-req", server.check_in_payload(), thief.key)

    with pytest.raises(Problem) as refused:
        server.ask(CHECK_INS, request)

    assert (refused.value.status, refused.value.code) == (400, "E_SIGNATURE")
    assert server.check_in().payload["seq"] == before["seq"] + 1


def test_an_unknown_activation_is_an_unsigned_problem(server: Stranger) -> None:
    with pytest.raises(Problem) as refused:
        server.check_in(activation_id="act_nobody")

    assert (refused.value.status, refused.value.code) == (404, "E_UNKNOWN_ACTIVATION")
    assert refused.value.reply.headers["Content-Type"] == "application/problem+json"
