"""The commands of a licence's life and of its keys: what they print, what they refuse."""

import json
from pathlib import Path

import pytest

from licensing.authority.keys.rules import WINDOW_DAYS
from licensing.document.documents import Role
from server.core import clock
from tests.licensing.authority.console import Console
from tests.licensing.authority.life import DAY, at
from tests.licensing.authority.stage import Vendor


def roots(console: Console) -> list[str]:
    return [f"--root-key={console.home / 'root' / f'root-{number}.pem'}" for number in (1, 2)]


# Terms


def test_a_next_term_is_shown_with_the_running_one(console: Console, sold: dict[str, str]) -> None:
    license_id = sold["license_id"]
    running = console.json("license", "show", license_id)["expires_at"]

    told = console.json("license", "next-term", license_id, "--days", 365, "--seats", 40)

    shown = console.json("license", "show", license_id)
    assert shown["expires_at"] > running
    assert shown["seats"]["named"] == 5
    assert shown["next_term"]["seats"] == {
        "named": 40,
        "concurrent": 40,
        "service_accounts": 5,
    }
    assert told["next_term"]["starts_at"] == shown["next_term"]["starts_at"] > running
    assert "next term is loaded" in console.run("license", "renew", license_id, "--days", 1).stdout
    console.json("license", "next-term", license_id, "--withdraw")
    assert console.json("license", "show", license_id)["next_term"] is None
    assert console.json("license", "show", license_id)["expires_at"] == running


@pytest.mark.parametrize("words", [(), ("--days", "9", "--withdraw")])
def test_a_next_term_is_either_sold_or_withdrawn(
    console: Console, sold: dict[str, str], words: tuple[str, ...]
) -> None:
    assert console.refusal("license", "next-term", sold["license_id"], *words)[0] == 2


def test_other_terms_change_by_a_new_serial(console: Console, sold: dict[str, str]) -> None:
    license_id = sold["license_id"]
    words = ("--site", "Shiraz", "--network", "10.20.0.0/16", "--lease-days", 30)

    assert console.json("license", "change", license_id, *words)["serial"] == 2

    assert console.json("license", "show", license_id)["site"] == "Shiraz"
    found = console.json("license", "list", "--search", "shiraz")["items"]
    assert [item["license_id"] for item in found] == [license_id]
    assert console.refusal("license", "change", license_id)[0] == 2
    code, sentence = console.refusal("license", "change", license_id, "--network", "10.20")
    assert (code, "10.20" in sentence) == (2, True)
    assert console.refusal("license", "change", license_id, "--lease-days", 91)[0] == 2
    assert console.json("license", "show", license_id)["serial"] == 2


def test_a_first_day_begins_where_the_customer_lives(console: Console) -> None:
    words = ("--name", "Nasim", "--timezone", "America/New_York")
    customer = console.json("customer", "add", *words)["customer_id"]
    order = ("--customer", customer, "--seats", 1, "--starts", "2030-01-01", "--days", 365)

    license_id = console.json("license", "issue", *order)["license_id"]

    shown = console.json("license", "show", license_id)
    assert shown["starts_at"] == "2030-01-01T05:00:00Z"
    assert shown["expires_at"] == "2031-01-01T04:59:59Z"


def test_a_customer_is_corrected_and_found_by_the_new_name(
    console: Console, customer: str, sold: dict[str, str]
) -> None:
    report = console.json("customer", "change", customer, "--name", "Pars Tejarat")

    assert report["name"] == "Pars Tejarat"
    found = console.json("license", "list", "--search", "tejarat")["items"]
    assert [item["license_id"] for item in found] == [sold["license_id"]]
    console.json("license", "renew", sold["license_id"], "--days", 1)
    shown = console.json("license", "show", sold["license_id"])
    assert shown["customer"] == {"id": customer, "name": "Pars Tejarat"}
    assert console.refusal("customer", "change", customer)[0] == 2
    assert console.refusal("customer", "change", customer, "--email", "nobody")[0] == 2


# Refunds


def given_back(vendor: Vendor, console: Console, sold: dict[str, str], reason: str) -> Path:
    server = vendor.stranger()
    server.activate(sold["code"])
    server.deactivate(reason)
    proof = console.home / "proof.json"
    console.json("license", "proof", sold["license_id"], "--out", proof)
    return proof


def test_a_refund_is_paid_once_against_the_proof(
    console: Console, console_vendor: Vendor, sold: dict[str, str]
) -> None:
    proof = given_back(console_vendor, console, sold, "refund")

    checked = console.json("license", "check-proof", proof)
    assert (checked["reason"], checked["on_file"], checked["refunded_at"]) == ("refund", True, None)
    assert "may be paid from" in console.run("license", "check-proof", proof).stdout
    assert console.json("license", "refund", proof)["refunded_at"] is not None
    code, sentence = console.refusal("license", "refund", proof)
    assert (code, "already" in sentence) == (3, True)
    assert "was paid on" in console.run("license", "check-proof", proof).stdout


@pytest.mark.parametrize("reason", ["move", "end"])
def test_only_a_licence_given_back_for_a_refund_is_refunded(
    console: Console, console_vendor: Vendor, sold: dict[str, str], reason: str
) -> None:
    proof = given_back(console_vendor, console, sold, reason)

    code, sentence = console.refusal("license", "refund", proof)

    assert (code, reason in sentence) == (3, True)


def test_a_forged_proof_is_told_apart(
    console: Console, console_vendor: Vendor, sold: dict[str, str]
) -> None:
    proof = given_back(console_vendor, console, sold, "refund")
    envelope = json.loads(proof.read_text("utf8"))
    signature = envelope["signatures"][0]
    signature["sig"] = ("B" if signature["sig"][0] != "B" else "C") + signature["sig"][1:]
    proof.write_text(json.dumps(envelope), "utf8")

    assert console.refusal("license", "check-proof", proof)[0] == 6
    proof.write_text("{}", "utf8")
    assert console.refusal("license", "refund", proof)[0] == 2


def test_a_licence_in_use_has_no_proof(console: Console, sold: dict[str, str]) -> None:
    words = ("license", "proof", sold["license_id"], "--out", console.home / "proof.json")

    assert console.refusal(*words)[0] == 2
    assert not (console.home / "proof.json").exists()


# Keys


def test_the_list_says_what_rests_on_each_key(
    console: Console, console_vendor: Vendor, sold: dict[str, str]
) -> None:
    console_vendor.stranger().activate(sold["code"])
    report = console.json("keys", "list")

    [key] = [item for item in report["items"] if "license" in item["roles"]]
    assert (key["licenses"], key["servers"]) == (1, 1)
    assert report["root"] == {"version": 1, "threshold": 2}
    replaced = console.json("keys", "replace", key["keyid"], *roots(console))
    assert replaced == {"version": 2, "resigned": 1}
    counts = {
        item["keyid"]: (item["licenses"], item["servers"], item["state"])
        for item in console.json("keys", "list")["items"]
        if "license" in item["roles"]
    }
    assert counts.pop(key["keyid"]) == (0, 1, "valid")
    assert list(counts.values()) == [(1, 0, "valid")]


def test_the_list_warns_before_keys_end(console: Console) -> None:
    assert console.json("keys", "list")["warnings"] == []
    start = clock.timestamp()
    with at(start + (WINDOW_DAYS[Role.LEASE] - 20) * DAY):
        assert [one["role"] for one in console.json("keys", "list")["warnings"]] == ["lease"]
        assert "keys rotate --role lease" in console.run("keys", "list").stdout
        console.json("keys", "rotate", *roots(console))
        assert console.json("keys", "list")["warnings"] == []
    with at(start + 500 * DAY):
        roles = [one["role"] for one in console.json("keys", "list")["warnings"]]
        assert roles == ["lease", "keyset"]
        assert "No key of the role" in console.run("keys", "list").stdout


def test_each_root_medium_can_be_proved(console: Console, fresh: Console) -> None:
    file = console.home / "root" / "root-2.pem"

    assert console.json("keys", "check-root", file)["number"] == 2
    fresh.json("init", "--yes")
    stranger = fresh.home / "root" / "root-2.pem"
    assert console.refusal("keys", "check-root", stranger)[0] == 2
    file.write_bytes(file.read_bytes()[:-40])
    assert console.refusal("keys", "check-root", file)[0] == 2


def test_a_revoked_lease_key_tells_of_suspects_and_clears_them(
    console: Console, console_vendor: Vendor, sold: dict[str, str]
) -> None:
    server = console_vendor.stranger()
    server.activate(sold["code"])
    server.check_in(nonce="0" * 32)
    keyid = console_vendor.key_of("lease").keyid

    told = console.run("keys", "revoke", keyid, *roots(console)).stdout
    cleared = console.json("keys", "revoke", keyid, "--clear-holds", *roots(console))

    assert "--clear-holds" in told
    assert (cleared["cleared"], cleared["suspects"]) == (1, 0)
