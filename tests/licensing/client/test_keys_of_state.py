"""A lost key, a folder that refuses, a request that waits: what comes back, and what never does."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated
from tests.licensing.client.test_files_of_state import codes, mirrored, state_of
from tests.licensing.client.vendor import NOW, SHOWN_CODE, Hands, Response, Vendor, fresh_key

NOBODY = 65_534


# The key


def test_a_lost_key_that_is_found_again_brings_everything_back(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor
) -> None:
    activated(client)
    key = config.directory / "instance.key"
    safe = key.read_bytes()
    key.unlink()
    lost = start()
    assert lost.verdict(1).reason is Reason.NOT_ACTIVATED
    assert codes(lost)[0] == "E_WRONG_INSTANCE"
    assert lost.check_in(USAGE).code == "not_activated"
    assert not key.exists()
    vendor.denial = "E_ALREADY_ACTIVE"
    assert lost.activate(SHOWN_CODE).code == "E_ALREADY_ACTIVE"
    lost.tick(1)
    vendor.denial = None
    key.write_bytes(safe)

    found = start()

    assert found.verdict(1).mode is Mode.OK
    assert found.check_in(USAGE) == DONE
    assert start().verdict(1).mode is Mode.OK


def test_a_lost_key_is_replaced_by_a_move_of_the_licence(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor
) -> None:
    activated(client)
    (config.directory / "instance.key").unlink()
    vendor.activation, vendor.seq = None, 0

    moved = start()

    assert moved.activate(SHOWN_CODE) == DONE
    assert moved.verdict(1).mode is Mode.OK
    assert codes(start()) == []


def test_a_damaged_key_is_kept_beside_its_successor(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor
) -> None:
    activated(client)
    key = config.directory / "instance.key"
    key.write_bytes(b"half a key")
    vendor.activation, vendor.seq = None, 0
    again = start()
    assert again.verdict(1).mode is Mode.SETUP

    assert again.activate(SHOWN_CODE) == DONE
    assert (config.directory / "instance.damaged").read_bytes() == b"half a key"


def test_a_folder_that_may_not_be_read_is_told_and_destroys_nothing(
    client: LicenseClient, start: Start, config: ClientConfig, tmp_path: Path
) -> None:
    activated(client)
    key = config.directory / "instance.key"
    safe = key.read_bytes()
    key.unlink()
    key.mkdir()  # refuses to be read whoever asks, root included

    shut = start()

    assert shut.verdict(1).mode is Mode.SETUP
    assert codes(shut) == ["E_STATE_TAMPERED"]
    assert shut.activate(SHOWN_CODE).code == "disk"
    key.rmdir()
    key.write_bytes(safe)
    assert start().verdict(1).mode is Mode.OK


def test_what_root_writes_the_service_can_read(client: LicenseClient, config: ClientConfig) -> None:
    config.directory.mkdir()
    if os.geteuid() == 0:
        os.chown(config.directory, NOBODY, NOBODY)
    owner = config.directory.stat().st_uid

    activated(client)

    assert {path.stat().st_uid for path in config.directory.rglob("*")} == {owner}
    assert {path.stat().st_mode & 0o777 for path in config.directory.glob("*.*")} == {0o600}


# A request that waits


def test_a_request_that_nobody_can_read_is_not_sent_for_ever(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    vendor.instead = lambda path: Response(400, b'{"code":"E_FORMAT"}') if "check" in path else None
    assert client.check_in(USAGE).code == "E_FORMAT"
    assert client.status().pending is None
    vendor.instead = lambda _path: None
    assert client.check_in(USAGE) == DONE


def test_a_stored_reply_under_a_dead_key_is_not_awaited_for_ever(
    client: LicenseClient, vendor: Vendor
) -> None:
    activated(client)
    thief = vendor.lease_key
    client.export_check_in(USAGE)
    pending = client.pending()
    assert pending is not None
    vendor.answer("/v1/check-ins", pending.envelope.encode())
    vendor.lease_key = fresh_key()
    vendor.served_keyset = vendor.keyset(version=2, revoked=(thief,))
    client.activate(SHOWN_CODE)  # somebody types the code again, and so learns of the new keys

    outcomes = [client.check_in(USAGE) for _day in range(2)]

    assert outcomes[-1] == DONE
    assert client.verdict(1).mode is Mode.OK


def test_a_clock_out_of_every_calendar_spoils_nothing(
    client: LicenseClient, start: Start, hands: Hands
) -> None:
    activated(client)
    for wall in (-5_000_000_000, 10**15):
        hands.wall = wall
        assert client.check_in(USAGE) == DONE
        client.tick(1)
        assert codes(start()) == []
    hands.wall = NOW
    assert start().verdict(1).mode is Mode.OK


def test_a_copied_folder_without_its_key_is_worth_nothing_even_with_the_mirror(
    client: LicenseClient, config: ClientConfig, hands: Hands, tmp_path: Path
) -> None:
    mirror = mirrored(activated(client))
    copy = tmp_path / "copy"
    shutil.copytree(config.directory, copy)
    (copy / "instance.key").unlink()
    clocks = Clocks(lambda: int(hands.wall), lambda: hands.run)
    thief = LicenseClient(replace(config, directory=copy), clocks)
    thief.export_activation(SHOWN_CODE)

    assert not thief.agree(mirror)
    assert thief.verdict(1).mode is Mode.SETUP


def test_after_leaving_no_copy_brings_the_licence_back(
    client: LicenseClient, start: Start, config: ClientConfig
) -> None:
    activated(client)
    state, mirror = state_of(config).read_bytes(), mirrored(client)
    assert client.deactivate(DeactivationReason.REFUND, USAGE) == DONE

    assert not client.agree(mirror)
    state_of(config).write_bytes(state)
    again = start()
    again.agree(mirror)

    assert again.verdict(1).mode is Mode.SETUP


@pytest.mark.parametrize("name", ["state.json", "instance.key", "messages.jsonl"])
def test_an_empty_file_after_a_power_cut_stops_nobody(
    client: LicenseClient, start: Start, config: ClientConfig, name: str
) -> None:
    mirror = mirrored(activated(client))
    (config.directory / name).write_bytes(b"")

    again = start()
    again.agree(mirror)

    expected = Mode.SETUP if name == "instance.key" else Mode.OK
    assert again.verdict(1).mode is expected
    assert again.messages() is not None
