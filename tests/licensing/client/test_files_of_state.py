"""Damage to what is kept: the file, its copy in the database, both, the key. Nobody honest is locked."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated, next_day
from tests.licensing.client.vendor import DAY, NOW, SHOWN_CODE, Hands, Response, Vendor, fresh_key

NOBODY = 65_534


def state_of(config: ClientConfig) -> Path:
    return config.directory / "state.json"


def codes(client: LicenseClient) -> list[str]:
    return [problem.code.value for problem in client.status().problems]


def mirrored(client: LicenseClient) -> bytes:
    mirror = client.mirror()
    assert mirror is not None
    return mirror


# The file


def test_a_deleted_state_comes_back_from_the_database(
    client: LicenseClient, start: Start, config: ClientConfig
) -> None:
    mirror = mirrored(activated(client))
    state_of(config).unlink()
    again = start()
    assert again.verdict(1).mode is Mode.SETUP

    assert again.agree(mirror)
    assert again.verdict(1).mode is Mode.OK
    assert again.check_in(USAGE) == DONE
    assert again.messages()[0].direction != "local"
    assert "local" in [message.direction for message in again.messages()]


def test_a_state_deleted_under_a_running_server_comes_back_within_its_minute(
    client: LicenseClient, config: ClientConfig
) -> None:
    mirror = mirrored(activated(client))
    state_of(config).unlink()
    assert client.status().activation is None

    client.agree(mirror)

    assert client.verdict(1).mode is Mode.OK


def test_an_edited_state_is_noticed_and_its_signed_documents_go_on(
    client: LicenseClient, start: Start, config: ClientConfig
) -> None:
    activated(client)
    edit(config, lambda text: text.replace('"seats_over_since":null', '"seats_over_since":0'))
    again = start()

    assert codes(again) == ["E_STATE_TAMPERED"]
    assert again.verdict(1).mode is Mode.OK
    assert again.status().seats_over_since is None
    again.tick(1)
    assert codes(start()) == []
    assert "E_STATE_TAMPERED" in [message.kind for message in again.messages()]
    assert again.check_in(USAGE) == DONE


def test_an_edited_state_counts_its_time_on(
    client: LicenseClient, start: Start, config: ClientConfig, hands: Hands
) -> None:
    activated(client)
    edit(config, lambda text: text.replace('"running":0', '"running":1'))
    hands.wall = NOW
    for day in range(1, 9):
        again = start()
        hands.run += DAY
        again.tick(1)
        assert start().effective_now() == NOW + day * DAY


def test_an_edited_state_never_goes_before_the_copy_of_the_database(
    client: LicenseClient, start: Start, config: ClientConfig, hands: Hands
) -> None:
    mirror = mirrored(activated(client))
    hands.run += 20 * DAY
    client.tick(1)
    mirror = mirrored(client)
    edit(config, lambda text: text.replace('"running":', '"running":9'))
    hands.run = 0.0

    again = start()
    again.agree(mirror)

    assert again.effective_now() == NOW + 20 * DAY


def edit(config: ClientConfig, change: Callable[[str], str]) -> None:
    outer = json.loads(state_of(config).read_bytes())
    changed = change(outer["state"])
    assert changed != outer["state"]
    state_of(config).write_text(json.dumps({**outer, "state": changed}), "utf8")


def test_a_state_from_an_old_backup_is_older_than_the_copy_of_the_database(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor, hands: Hands
) -> None:
    old = state_of(config)
    activated(client)
    backup = old.read_bytes()
    next_day(vendor, hands)
    assert client.check_in(USAGE) == DONE
    mirror = mirrored(client)
    old.write_bytes(backup)

    again = start()

    assert again.agree(mirror)
    assert again.check_in(USAGE) == DONE
    assert again.status().notices == ()


def test_a_restored_database_is_older_than_the_file_and_is_not_taken(
    client: LicenseClient, vendor: Vendor, hands: Hands
) -> None:
    old = mirrored(activated(client))
    next_day(vendor, hands)
    client.check_in(USAGE)
    lease = client.status().lease

    assert not client.agree(old)
    assert client.status().lease == lease
    assert mirrored(client) != old


def test_both_restored_costs_one_notice(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    backup = state_of(config).read_bytes()
    for _day in range(5):
        next_day(vendor, hands)
        client.check_in(USAGE)
    state_of(config).write_bytes(backup)

    again = start()
    again.agree(backup)

    assert again.verdict(1).mode is Mode.OK
    assert again.check_in(USAGE) == DONE
    assert [notice.code for notice in again.status().notices] == ["STATE_RESYNC"]
    next_day(vendor, hands)
    assert again.check_in(USAGE) == DONE
    assert again.status().notices == ()


def test_of_one_lease_the_later_time_counts_wherever_it_is_kept(
    client: LicenseClient, start: Start, config: ClientConfig, hands: Hands
) -> None:
    activated(client)
    backup = state_of(config).read_bytes()
    hands.run += 10 * DAY
    client.tick(1)
    mirror = mirrored(client)
    state_of(config).write_bytes(backup)
    hands.run = 0.0

    again = start()
    assert not again.agree(mirror)
    assert again.effective_now() == NOW + 10 * DAY


def test_a_denial_is_not_undone_by_an_older_file(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor
) -> None:
    activated(client)
    before = state_of(config).read_bytes()
    vendor.denial = "E_SUPERSEDED"
    client.check_in(USAGE)
    mirror = mirrored(client)
    state_of(config).write_bytes(before)

    again = start()

    assert again.agree(mirror)
    assert again.verdict(1).reason is Reason.SUPERSEDED


def test_the_tombstone_is_not_undone_by_an_older_file(
    client: LicenseClient, start: Start, config: ClientConfig
) -> None:
    activated(client)
    before = state_of(config).read_bytes()
    client.export_deactivation(DeactivationReason.REFUND, USAGE)
    mirror = mirrored(client)
    state_of(config).write_bytes(before)

    again = start()

    assert again.agree(mirror)
    assert again.verdict(1).reason is Reason.DEACTIVATED


def test_a_copy_that_another_instance_wrote_is_not_taken(
    client: LicenseClient, start: Start, config: ClientConfig, tmp_path: Path, hands: Hands
) -> None:
    foreign = mirrored(activated(client))
    other = LicenseClient(
        replace(config, directory=tmp_path / "other"),
        Clocks(lambda: int(hands.wall), lambda: hands.run),
    )
    other.export_activation(SHOWN_CODE)

    assert not other.agree(foreign)
    assert not other.agree(b"junk")
    assert not other.agree(None)
    assert other.verdict(1).mode is Mode.SETUP


def test_what_is_not_ours_never_reaches_the_database(
    client: LicenseClient, start: Start, config: ClientConfig
) -> None:
    assert client.mirror() is None
    activated(client)
    edit(config, lambda text: text.replace('"running":0', '"running":1'))
    assert start().mirror() is None


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_no_damage_to_the_file_costs_the_licence(
    client: LicenseClient,
    start: Start,
    config: ClientConfig,
    place: float,
    flip: int,
    *,
    cut: bool,
) -> None:
    if client.status().activation is None:
        activated(client)
    mirror = mirrored(client)
    raw = bytearray(state_of(config).read_bytes())
    at = int(place * len(raw))
    raw[at] ^= flip
    state_of(config).write_bytes(raw[:at] if cut else raw)

    again = start()
    again.agree(mirror)

    assert again.verdict(1).mode is Mode.OK
    assert mirrored(again) == mirror


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
