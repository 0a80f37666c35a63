"""An installation and its vendor: activation, check-in, renewal, deactivation."""

import base64
import hashlib
import hmac
import json

import pytest

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig
from licensing.client.ladder import Reason
from licensing.client.outcome import Outcome, Result
from licensing.document.requests import DeactivationReason, Mode, Usage
from tests.licensing.client.stage import DONE, USAGE, Start, activated, next_day
from tests.licensing.client.vendor import (
    CODE,
    DAY,
    NOW,
    SHOWN_CODE,
    Hands,
    Response,
    Vendor,
)


def test_an_installation_begins_in_setup(client: LicenseClient) -> None:
    assert client.verdict(0).mode is Mode.SETUP
    assert client.status().license is None
    assert client.check_in(USAGE) == Outcome(Result.REFUSED, "not_activated")
    assert client.deactivate(DeactivationReason.MOVE, USAGE).code == "not_activated"
    assert client.preview(USAGE) == ""
    client.tick(0)


def test_activation_binds_licence_and_instance(client: LicenseClient, vendor: Vendor) -> None:
    activated(client)
    known = client.status()
    assert known.license is not None
    assert known.license.license_id == "lic_1"
    assert known.activation is not None
    assert known.activation.instance_pub == known.instance_pub
    assert known.pending is None
    assert known.is_activated
    assert client.verdict(3).mode is Mode.OK
    assert client.verdict(3).reason is Reason.FRESH
    assert vendor.activations_made == 1


def test_the_activation_request_is_the_one_of_the_protocol(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    request = vendor.requests[0]
    pub = client.status().instance_pub
    assert pub is not None
    key = hashlib.sha256(b"daftar-code-v1\0" + CODE.encode()).digest()
    message = str(request["challenge"]) + base64.b64encode(pub).decode()
    assert set(request) == {
        "challenge",
        "code_id",
        "code_proof",
        "instance_pub",
        "fp",
        "product_version",
        "sent_at",
    }
    assert request["instance_pub"] == base64.b64encode(pub).decode()
    assert request["code_proof"] == hmac.new(key, message.encode(), "sha256").hexdigest()
    assert (
        request["code_id"] == hashlib.sha256(b"daftar-code-id-v1\0" + CODE.encode()).hexdigest()[:8]
    )
    assert CODE not in json.dumps(vendor.requests)


def test_a_mistyped_code_never_leaves_the_house(client: LicenseClient, vendor: Vendor) -> None:
    outcome = client.activate(SHOWN_CODE.replace("5", "6"))
    assert (outcome.result, outcome.code) == (Result.MISTYPED, "E_FORMAT")
    assert vendor.requests == []


def test_check_ins_continue_the_chain(client: LicenseClient, vendor: Vendor, hands: Hands) -> None:
    activated(client)
    for seq in range(2, 5):
        next_day(vendor, hands)
        nonce, previous = vendor.nonce, hashlib.sha256(vendor.last_lease).hexdigest()
        assert client.check_in(USAGE) == DONE
        request = vendor.requests[-1]
        assert (request["seq"], request["nonce"], request["prev_hash"]) == (seq, nonce, previous)
        assert request["usage"] == {"named": 3, "peak_concurrent": 2, "service": 1}
        assert request["clock"] == {"wall": NOW + (seq - 1) * DAY, "suspect": False}
        assert request["mode"] == "ok"
        lease = client.status().lease
        assert lease is not None
        assert (lease.seq, client.status().last_contact_at) == (seq, vendor.now)


def test_a_check_in_is_small(client: LicenseClient, vendor: Vendor) -> None:
    activated(client)
    sizes: list[int] = []
    answer = vendor.answer

    def measured(path: str, raw: bytes) -> bytes:
        sizes.append(len(raw))
        return answer(path, raw)

    vendor.answer = measured  # type: ignore[method-assign]  # a scale on the way
    assert client.check_in(USAGE) == DONE
    assert sizes[0] < 2048


def test_everything_is_there_after_a_restart(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    before = client.status()
    again = start()
    assert again.status() == before
    assert again.check_in(USAGE) == DONE
    assert client.status().lease == again.status().lease


def test_a_lost_reply_is_asked_for_again_with_the_same_bytes(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    vendor.instead = lambda path: Response(502, b"<html>") if path.endswith("check-ins") else None
    assert client.check_in(USAGE).result is Result.UNSIGNED
    vendor.instead = lambda _path: None
    first = start()
    assert first.check_in(Usage(9, 9, 9)) == DONE
    assert vendor.requests[-1]["usage"] == {"named": 3, "peak_concurrent": 2, "service": 1}


def test_activating_again_on_the_same_instance_is_no_second_activation(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    activated(client)
    assert vendor.activations_made == 1
    lease = client.status().lease
    assert lease is not None
    assert lease.seq == 2


def test_an_old_challenge_is_replaced_by_itself(client: LicenseClient, vendor: Vendor) -> None:
    vendor.instead = lambda path: Response(503, b"") if path == "/v1/activations" else None
    assert client.activate(SHOWN_CODE).result is Result.UNSIGNED
    vendor.instead = lambda _path: None
    answer, seen = vendor.answer, [0]

    def strict(path: str, raw: bytes) -> bytes:
        vendor.denial = "E_CHALLENGE" if not seen[0] else None
        seen[0] += 1
        return answer(path, raw)

    vendor.answer = strict  # type: ignore[method-assign]  # the first request is too old
    assert client.activate(SHOWN_CODE) == DONE
    assert vendor.requests[0]["challenge"] != vendor.requests[1]["challenge"]


def test_a_denied_activation_changes_no_mode(client: LicenseClient, vendor: Vendor) -> None:
    vendor.denial = "E_ALREADY_ACTIVE"
    outcome = client.activate(SHOWN_CODE)
    assert (outcome.result, outcome.code) == (Result.DENIED, "E_ALREADY_ACTIVE")
    assert client.status().pending is None
    assert client.verdict(0).reason is Reason.NOT_ACTIVATED


def test_a_refused_second_code_leaves_the_running_licence_alone(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    vendor.denial = "E_REVOKED"
    assert client.activate(SHOWN_CODE).code == "E_REVOKED"
    assert client.verdict(1).mode is Mode.OK


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("E_SUPERSEDED", Reason.SUPERSEDED),
        ("E_DEACTIVATED", Reason.DEACTIVATED),
        ("E_CLONE_SUSPECTED", Reason.CLONE_HOLD),
    ],
)
def test_a_signed_denial_locks_and_the_next_lease_heals(
    client: LicenseClient, start: Start, vendor: Vendor, code: str, reason: Reason
) -> None:
    activated(client)
    vendor.denial = code
    assert client.check_in(USAGE).code == code
    assert (client.verdict(1).mode, client.verdict(1).reason) == (Mode.LOCKED, reason)
    assert start().verdict(1).reason is reason
    vendor.denial = None
    assert client.check_in(USAGE) == DONE
    assert client.verdict(1).mode is Mode.OK


def test_a_client_that_is_too_old_is_told_and_not_locked(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    vendor.denial = "E_CLIENT_TOO_OLD"
    assert client.check_in(USAGE).code == "E_CLIENT_TOO_OLD"
    assert client.verdict(1).mode is Mode.OK


def test_suspended_comes_with_the_lease_and_goes_with_the_next(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    vendor.embed = {"status": "suspended"}
    assert client.check_in(USAGE) == DONE
    assert client.verdict(1).reason is Reason.SUSPENDED
    vendor.embed = {}
    assert client.check_in(USAGE) == DONE
    assert client.verdict(1).mode is Mode.OK


def test_a_renewal_arrives_by_itself(client: LicenseClient, start: Start, vendor: Vendor) -> None:
    activated(client)
    vendor.sold |= {"serial": 2, "seats": {"named": 40, "concurrent": 40, "service_accounts": 5}}
    vendor.embed = {"license": vendor.license().decode()}
    assert client.check_in(USAGE) == DONE
    sold = start().status().license
    assert sold is not None
    assert (sold.serial, sold.seats.named) == (2, 40)


def test_a_resync_is_followed_and_shown(client: LicenseClient, vendor: Vendor) -> None:
    activated(client)
    vendor.seq, vendor.nonce, vendor.last_lease = 7, "0" * 32, b"another lineage"
    assert client.check_in(USAGE) == DONE
    lease = client.status().lease
    assert lease is not None
    assert lease.seq == 8
    assert [notice.code for notice in client.verdict(1).notices] == ["STATE_RESYNC"]
    assert client.verdict(1).mode is Mode.OK


def test_a_deactivation_leaves_a_proof_and_destroys_the_key(
    client: LicenseClient, start: Start, vendor: Vendor, config: ClientConfig
) -> None:
    activated(client)
    old = (config.directory / "instance.key").read_bytes()
    assert client.deactivate(DeactivationReason.REFUND, USAGE) == DONE
    receipt = client.status().receipt
    assert receipt is not None
    assert (receipt.reason, receipt.activation_id) == (DeactivationReason.REFUND, "act_1")
    assert old not in [path.read_bytes() for path in config.directory.rglob("*") if path.is_file()]
    assert len(list((config.directory / "receipts").iterdir())) == 1
    again = start()
    assert again.status().receipt == receipt
    assert again.status().problems == ()
    assert (again.verdict(1).mode, again.verdict(1).reason) == (Mode.LOCKED, Reason.DEACTIVATED)
    assert again.check_in(USAGE) == Outcome(Result.REFUSED, "deactivated")


def test_after_a_move_the_same_code_activates_again(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    client.check_in(USAGE)
    first = client.status().instance_pub
    assert client.deactivate(DeactivationReason.MOVE, USAGE) == DONE
    activated(client)
    known = start().status()
    assert known.is_activated
    assert known.receipt is None
    assert known.instance_pub != first
    assert known.activation is not None
    assert known.activation.generation == 2
    assert client.check_in(USAGE) == DONE
