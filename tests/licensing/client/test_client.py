"""An installation and its vendor: activation, check-in, deactivation, and what must not change anything."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from licensing.client.client import LicenseClient, NothingToAsk
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.client.outcome import Outcome, Result
from licensing.document.errors import DocumentError
from licensing.document.requests import DeactivationReason, Mode, Usage
from tests.licensing.client.vendor import (
    CODE,
    DAY,
    NOW,
    SHOWN_CODE,
    Hands,
    Payload,
    Response,
    Vendor,
    VendorServer,
    b64,
    envelope,
    fresh_key,
    public,
)

Start = Callable[[], LicenseClient]
USAGE = Usage(named=3, peak_concurrent=2, service=1)
DONE = Outcome(Result.ACCEPTED)


def activated(client: LicenseClient) -> LicenseClient:
    assert client.activate(SHOWN_CODE) == DONE
    return client


def next_day(vendor: Vendor, hands: Hands, days: int = 1) -> None:
    vendor.now += days * DAY
    hands.pass_time(days * DAY)


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


# What must change nothing

UNSIGNED = {
    "revoked without signature": Response(200, b'{"code":"E_REVOKED","status":"revoked"}'),
    "problem": Response(404, b'{"code":"E_UNKNOWN_ACTIVATION","detail":"?"}'),
    "page of a portal": Response(200, b"<html>Please sign in</html>"),
    "redirect": Response(302, b"", {"Location": "http://127.0.0.1:9/"}),
    "busy": Response(503, b"", {"Retry-After": "120"}),
    "nothing": Response(200, b""),
    "too much": Response(200, b'{"a":"' + b"x" * 70_000 + b'"}'),
}


@pytest.mark.parametrize("response", UNSIGNED.values(), ids=UNSIGNED.keys())
def test_without_a_signature_nothing_changes(
    client: LicenseClient, vendor: Vendor, response: Response
) -> None:
    activated(client)
    before = client.status()
    vendor.instead = lambda _path: response
    outcome = client.check_in(USAGE)
    assert not outcome.is_answer
    assert replace(client.status(), pending=None) == before
    assert client.verdict(1).mode is Mode.OK


Change = Callable[[Vendor, str, Payload], Payload]


def only(name: str, **members: object) -> Change:
    return lambda _vendor, kind, payload: {**payload, **members} if kind == name else payload


LEASE_ATTACKS: dict[str, tuple[Change, str]] = {
    "answer to another request": (only("lease", req_hash="ab" * 32), "E_REPLAY"),
    "not following ours": (only("lease", prev_hash="ab" * 32), "E_REPLAY"),
    "following nothing": (only("lease", prev_hash=None), "E_REPLAY"),
    "older number": (only("lease", seq=1), "E_ROLLBACK"),
    "older time": (only("lease", server_time=NOW - 60), "E_ROLLBACK"),
    "other activation": (only("lease", activation_id="act_9"), "E_WRONG_INSTANCE"),
    "other generation": (only("lease", generation=9), "E_WRONG_INSTANCE"),
    "other licence": (only("lease", license_id="lic_9"), "E_WRONG_LICENSE"),
    "outside the key's window": (only("lease", issued_at=NOW - 2 * DAY), "E_KEY_WINDOW"),
    "half a lease": (
        lambda _vendor, kind, payload: {} if kind == "lease" else payload,
        "E_FORMAT",
    ),
    "no licence inside": (only("lease", license="{}"), "E_FORMAT"),
}


@pytest.mark.parametrize(("change", "code"), LEASE_ATTACKS.values(), ids=LEASE_ATTACKS.keys())
def test_a_wrong_lease_is_refused_and_the_right_one_still_comes(
    client: LicenseClient, vendor: Vendor, change: Change, code: str
) -> None:
    activated(client)
    before = client.status()
    vendor.tamper = lambda kind, payload: change(vendor, kind, payload)
    outcome = client.check_in(USAGE)
    assert (outcome.result, outcome.code) == (Result.REFUSED, code)
    assert replace(client.status(), pending=None) == before
    vendor.tamper = lambda _kind, payload: payload
    vendor.stored.clear()
    assert client.check_in(USAGE) == DONE


BUNDLE_ATTACKS: dict[str, tuple[Change, str]] = {
    "other instance": (
        only("activation", instance_pub=b64(public(fresh_key()))),
        "E_WRONG_INSTANCE",
    ),
    "other licence": (only("activation", license_id="lic_9"), "E_WRONG_LICENSE"),
    "other product": (only("license", product="other"), "E_WRONG_LICENSE"),
    "lease of another activation": (only("lease", activation_id="act_9"), "E_WRONG_INSTANCE"),
    "lease of another request": (only("lease", req_hash="ab" * 32), "E_REPLAY"),
    "bundle of another request": (only("bundle", req_hash="ab" * 32), "E_REPLAY"),
}


@pytest.mark.parametrize(("change", "code"), BUNDLE_ATTACKS.values(), ids=BUNDLE_ATTACKS.keys())
def test_a_wrong_bundle_activates_nothing(
    client: LicenseClient, vendor: Vendor, change: Change, code: str
) -> None:
    vendor.tamper = lambda kind, payload: change(vendor, kind, payload)
    outcome = client.activate(SHOWN_CODE)
    assert (outcome.result, outcome.code) == (Result.REFUSED, code)
    assert client.verdict(0).reason is Reason.NOT_ACTIVATED


def test_a_licence_signed_by_the_lease_key_is_worth_nothing(
    client: LicenseClient, vendor: Vendor
) -> None:
    vendor.license = lambda: envelope("license", vendor.sold, vendor.lease_key)  # type: ignore[method-assign]  # a thief with one key
    assert client.activate(SHOWN_CODE).code == "E_SIGNATURE"
    assert client.status().license is None


def test_an_older_serial_is_refused(client: LicenseClient, vendor: Vendor) -> None:
    vendor.sold["serial"] = 3
    activated(client)
    vendor.sold["serial"] = 2
    vendor.embed = {"license": vendor.license().decode()}
    assert client.check_in(USAGE).code == "E_ROLLBACK"


def test_a_recorded_lease_cannot_be_played_again(
    client: LicenseClient, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    assert client.check_in(USAGE) == DONE
    recorded = vendor.last_lease
    next_day(vendor, hands)
    vendor.instead = lambda path: Response(200, recorded) if "check-ins" in path else None
    assert client.check_in(USAGE).code == "E_REPLAY"
    vendor.instead = lambda _path: None
    assert client.check_in(USAGE) == DONE


# Keys that change

Rotate = Callable[[Vendor], None]


def test_a_keyset_comes_with_the_answer_that_needs_it(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    vendor.lease_key = fresh_key()
    vendor.embed = {"keyset": vendor.keyset(2).decode()}
    assert client.check_in(USAGE) == DONE
    assert start().status().keyset_version == 2


def test_a_client_that_missed_the_change_of_keys_asks_for_the_keyset(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    vendor.lease_key = fresh_key()
    vendor.served_keyset = vendor.keyset(2)
    assert client.check_in(USAGE) == DONE
    assert client.status().keyset_version == 2


def test_a_stolen_lease_key_is_healed_by_revoking_it(
    client: LicenseClient, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    year = 365 * DAY
    vendor.tamper = only_far(year)
    assert client.check_in(USAGE) == DONE
    vendor.tamper = lambda _kind, payload: payload
    stolen, vendor.lease_key = vendor.lease_key, fresh_key()
    vendor.embed = {"keyset": vendor.keyset(2, revoked=(stolen,)).decode()}
    assert client.check_in(USAGE) == DONE
    assert client.effective_now() == NOW
    vendor.embed, vendor.lease_key = {}, stolen
    before = client.status()
    assert client.check_in(USAGE).code == "E_SIGNATURE"
    assert replace(client.status(), pending=None) == before


def only_far(ahead: int) -> Callable[[str, Payload], Payload]:
    return lambda kind, payload: (
        {**payload, "server_time": NOW + ahead, "issued_at": NOW + ahead}
        if kind == "lease"
        else payload
    )


def test_a_stolen_licence_key_is_healed_by_new_licences(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    stolen, vendor.license_key = vendor.license_key, fresh_key()
    vendor.sold["serial"] = 2
    keyset = vendor.keyset(2, revoked=(stolen,)).decode()
    vendor.embed = {"license": vendor.license().decode(), "keyset": keyset}
    assert client.check_in(USAGE) == DONE
    assert start().verdict(1).mode is Mode.OK


def test_a_licence_under_a_revoked_key_is_dead(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    stolen, vendor.license_key = vendor.license_key, fresh_key()
    vendor.embed = {"keyset": vendor.keyset(2, revoked=(stolen,)).decode()}
    assert client.check_in(USAGE) == DONE
    assert start().status().license is None


def test_a_key_that_only_left_the_keyset_takes_no_licence_along(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    vendor.license_key = fresh_key()
    vendor.embed = {"keyset": vendor.keyset(2).decode()}
    assert client.check_in(USAGE) == DONE
    assert start().verdict(1).mode is Mode.OK


def test_an_older_keyset_is_refused(client: LicenseClient, vendor: Vendor) -> None:
    vendor.served_keyset = vendor.keyset(5)
    activated(client)
    vendor.embed = {"keyset": vendor.keyset(4).decode()}
    assert client.check_in(USAGE).code == "E_KEYSET_ROLLBACK"
    assert client.status().keyset_version == 5
    vendor.embed = {}
    assert client.check_in(USAGE) == DONE


def test_an_expired_keyset_is_not_taken_and_stops_nobody(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    vendor.embed = {"keyset": vendor.keyset(2, expires_at=NOW).decode()}
    assert client.check_in(USAGE).code == "E_KEYSET_EXPIRED"
    assert client.verdict(1).mode is Mode.OK


def test_the_root_is_followed_step_by_step(
    client: LicenseClient, start: Start, vendor: Vendor
) -> None:
    activated(client)
    for version in (2, 3):
        keys = [*vendor.roots[1:], fresh_key()]
        signers = [*vendor.roots[1:], keys[-1]]
        vendor.served_roots[version] = envelope("root", vendor.root(version, keys), *signers)
        vendor.roots = keys
    vendor.lease_key = fresh_key()
    vendor.served_keyset = vendor.keyset(2)
    assert client.check_in(USAGE) == DONE
    assert start().status().keyset_version == 2
    assert start().check_in(USAGE) == DONE


def test_a_root_that_skips_a_step_or_lacks_signatures_is_not_followed(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    thieves = [fresh_key() for _ in range(3)]
    vendor.served_roots[2] = envelope("root", vendor.root(2, thieves), *thieves)
    vendor.roots, vendor.lease_key = thieves, fresh_key()
    vendor.served_keyset = vendor.keyset(2)
    assert client.check_in(USAGE).code == "E_SIGNATURE"
    assert client.verdict(1).mode is Mode.OK


# Time


def test_the_clock_may_jump_to_2099_and_back(
    client: LicenseClient, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    hands.wall += 70 * 365 * DAY
    client.tick(1)
    assert client.verdict(1).mode is Mode.LOCKED
    assert "CLOCK_FORWARD" in [notice.code for notice in client.verdict(1).notices]
    hands.wall -= 70 * 365 * DAY
    client.tick(1)
    assert client.verdict(1).mode is Mode.OK
    assert client.effective_now() == NOW + DAY
    assert client.check_in(USAGE) == DONE
    assert client.effective_now() == NOW


def test_turning_the_clock_back_does_not_stretch_the_term(
    client: LicenseClient, start: Start, hands: Hands
) -> None:
    activated(client)
    hands.pass_time(6 * DAY)
    client.tick(1)
    hands.wall -= 200 * DAY
    hands.run = 0.0  # the machine was started anew
    again = start()
    assert again.effective_now() == NOW + 6 * DAY
    hands.pass_time(DAY)
    assert again.verdict(1).mode is Mode.WARN_ADMIN
    assert "CLOCK_BACK" in [notice.code for notice in again.verdict(1).notices]


def test_a_suspect_clock_is_told_to_the_vendor(
    client: LicenseClient, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    hands.wall -= 3 * 3600
    assert client.check_in(USAGE) == DONE
    assert vendor.requests[-1]["clock"] == {"wall": NOW - 3 * 3600, "suspect": True}


def test_too_many_users_are_counted_from_the_first_tick(
    client: LicenseClient, start: Start, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    client.tick(26)
    next_day(vendor, hands, 13)
    client.check_in(USAGE)
    client.tick(26)
    assert client.verdict(26).mode is Mode.WARN_ADMIN
    next_day(vendor, hands)
    assert start().verdict(26).mode is Mode.READ_ONLY
    assert start().verdict(25).reason is not Reason.SEATS_OVER_CAP
    client.tick(25)
    assert client.status().seats_over_since is None


# The machine


def test_another_machine_is_noticed_and_confirmed(
    client: LicenseClient, start: Start, config: ClientConfig
) -> None:
    activated(client)
    for name in ("product_uuid", "board_serial"):
        (config.machine_root / "sys/class/dmi/id" / name).write_text("8d7f2c1e-other\n")
    assert start().status().same_machine
    (config.machine_root / "etc/machine-id").write_text("9" * 16 + "a" * 16 + "\n")
    moved = start()
    assert not moved.status().same_machine
    assert [notice.code for notice in moved.verdict(1).notices] == ["FINGERPRINT_CHANGED"]
    assert moved.verdict(1).mode is Mode.OK
    moved.confirm_machine()
    assert moved.status().same_machine
    assert start().status().same_machine


# Without a line


def answered(vendor: Vendor, path: str, request: bytes) -> bytes:
    answer = vendor.answer(path, request)
    return json.dumps({"keyset": vendor.served_keyset.decode(), "answer": answer.decode()}).encode()


def test_the_whole_life_by_file(
    client: LicenseClient, start: Start, vendor: Vendor, server: VendorServer
) -> None:
    vendor.instead = lambda _path: Response(503, b"")
    request = client.export_activation(SHOWN_CODE)
    assert request == start().export_activation(SHOWN_CODE)
    assert client.import_answer(answered(vendor, "/v1/activations", request)) == DONE
    assert str(vendor.requests[0]["challenge"]).startswith("offline.")
    assert client.verdict(1).mode is Mode.OK
    check_in = client.export_check_in(USAGE)
    file = answered(vendor, "/v1/check-ins", check_in)
    assert client.import_answer(file) == DONE
    assert client.import_answer(file).code == "E_REPLAY"
    leave = client.export_deactivation(DeactivationReason.REFUND, USAGE)
    assert client.verdict(1).reason is Reason.DEACTIVATED
    assert start().export_deactivation(DeactivationReason.REFUND, USAGE) == leave
    assert client.import_answer(answered(vendor, "/v1/deactivations", leave)) == DONE
    assert client.status().receipt is not None
    with pytest.raises(NothingToAsk):
        client.export_check_in(USAGE)


def test_an_imported_answer_must_be_ours(client: LicenseClient, vendor: Vendor) -> None:
    activated(client)
    client.export_check_in(USAGE)
    other = envelope("lease", {}, fresh_key()).decode()
    file = {"keyset": vendor.served_keyset.decode(), "answer": other}
    assert client.import_answer(json.dumps(file).encode()).code == "E_SIGNATURE"
    assert client.import_answer(b"junk").code == "E_FORMAT"
    with pytest.raises(DocumentError):
        client.export_activation("junk")


# What was sent


def test_the_last_fifty_messages_are_kept(client: LicenseClient, vendor: Vendor) -> None:
    activated(client)
    preview = json.loads(client.preview(USAGE))
    for _ in range(30):
        assert client.check_in(USAGE) == DONE
    kept = client.messages()
    assert len(kept) == 50
    assert [message.direction for message in kept[-2:]] == ["sent", "received"]
    sent = json.loads(kept[-2].text)
    assert set(sent) == set(preview)
    assert sent == vendor.requests[-1]


def test_two_processes_see_each_other(client: LicenseClient, start: Start) -> None:
    other = start()
    activated(client)
    assert other.status().license == client.status().license
    assert other.verdict(1).mode is Mode.OK


def test_another_installation_cannot_use_a_copied_folder(
    client: LicenseClient, config: ClientConfig, hands: Hands, tmp_path: Path
) -> None:
    activated(client)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "state.json").write_bytes((config.directory / "state.json").read_bytes())
    clocks = Clocks(lambda: int(hands.wall), lambda: hands.run)
    thief = LicenseClient(replace(config, directory=copy), clocks)
    assert thief.verdict(1).mode is Mode.SETUP
    assert "E_WRONG_INSTANCE" in [problem.code for problem in thief.status().problems]
