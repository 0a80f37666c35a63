"""The keys behind the command: rotated, revoked, renewed at the root, under enough root keys."""

import base64
import json
from pathlib import Path

import pytest

from licensing.authority.keys import ceremony
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import Vendor
from tests.licensing.authority.stranger import media_type, payload_bytes, signers


def roots(console: Console, *numbers: int) -> list[str]:
    words = []
    for number in numbers:
        words += ["--root-key", str(console.home / "root" / f"root-{number}.pem")]
    return words


def test_keys_are_listed(console: Console) -> None:
    report = console.json("keys", "list")

    assert report["version"] == 1
    assert [item["roles"] for item in report["items"]] == [["license"], ["lease"], ["release"]]
    assert {item["state"] for item in report["items"]} == {"valid"}
    assert all(item["held"] for item in report["items"])
    assert "lease" in console.run("keys", "list").stdout


def test_rotating_adds_a_key_under_two_root_keys(console: Console) -> None:
    report = console.json("keys", "rotate", "--role", "lease", *roots(console, 2, 3))

    assert report == {"version": 2}
    assert len(console.json("keys", "list")["items"]) == 4


@pytest.mark.parametrize("numbers", [(1,), (1, 1)])
def test_one_root_key_is_not_enough(console: Console, numbers: tuple[int, ...]) -> None:
    code, sentence = console.refusal("keys", "rotate", *roots(console, *numbers))

    assert (code, "--root-key" in sentence) == (2, True)
    assert console.json("keys", "list")["version"] == 1


def test_a_strangers_root_key_is_refused(console: Console, fresh: Console) -> None:
    fresh.json("init", "--yes")
    words = [*roots(console, 1), *roots(fresh, 2)]

    assert console.refusal("keys", "rotate", *words)[0] == 2


def test_a_wrong_passphrase_opens_nothing(console: Console, customer: str) -> None:
    console.environment["DAFTAR_AUTHORITY_PASSPHRASE"] = "another passphrase"

    code, sentence = console.refusal("license", "issue", "--customer", customer, "--seats", 1)

    assert code == 2
    assert "passphrase" in sentence
    assert "another" not in sentence


def test_a_revoked_licence_key_takes_no_customer_down(
    console: Console, sold: dict[str, str], console_vendor: Vendor
) -> None:
    """Compromise of the licence key: everything is signed anew, delivered by check-in, then it dies."""
    server = console_vendor.stranger()
    server.activate(sold["code"])
    held = dict(server.license)
    [dead] = [item for item in console.json("keys", "list")["items"] if "license" in item["roles"]]

    report = console.json("keys", "revoke", dead["keyid"], *roots(console, 1, 2))

    assert (report["version"], report["resigned"], report["servers_waiting"]) == (3, 1, 1)
    server.check_in()
    assert server.license["serial"] == held["serial"] + 1
    assert server.trust.keyset["version"] == 3
    states = {item["keyid"]: item["state"] for item in console.json("keys", "list")["items"]}
    assert states[dead["keyid"]] == "revoked"
    # Twice is once.
    again = console.json("keys", "revoke", dead["keyid"], *roots(console, 1, 2))
    assert (again["version"], again["resigned"], again["servers_waiting"]) == (3, 0, 0)


def test_a_revoked_lease_key_is_replaced_at_once(
    console: Console, sold: dict[str, str], console_vendor: Vendor
) -> None:
    server = console_vendor.stranger()
    server.activate(sold["code"])
    [dead] = [item for item in console.json("keys", "list")["items"] if "lease" in item["roles"]]

    console.json("keys", "revoke", dead["keyid"], *roots(console, 1, 3))

    assert dead["keyid"].encode() not in server.check_in().raw
    assert console_vendor.stranger().activate(sold["code"]).code == "E_ALREADY_ACTIVE"


def test_the_newest_key_signs_no_licence_anew_that_is_about_to_die(
    console: Console, sold: dict[str, str], console_vendor: Vendor
) -> None:
    console.json("keys", "rotate", "--role", "license", *roots(console, 1, 2))
    console.json("license", "renew", sold["license_id"], "--days", 30)  # signed by the new one
    newest = [item for item in console.json("keys", "list")["items"] if "license" in item["roles"]][
        -1
    ]

    report = console.json("keys", "revoke", newest["keyid"], *roots(console, 1, 2))

    assert report["resigned"] == 1
    server = console_vendor.stranger()
    server.activate(sold["code"])  # it verifies the licence under the keyset
    assert server.license["serial"] == 3


def test_a_new_root_is_vouched_for_by_the_old_one(
    console: Console, sold: dict[str, str], console_vendor: Vendor, tmp_path: Path
) -> None:
    words = [*roots(console, 1, 2), "--root-dir", tmp_path / "next"]
    assert console.json("keys", "renew-root", *words)["root"] == 2

    served = console_vendor.send("GET", "/v1/root/2", None).body
    outer, root = json.loads(served), json.loads(payload_bytes(served))
    assert outer["payloadType"] == media_type("root")
    old = [base64.b64decode(key["pub"]) for key in console_vendor.root["keys"]]
    new = [base64.b64decode(key["pub"]) for key in root["keys"]]
    assert root["version"] == 2
    assert len(signers(served, old)) >= console_vendor.root["threshold"]
    assert len(signers(served, new)) >= root["threshold"]
    server = console_vendor.stranger()
    server.trust.root = root
    assert server.activate(sold["code"]).kind == "bundle"
    # From here on the old keys are worth nothing.
    assert console.refusal("keys", "rotate", *roots(console, 1, 2))[0] == 2
    next_keys = [
        word for n in (1, 3) for word in ("--root-key", tmp_path / "next" / f"root-{n}.pem")
    ]
    assert console.json("keys", "rotate", *next_keys)["version"] == 3


def test_an_interrupted_renewal_of_the_root_is_taken_up_again(
    console: Console, sold: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["keys", "renew-root", *roots(console, 1, 2), "--root-dir"]

    def cut(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(ceremony, "publish", cut)
        assert console.refusal(*words, tmp_path / "next")[0] == 7
    # Everything goes on under the old root until the work is finished.
    assert console.json("license", "renew", sold["license_id"], "--days", 3)["serial"] == 2

    assert console.refusal(*words, tmp_path / "other")[0] == 3
    assert not (tmp_path / "other").exists()
    assert console.refusal(*words, console.home / "root")[0] == 3
    assert console.json(*words, tmp_path / "next")["root"] == 2
    assert console.json("keys", "list")["version"] == 2


def test_an_unknown_key_is_named(console: Console) -> None:
    code, sentence = console.refusal("keys", "revoke", "0" * 16, *roots(console, 1, 2))

    assert (code, "0" * 16 in sentence) == (2, True)
