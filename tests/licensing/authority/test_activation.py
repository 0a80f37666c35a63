"""Activating over HTTP: what comes back, asked again, by another server, by many at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.activations.service import WRONG_CODE_STREAK
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.rules import LicenseStatus
from licensing.document.license import Kind
from server.core import clock
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import (
    CROCKFORD,
    Answer,
    Problem,
    check_symbol,
    payload_bytes,
    plain_code,
    sha256,
)

DAY = 86_400
ACTIVATIONS = "/v1/activations"


def test_a_code_gives_a_licence_an_activation_and_the_first_lease(vendor: Vendor) -> None:
    issued, server = vendor.sell(seats=25), vendor.stranger()

    answer = server.activate(issued.code)

    assert answer.kind == "bundle"
    assert server.license["license_id"] == issued.license_id
    assert server.license["seats"] == {"named": 25, "concurrent": 25, "service_accounts": 5}
    assert (server.license["serial"], server.license["prev_serial_sha256"]) == (1, None)
    assert server.activation["generation"] == 1
    assert server.activation["fingerprint"] == server.fp
    lease = server.lease
    assert (lease["seq"], lease["prev_hash"], lease["status"]) == (1, None, "ok")
    assert lease["expires_at"] == lease["issued_at"] + 14 * DAY
    assert abs(lease["renew_after"] - lease["issued_at"] - DAY) <= 4 * 3600
    assert lease["license_expires_at"] == server.license["expires_at"]
    assert (lease["license"], lease["keyset"], lease["notices"]) == (None, None, [])


def test_the_code_is_shown_as_the_page_says(vendor: Vendor) -> None:
    code = vendor.sell().code

    assert set(plain_code(code)) <= set(CROCKFORD)
    assert code.replace("-", "")[26:] == check_symbol(plain_code(code))


def test_the_same_request_gets_the_same_bytes_whatever_happened_since(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    first = server.activate(issued.code)
    vendor.set_status(issued.license_id, LicenseStatus.REVOKED)

    again = server.again(ACTIVATIONS)

    assert again.raw == first.raw


def test_a_refusal_is_repeated_byte_for_byte_too(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    vendor.set_status(issued.license_id, LicenseStatus.SUSPENDED)
    first = server.activate(issued.code)
    vendor.set_status(issued.license_id, LicenseStatus.OK)

    assert first.code == "E_SUSPENDED"
    assert server.again(ACTIVATIONS).raw == first.raw
    assert server.activate(issued.code).kind == "bundle"


def test_the_same_server_may_ask_anew_and_keeps_its_activation(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    held, held_raw = server.lease, server.lease_raw

    answer = server.activate(issued.code)

    assert answer.kind == "bundle"
    assert server.lease["activation_id"] == held["activation_id"]
    assert server.lease["generation"] == 1
    assert server.lease["seq"] == 2
    assert server.lease["prev_hash"] == sha256(held_raw)
    assert server.lease["next_nonce"] != held["next_nonce"]
    assert len(vendor.activations(issued.license_id)) == 1


def test_another_server_is_refused_while_the_first_is_active(vendor: Vendor) -> None:
    issued = vendor.sell()
    vendor.stranger().activate(issued.code)

    assert vendor.stranger().activate(issued.code).code == "E_ALREADY_ACTIVE"


@pytest.mark.parametrize("count", [20])
def test_of_many_servers_at_the_same_instant_one_gets_the_licence(
    vendor: Vendor, count: int
) -> None:
    issued = vendor.sell()
    servers = [vendor.stranger() for _number in range(count)]
    requests = [server.activate_request(issued.code) for server in servers]

    def ask(place: int) -> Answer:
        return servers[place].ask(ACTIVATIONS, requests[place])

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(ask, range(count)))

    assert [answer.kind for answer in answers].count("bundle") == 1
    assert [answer.code for answer in answers].count("E_ALREADY_ACTIVE") == count - 1
    held = vendor.activations(issued.license_id)
    assert [one.status for one in held] == [ActivationStatus.ACTIVE]


def test_one_request_sent_many_times_at_once_is_answered_once(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    request = server.activate_request(issued.code)
    copies = [vendor.stranger() for _number in range(8)]
    for copy in copies:
        copy.key = server.key

    with ThreadPoolExecutor(len(copies)) as pool:
        answers = list(pool.map(lambda copy: copy.ask(ACTIVATIONS, request), copies))

    assert len({answer.raw for answer in answers}) == 1
    assert answers[0].payload["req_hash"] == sha256(payload_bytes(request))
    assert vendor.activations(issued.license_id)[0].head_seq == 1


def test_one_wrong_request_sent_many_times_at_once_is_answered_once(vendor: Vendor) -> None:
    server = vendor.stranger()
    unknown = "0" * 26
    request = server.activate_request(unknown)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _n: server.ask(ACTIVATIONS, request), range(6)))

    assert {answer.code for answer in answers} == {"E_CODE"}
    assert len({answer.raw for answer in answers}) == 1


def test_the_database_itself_refuses_a_second_active_activation(vendor: Vendor) -> None:
    issued = vendor.sell()
    vendor.stranger().activate(issued.code)
    now = clock.timestamp()
    with vendor.database.read() as session:
        row = look_up(session, issued.license_id).id
    second = insert(ActivationRecord).values(
        activation_id="act_second",
        license_row_id=row,
        generation=2,
        instance_pub=bytes(32),
        fingerprint={},
        activated_at=now,
        last_seen_at=now,
        product_version="0",
    )

    with pytest.raises(IntegrityError), vendor.database.write() as session:
        session.execute(second)


def test_an_unknown_code_is_refused(vendor: Vendor) -> None:
    assert vendor.stranger().activate("7" * 26).code == "E_CODE"


def test_wrong_proofs_in_a_row_are_flagged_and_a_right_one_forgets_them(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    for _attempt in range(WRONG_CODE_STREAK):
        assert server.activate(issued.code, code_proof="0" * 64).code == "E_CODE"

    assert "wrong_codes" in vendor.flags(issued.license_id)
    assert server.activate(issued.code).kind == "bundle"
    with vendor.database.read() as session:
        assert look_up(session, issued.license_id).wrong_codes == 0


@pytest.mark.parametrize(
    "challenge",
    ["offline." + "a" * 32, "x", "0" * 32 + ".99999999999." + "0" * 64, "..", "a.b.c"],
)
def test_a_challenge_that_is_not_ours_is_refused(vendor: Vendor, challenge: str) -> None:
    issued, server = vendor.sell(), vendor.stranger()

    assert server.activate(issued.code, challenge=challenge).code == "E_CHALLENGE"


def test_the_end_of_a_challenge_cannot_be_moved(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    nonce, until, mac = server.challenge().split(".")

    answer = server.activate(issued.code, challenge=f"{nonce}.{int(until) + 60}.{mac}")

    assert answer.code == "E_CHALLENGE"


def test_a_challenge_of_one_process_is_known_to_the_others(vendor: Vendor) -> None:
    for _attempt in range(6):
        assert vendor.stranger().activate(vendor.sell().code).kind == "bundle"


@pytest.mark.parametrize(
    ("status", "code"),
    [(LicenseStatus.SUSPENDED, "E_SUSPENDED"), (LicenseStatus.REVOKED, "E_REVOKED")],
)
def test_a_licence_that_the_vendor_stopped_is_refused(
    vendor: Vendor, status: LicenseStatus, code: str
) -> None:
    issued = vendor.sell()
    vendor.set_status(issued.license_id, status)

    assert vendor.stranger().activate(issued.code).code == code


def test_a_licence_is_refused_before_its_first_day(vendor: Vendor) -> None:
    issued = vendor.sell(starts_at=clock.timestamp() + 5 * DAY)

    assert vendor.stranger().activate(issued.code).code == "E_NOT_STARTED"


def test_after_a_rehost_only_the_new_code_works(vendor: Vendor) -> None:
    issued, old = vendor.sell(), vendor.stranger()
    old.activate(issued.code)

    moved = vendor.rehost(issued.license_id)
    new = vendor.stranger()

    assert new.activate(issued.code).code == "E_CODE"
    assert new.activate(moved.code).kind == "bundle"
    assert new.activation["generation"] == 2
    assert old.check_in().code == "E_SUPERSEDED"


def test_a_trial_is_signed_when_it_is_first_activated(vendor: Vendor) -> None:
    issued, server = vendor.sell(kind=Kind.TRIAL), vendor.stranger()

    server.activate(issued.code)

    sold = server.license
    assert (sold["kind"], sold["serial"]) == ("trial", 1)
    days = (sold["expires_at"] - sold["starts_at"]) / DAY
    assert 10 <= days < 11


def test_a_trial_moves_with_its_code_and_does_not_begin_anew(vendor: Vendor) -> None:
    issued, server = vendor.sell(kind=Kind.TRIAL, email="anna@moving.example"), vendor.stranger()
    server.activate(issued.code)
    ends = server.license["expires_at"]
    server.deactivate("move")

    answer = vendor.stranger(server.fp).activate(issued.code)

    assert answer.kind == "bundle"
    assert answer.payload["license"].count("payload")
    with vendor.database.read() as session:
        assert look_up(session, issued.license_id).expires_at == ends


def test_an_organisation_has_one_trial(vendor: Vendor) -> None:
    domain = f"{vendor.database.dialect}.one.example"
    first = vendor.sell(kind=Kind.TRIAL, email=f"anna@{domain}")
    second = vendor.sell(kind=Kind.TRIAL, email=f"ben@{domain}")

    assert vendor.stranger().activate(first.code).kind == "bundle"
    assert vendor.stranger().activate(second.code).code == "E_TRIAL_USED"


def test_two_trials_of_one_organisation_at_once_start_one(vendor: Vendor) -> None:
    domain = f"{vendor.database.dialect}.race.example"
    sold = [vendor.sell(kind=Kind.TRIAL, email=f"{n}@{domain}") for n in range(6)]
    servers = [vendor.stranger() for _one in sold]

    with ThreadPoolExecutor(len(sold)) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].activate(pair[1].code), zip(servers, sold, strict=True))
        )

    assert sorted(answer.code for answer in answers) == ["", *["E_TRIAL_USED"] * (len(sold) - 1)]


def test_two_trials_of_one_machine_at_once_start_one(vendor: Vendor) -> None:
    machine = vendor.stranger().fp
    sold = [vendor.sell(kind=Kind.TRIAL) for _number in range(6)]
    servers = [vendor.stranger(machine) for _one in sold]

    with ThreadPoolExecutor(len(sold)) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].activate(pair[1].code), zip(servers, sold, strict=True))
        )

    assert sorted(answer.code for answer in answers) == ["", *["E_TRIAL_USED"] * (len(sold) - 1)]


def test_a_machine_has_one_trial_although_a_part_was_changed(vendor: Vendor) -> None:
    first, server = vendor.sell(kind=Kind.TRIAL), vendor.stranger()
    server.activate(first.code)
    repaired = vendor.stranger({**server.fp, "a": "0" * 32})

    assert repaired.activate(vendor.sell(kind=Kind.TRIAL).code).code == "E_TRIAL_USED"


def test_a_machine_under_two_licences_is_flagged(vendor: Vendor) -> None:
    server = vendor.stranger()
    server.activate(vendor.sell().code)
    other = vendor.sell()

    assert vendor.stranger(server.fp).activate(other.code).kind == "bundle"
    assert vendor.flags(other.license_id) == ["shared_fingerprint"]


def test_a_weak_binding_is_flagged(vendor: Vendor) -> None:
    issued = vendor.sell()

    vendor.stranger({"mac": "0" * 32}).activate(issued.code)

    assert vendor.flags(issued.license_id) == ["weak_binding"]


def test_a_nonsense_in_the_url_of_a_root_is_not_found(vendor: Vendor) -> None:
    reply = vendor.send("GET", "/v1/root/2", None)

    assert (reply.status, reply.json["code"]) == (404, "not_found")


def test_a_request_for_check_in_is_no_activation(vendor: Vendor) -> None:
    issued, server = vendor.sell(), vendor.stranger()
    server.activate(issued.code)
    server.check_in()

    with pytest.raises(Problem) as refused:
        server.again(ACTIVATIONS)

    assert (refused.value.status, refused.value.code) == (400, "E_TYPE")
