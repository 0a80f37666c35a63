"""The machine itself. Faults that cannot be planted are handed to the judging functions."""

import pytest

from installer.checks import Status
from installer.preflight.host import (
    judge_libraries,
    judge_memory,
    judge_processors,
    judge_python,
    judge_system,
    judge_time,
    rights,
)
from installer.preflight.plan import Mode, PreflightPlan


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian 12"}, Status.PASS),
        ({"ID": "debian", "VERSION_ID": "13"}, Status.PASS),
        ({"ID": "ubuntu", "VERSION_ID": "24.04"}, Status.PASS),
        ({"ID": "ubuntu", "VERSION_ID": "20.04"}, Status.WARN),
        ({"ID": "debian", "VERSION_ID": "11"}, Status.WARN),
        ({"ID": "debian", "PRETTY_NAME": "Debian sid"}, Status.WARN),
        ({"ID": "alpine", "VERSION_ID": "3.20"}, Status.WARN),
        ({}, Status.WARN),
    ],
)
def test_debian_and_ubuntu_pass_and_others_warn(facts: dict[str, str], status: Status) -> None:
    assert judge_system(facts).status is status


def test_one_processor_is_a_warning() -> None:
    assert judge_processors(1).status is Status.WARN
    assert judge_processors(2).status is Status.PASS


def test_too_little_memory_fails_and_a_little_more_warns() -> None:
    assert judge_memory(512).status is Status.FAIL
    assert judge_memory(1024).status is Status.WARN
    assert judge_memory(4096).status is Status.PASS


def test_an_old_python_fails_with_the_command_that_mends_it() -> None:
    finding = judge_python((3, 9))

    assert finding.status is Status.FAIL
    assert finding.fix == "apt-get install python3.11"


def test_a_missing_library_is_named_with_its_package() -> None:
    finding = judge_libraries(["libpango-1.0.so.0"])

    assert finding.status is Status.FAIL
    assert "libpango-1.0.so.0" in finding.detail
    assert "libpango-1.0-0" in finding.fix


def test_an_unknown_clock_is_not_a_synchronised_clock() -> None:
    assert judge_time("", synchronised=None).status is Status.WARN
    assert judge_time("chronyc", synchronised=False).status is Status.WARN
    assert judge_time("chronyc", synchronised=True).status is Status.PASS


def test_one_users_installation_needs_no_root(plan: PreflightPlan) -> None:
    assert plan.mode is Mode.USER
    assert rights(plan).status is Status.SKIP
