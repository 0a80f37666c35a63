"""The vendor's command: what it prints, what it refuses, with which exit code."""

from pathlib import Path

import pytest
from sqlalchemy import select

from licensing.authority.audit.models import AuditEntry
from licensing.authority.config import load_settings
from licensing.authority.db.opening import open_database
from licensing.authority.keys.store import Keys
from tests.licensing.authority.console import Console
from tests.licensing.authority.stage import PASSPHRASE, Vendor


def trail(console: Console) -> list[tuple[str, str]]:
    database = open_database(load_settings(console.home))
    with database.read() as session:
        entries = list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    database.dispose()
    return [(entry.action, entry.subject) for entry in entries]


# init


def test_init_makes_an_authority_and_says_where_the_root_keys_are(fresh: Console) -> None:
    result = fresh.run("init", "--yes")

    assert result.exit_code == 0
    assert str(fresh.home / "root") in result.stdout
    assert "offline" in result.stdout
    assert (fresh.home / "trust" / "root.json").is_file()


def test_init_on_a_home_that_is_there_changes_nothing(fresh: Console) -> None:
    fresh.json("init", "--yes")
    before = {path: path.read_bytes() for path in fresh.home.rglob("*.*") if path.is_file()}

    report = fresh.json("init", "--yes")

    assert report == {"home": str(fresh.home), "created": False}
    assert before == {path: path.read_bytes() for path in before}
    assert "Nothing was changed" in fresh.run("init", "--yes").stdout


def test_init_needs_a_passphrase(fresh: Console) -> None:
    fresh.environment["DAFTAR_AUTHORITY_PASSPHRASE"] = ""

    code, sentence = fresh.refusal("init", "--yes")

    assert code == 3
    assert "--passphrase-file" in sentence
    assert not fresh.home.exists()


def test_init_refuses_a_short_passphrase(fresh: Console) -> None:
    fresh.environment["DAFTAR_AUTHORITY_PASSPHRASE"] = "short"

    assert fresh.refusal("init", "--yes")[0] == 2
    assert not fresh.home.exists()


def test_init_takes_the_passphrase_from_a_file_and_remembers_where(
    fresh: Console, tmp_path: Path
) -> None:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    fresh.environment["DAFTAR_AUTHORITY_PASSPHRASE"] = ""

    fresh.json("init", "--yes", "--passphrase-file", file, "--root-dir", tmp_path / "safe")

    customer = fresh.json("customer", "add", "--name", "A")["customer_id"]
    assert fresh.json("license", "issue", "--customer", customer, "--seats", 1)["code"]
    assert (tmp_path / "safe" / "root-3.pem").is_file()


def test_a_missing_passphrase_file_is_named(fresh: Console, tmp_path: Path) -> None:
    fresh.environment["DAFTAR_AUTHORITY_PASSPHRASE"] = ""

    code, sentence = fresh.refusal("init", "--yes", "--passphrase-file", tmp_path / "gone")

    assert (code, str(tmp_path / "gone") in sentence) == (3, True)


# customers


def test_customers_are_listed_as_they_were_written_down(console: Console) -> None:
    assert console.json("customer", "list") == {"items": []}
    assert "no customer yet" in console.run("customer", "list").stdout
    first = console.json("customer", "add", "--name", "Pars", "--email", "Anna@Pars.Example")

    [shown] = console.json("customer", "list")["items"]

    assert shown["customer_id"] == first["customer_id"]
    assert (shown["name"], shown["email"]) == ("Pars", "Anna@pars.example")
    assert "Pars" in console.run("customer", "list").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--name", ""),
        ("--name", " "),
        ("--name", "x" * 201),
        ("--name", "Pars", "--email", "nobody"),
        ("--name", "Pars", "--timezone", "Tehran"),
        ("--name", "Pars", "--timezone", "../etc/passwd"),
        (),
    ],
)
def test_a_customer_that_cannot_be_is_refused(console: Console, words: tuple[str, ...]) -> None:
    assert console.refusal("customer", "add", *words)[0] == 2
    assert console.json("customer", "list") == {"items": []}


# licences


def test_a_licence_is_issued_listed_and_shown(
    console: Console, customer: str, sold: dict[str, str]
) -> None:
    [item] = console.json("license", "list")["items"]
    shown = console.json("license", "show", sold["license_id"])

    assert item["license_id"] == shown["license_id"] == sold["license_id"]
    assert item["customer"] == {"id": customer, "name": "Pars Trading"}
    assert (shown["status"], shown["kind"], shown["serial"]) == ("ok", "subscription", 1)
    assert shown["seats"] == {"named": 5, "concurrent": 5, "service_accounts": 5}
    assert (shown["activations"], shown["flags"], shown["activation"]) == ([], [], None)
    assert sold["code"] not in console.run("license", "show", sold["license_id"]).output
    assert console.json("license", "list", "--customer", "cus_other") == {"items": []}
    assert "no licence yet" in console.run("license", "list", "--customer", "cus_other").stdout


def test_an_order_is_taken_as_it_is_given(
    console: Console, customer: str, console_vendor: Vendor
) -> None:
    words = ["--seats", 9, "--devices", 4, "--service-accounts", 0, "--days", 90]
    words += ["--site", "Tabriz", "--edition", "plus", "--feature", "crm"]
    words += ["--network-mode", "warn", "--network", "10.1.0.0/16", "--grace-days", 3]
    issued = console.json("license", "issue", "--customer", customer, *words, "--lease-days", 60)
    server = console_vendor.stranger()

    server.activate(issued["code"])

    sold = server.license
    assert sold["seats"] == {"named": 9, "concurrent": 4, "service_accounts": 0}
    assert (sold["site"]["label"], sold["edition"]) == ("Tabriz", "plus")
    assert sold["features"] == ["crm"]
    assert sold["network_scope"] == {"mode": "warn", "cidrs": ["10.1.0.0/16"]}
    assert (sold["grace_days"], sold["checkin"]["lease_ttl_s"]) == (3, 60 * 86_400)
    assert 90 <= (sold["expires_at"] - sold["starts_at"]) / 86_400 < 91


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--customer", "cus_nobody", "--seats", "5"], 2),
        (["--customer", "CUSTOMER", "--seats", "0"], 2),
        (["--customer", "CUSTOMER", "--seats", "-1"], 2),
        (["--customer", "CUSTOMER", "--seats", "five"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--days", "0"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--days", "999999"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--kind", "gift"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--kind", "trial", "--days", "30"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--network", "everywhere"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--lease-days", "91"], 2),
        (["--customer", "CUSTOMER", "--seats", "5", "--starts", "soon"], 2),
        (["--customer", "CUSTOMER", "--seats", "99999999999999999999"], 2),
        (["--seats", "5"], 2),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    console: Console, customer: str, words: list[str], code: int
) -> None:
    given = [customer if word == "CUSTOMER" else word for word in words]

    assert console.refusal("license", "issue", *given)[0] == code
    assert console.json("license", "list") == {"items": []}


def test_a_licence_is_suspended_resumed_and_revoked(console: Console, sold: dict[str, str]) -> None:
    license_id = sold["license_id"]
    steps = [("suspend", "suspended"), ("suspend", "suspended"), ("resume", "ok")]
    for command, status in [*steps, ("revoke", "revoked")]:
        assert console.json("license", command, license_id)["status"] == status

    code, sentence = console.refusal("license", "resume", license_id)
    assert code == 3
    assert license_id in sentence
    assert [action for action, _subject in trail(console)] == [
        "customer.add",
        "license.issue",
        "license.suspended",
        "license.ok",
        "license.revoked",
    ]


def test_seats_and_term_change_by_new_serials(console: Console, sold: dict[str, str]) -> None:
    license_id = sold["license_id"]

    renewed = console.json("license", "renew", license_id, "--days", 30)
    changed = console.json("license", "set-seats", license_id, "--seats", 8)

    assert (renewed["serial"], changed["serial"]) == (2, 3)
    assert changed["seats"] == {"named": 8, "concurrent": 8}
    assert renewed["expires_at"] == changed["expires_at"]
    assert "8" in console.run("license", "set-seats", license_id, "--devices", 3).stdout
    assert console.refusal("license", "set-seats", license_id)[0] == 2
    assert console.refusal("license", "set-seats", license_id, "--seats", 0)[0] == 2
    assert console.refusal("license", "renew", license_id, "--days", 0)[0] == 2


def test_a_revoked_licence_is_neither_renewed_nor_moved(
    console: Console, sold: dict[str, str]
) -> None:
    license_id = sold["license_id"]
    console.json("license", "revoke", license_id)

    assert console.refusal("license", "renew", license_id, "--days", 30)[0] == 3
    assert console.refusal("license", "rehost", license_id)[0] == 3
    assert console.refusal("license", "set-seats", license_id, "--seats", 3)[0] == 3


def test_rehosting_gives_a_new_code_until_the_limit(
    console: Console, sold: dict[str, str], console_vendor: Vendor
) -> None:
    license_id, code = sold["license_id"], sold["code"]
    for _move in range(2):
        console_vendor.stranger().activate(code)
        code = console.json("license", "rehost", license_id)["code"]
    console_vendor.stranger().activate(code)

    refused, sentence = console.refusal("license", "rehost", license_id)

    assert refused == 4
    assert "--approve" in sentence
    assert console.json("license", "rehost", license_id, "--approve")["code"] != code


def test_a_lost_code_is_replaced_without_a_move(console: Console, sold: dict[str, str]) -> None:
    for _loss in range(4):
        assert console.json("license", "rehost", sold["license_id"])["code"] != sold["code"]


def test_a_hold_is_cleared_only_where_there_is_one(
    console: Console, sold: dict[str, str], console_vendor: Vendor
) -> None:
    license_id = sold["license_id"]
    assert console.refusal("license", "clear-hold", license_id)[0] == 3
    server = console_vendor.stranger()
    server.activate(sold["code"])
    for _fork in range(6):
        server.check_in(nonce="f" * 32)
    assert console.json("license", "show", license_id)["activations"][0]["held"] is True

    assert console.json("license", "clear-hold", license_id)["held"] is False
    assert server.check_in().kind == "lease"


@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("suspend",),
        ("resume",),
        ("revoke",),
        ("rehost",),
        ("renew", "--days", "5"),
        ("set-seats", "--seats", "5"),
        ("clear-hold",),
    ],
)
def test_an_unknown_licence_is_named(console: Console, words: tuple[str, ...]) -> None:
    command, *rest = words

    code, sentence = console.refusal("license", command, "lic_nobody", *rest)

    assert (code, "lic_nobody" in sentence) == (2, True)


# at every command


def test_without_a_home_the_way_out_is_told(tmp_path: Path) -> None:
    nowhere = Console(tmp_path / "nowhere")

    code, sentence = nowhere.refusal("license", "list")
    assert (code, "daftar-authority init" in sentence) == (3, True)
    nowhere.environment["DAFTAR_AUTHORITY_HOME"] = ""
    assert nowhere.refusal("license", "list")[0] == 3


def test_damaged_trust_files_are_integrity(console: Console, customer: str) -> None:
    path = console.home / "trust" / "keyset.json"
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))

    assert console.refusal("keys", "list")[0] == 6
    assert console.refusal("license", "issue", "--customer", customer, "--seats", 1)[0] == 6


def test_a_damaged_key_file_is_named(console: Console, customer: str) -> None:
    Keys(load_settings(console.home), PASSPHRASE.encode())
    for path in (console.home / "keys").iterdir():
        path.write_bytes(path.read_bytes()[:80])

    code, sentence = console.refusal("license", "issue", "--customer", customer, "--seats", 1)

    assert (code, ".pem" in sentence) == (2, True)
