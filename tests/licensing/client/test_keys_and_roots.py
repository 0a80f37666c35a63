"""Keys that change: keysets, revoked keys, roots that follow each other."""

from collections.abc import Callable
from dataclasses import replace

from licensing.client.client import LicenseClient
from licensing.document.requests import Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated
from tests.licensing.client.vendor import (
    DAY,
    NOW,
    Hands,
    Payload,
    Vendor,
    envelope,
    fresh_key,
)


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
