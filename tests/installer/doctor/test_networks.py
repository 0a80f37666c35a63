"""The doctor tells whether colleagues beside this server are inside the networks of the licence."""

from dataclasses import replace

import pytest

from installer.checks import Status
from installer.doctor.networks import judge, networks, own_addresses
from installer.doctor.patient import Patient
from server.core.entitlements import UNLIMITED, Entitlements
from server.core.errors import Missing
from server.core.networks import Address, read_address

SOLD = replace(UNLIMITED, license_id="lic_1", networks=("10.0.0.0/8", "fc00::/7"))


def addresses(*texts: str) -> tuple[Address, ...]:
    return tuple(address for text in texts if (address := read_address(text)) is not None)


@pytest.mark.parametrize(
    ("mode", "own", "status", "words"),
    [
        ("enforce", ("10.1.2.3",), Status.PASS, "10.1.2.3 lies inside"),
        ("enforce", ("203.0.113.9", "fd00::1"), Status.PASS, "fd00::1 lies inside"),
        ("enforce", ("203.0.113.9",), Status.WARN, "colleagues beside it are refused"),
        ("warn", ("203.0.113.9",), Status.WARN, "colleagues beside it are warned"),
        ("off", ("203.0.113.9",), Status.PASS, "everywhere"),
        ("enforce", (), Status.SKIP, "no address"),
    ],
)
def test_where_this_server_stands(
    mode: str, own: tuple[str, ...], status: Status, words: str
) -> None:
    finding = judge(replace(SOLD, network_mode=mode), addresses(*own))

    assert (finding.status, words in finding.detail) == (status, True)


def test_before_an_activation_there_is_nothing_to_ask() -> None:
    assert judge(Entitlements(), addresses("10.1.2.3")).status is Status.SKIP


def test_a_licence_that_cannot_be_opened_is_told_by_its_own_check(patient: Patient) -> None:
    def missing(_settings: object) -> Entitlements:
        raise Missing("The vendor's root keys are not there.")

    finding = networks(replace(patient, license=missing))

    assert (finding.status, finding.detail) == (
        Status.SKIP,
        "The vendor's root keys are not there.",
    )


def test_it_looks_at_the_addresses_of_this_machine(patient: Patient) -> None:
    own = list(own_addresses())
    sold = replace(SOLD, network_mode="enforce", networks=tuple(str(one) for one in own))

    finding = networks(replace(patient, license=lambda _settings: sold))

    assert finding.status is (Status.PASS if own else Status.SKIP)
    assert not [one for one in own if one.is_loopback]
