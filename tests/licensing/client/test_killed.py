"""A process killed at every step of every exchange: nothing is lost, nothing is done twice."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig
from licensing.client.ladder import Reason
from licensing.document.requests import DeactivationReason, Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated, next_day
from tests.licensing.client.vendor import NOW, SHOWN_CODE, Hands, Vendor
from tests.licensing.client.victim import Life, live

MOST_STEPS = 200


@pytest.fixture
def die(config: ClientConfig, hands: Hands) -> Callable[[str], Iterator[int]]:
    """Return a function that lets the exchange die at each of its steps in turn, from the same beginning."""

    def each_step(exchange: str) -> Iterator[int]:
        before = config.directory.parent / "before"
        if config.directory.exists():
            shutil.copytree(config.directory, before)
        for step in range(1, MOST_STEPS):
            shutil.rmtree(config.directory, ignore_errors=True)
            if before.exists():
                shutil.copytree(before, config.directory)
            ended = live(Life(config, exchange, int(hands.wall), hands.run, dies_at=step))
            yield step
            if ended == 0:
                return
            assert ended == -9
        pytest.fail(f"{exchange} never ended")

    return each_step


def test_an_activation_survives_every_death(
    die: Callable[[str], Iterator[int]], start: Start, vendor: Vendor
) -> None:
    steps = 0
    for steps in die("activate"):  # noqa: B007 - how far it came is asked below
        client = start()
        assert client.activate(SHOWN_CODE) == DONE
        assert client.verdict(1).mode is Mode.OK
        assert client.check_in(USAGE) == DONE
        assert client.status().notices == ()
        vendor.activation, vendor.stored = None, {}
    assert steps > 15


def test_a_check_in_survives_every_death_without_disturbing_the_chain(
    die: Callable[[str], Iterator[int]],
    client: LicenseClient,
    start: Start,
    vendor: Vendor,
    hands: Hands,
) -> None:
    activated(client)
    next_day(vendor, hands)
    chain = (vendor.seq, vendor.nonce, vendor.last_lease)
    steps = 0
    for steps in die("check_in"):  # noqa: B007
        again = start()
        assert again.check_in(USAGE) == DONE
        assert again.status().notices == ()
        assert again.verdict(1).mode is Mode.OK
        assert again.check_in(USAGE) == DONE
        assert again.status().notices == ()
        vendor.seq, vendor.nonce, vendor.last_lease = chain
        vendor.stored = {}
    assert steps > 15


def test_a_deactivation_survives_every_death_with_its_proof_and_without_its_key(
    die: Callable[[str], Iterator[int]],
    client: LicenseClient,
    start: Start,
    vendor: Vendor,
    config: ClientConfig,
) -> None:
    activated(client)
    bound, identity = vendor.activation, client.status().instance_pub
    steps = 0
    for steps in die("deactivate"):  # noqa: B007
        outcome = start().deactivate(DeactivationReason.REFUND, USAGE)
        assert outcome == DONE or outcome.code == "deactivated"
        left = start()
        assert left.status().receipt is not None
        assert left.verdict(1).reason is Reason.DEACTIVATED
        assert left.status().instance_pub not in (None, identity)
        assert len(list((config.directory / "receipts").iterdir())) == 1
        vendor.activation, vendor.stored = bound, {}
    assert steps > 15


def test_a_minute_survives_every_death(
    die: Callable[[str], Iterator[int]], client: LicenseClient, start: Start, hands: Hands
) -> None:
    activated(client)
    hands.pass_time(3600)
    hands.wall = NOW
    steps = 0
    for steps in die("tick"):  # noqa: B007
        again = start()
        assert again.verdict(1).mode is Mode.OK
        assert again.status().problems == ()
        assert again.effective_now() == NOW + 3600
    assert steps > 3


def test_what_a_killed_process_left_behind_is_swept_away(
    client: LicenseClient, config: ClientConfig, hands: Hands
) -> None:
    activated(client)
    live(Life(config, "check_in", int(hands.wall), hands.run, dies_at=3))
    litter = Path(config.directory / ".state.json.0123456789ab")
    litter.write_bytes(b"half")

    client.tick(1)

    assert not litter.exists()
