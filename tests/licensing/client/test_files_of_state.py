"""Damage to what is kept: the file, its copy in the database, both, the key. Nobody honest is locked."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig, Clocks
from licensing.client.ladder import Reason
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated, next_day
from tests.licensing.client.vendor import DAY, NOW, SHOWN_CODE, Hands, Vendor


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
