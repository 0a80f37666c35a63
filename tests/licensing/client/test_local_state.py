"""What the installation keeps itself: its time, its machine, its files, its messages."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from licensing.client.client import LicenseClient, NothingToAsk
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.document.errors import DocumentError
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated, next_day
from tests.licensing.client.vendor import (
    DAY,
    NOW,
    SHOWN_CODE,
    Hands,
    Response,
    Vendor,
    VendorServer,
    envelope,
    fresh_key,
)


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
