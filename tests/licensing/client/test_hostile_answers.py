"""What must change nothing: unsigned answers, wrong leases, wrong bundles, recordings."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from licensing.client.client import LicenseClient
from licensing.client.ladder import Reason
from licensing.client.outcome import Result
from licensing.document.requests import Mode
from tests.licensing.client.stage import DONE, USAGE, activated, next_day
from tests.licensing.client.vendor import (
    DAY,
    NOW,
    SHOWN_CODE,
    Hands,
    Payload,
    Response,
    Vendor,
    b64,
    envelope,
    fresh_key,
    public,
)

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
