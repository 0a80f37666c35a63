"""A disk without a free byte: nothing is sent that was not persisted, and nothing is lost."""

from licensing.client.client import LicenseClient
from licensing.client.installation import ClientConfig
from licensing.document.requests import Mode
from tests.licensing.client.stage import DONE, USAGE, Start, activated, next_day
from tests.licensing.client.vendor import SHOWN_CODE, Hands, Vendor
from tests.licensing.client.victim import Life, live


def told(config: ClientConfig, hands: Hands, exchange: str) -> str:
    """Let a server on a full disk try, and return what it was told."""
    life = Life(config, exchange, int(hands.wall), hands.run, is_disk_full=True)
    assert live(life) == 0
    return (config.directory.parent / "outcome").read_text("utf8")


def test_a_server_starts_on_a_full_disk_and_asks_nothing(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    next_day(vendor, hands)
    asked = len(vendor.requests)

    outcome = told(config, hands, "check_in")

    assert "code='disk'" in outcome
    assert "No space left" in outcome or "File too large" in outcome
    assert len(vendor.requests) == asked
    again = start()
    assert again.verdict(1).mode is Mode.OK
    assert again.check_in(USAGE) == DONE
    assert again.status().notices == ()


def test_a_request_that_waits_is_answered_once_there_is_space(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor, hands: Hands
) -> None:
    activated(client)
    next_day(vendor, hands)
    client.export_check_in(USAGE)  # persisted while there was space

    assert "code='disk'" in told(config, hands, "check_in")

    again = start()
    assert again.check_in(USAGE) == DONE
    assert again.status().notices == ()
    assert vendor.seq == 2


def test_an_activation_on_a_full_disk_is_repeated_without_a_second_one(
    client: LicenseClient, start: Start, config: ClientConfig, vendor: Vendor, hands: Hands
) -> None:
    client.export_activation(SHOWN_CODE)

    assert "code='disk'" in told(config, hands, "activate")

    assert start().activate(SHOWN_CODE) == DONE
    assert vendor.activations_made == 1


def test_a_deactivation_on_a_full_disk_keeps_its_proof_for_later(
    client: LicenseClient, start: Start, config: ClientConfig, hands: Hands
) -> None:
    activated(client)

    assert "code='disk'" in told(config, hands, "deactivate")

    assert start().verdict(1).mode is Mode.OK
