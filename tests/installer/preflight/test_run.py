"""The preflight as a whole: its report, and that it changes nothing."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

from installer.checks import Check, CheckResult, Finding, Status, passed, run_checks
from installer.preflight.plan import PreflightPlan
from installer.preflight.run import CHECKS, preflight_titles, run_preflight


def broken(_plan: PreflightPlan) -> Finding:
    raise ValueError("the machine is odd")


def test_a_sound_machine_is_ok(plan: PreflightPlan) -> None:
    report = run_preflight(plan)

    failures = [check for check in report.checks if check.status is Status.FAIL]
    assert report.ok, failures


def test_one_failed_check_makes_the_report_not_ok(plan: PreflightPlan) -> None:
    with socket.create_server((plan.host, plan.port)):
        report = run_preflight(plan)

    assert not report.ok
    assert [check.id for check in report.checks if check.status is Status.FAIL] == ["port"]


def test_the_json_has_exactly_the_promised_fields(plan: PreflightPlan) -> None:
    document = json.loads(run_preflight(plan).to_json())

    assert set(document) == {"ok", "checks"}
    for check in document["checks"]:
        assert set(check) == {"id", "title", "status", "detail", "fix"}
        assert check["status"] in {"pass", "warn", "fail", "skip"}


def test_everything_that_is_not_well_has_a_fix(plan: PreflightPlan) -> None:
    plan.home.write_text("in the way", encoding="utf-8")

    for check in run_preflight(plan).checks:
        assert check.title
        assert check.why
        if check.status in {Status.WARN, Status.FAIL}:
            assert check.fix, check.id


def test_a_check_that_breaks_does_not_pass_and_does_not_hide_the_others(
    plan: PreflightPlan,
) -> None:
    checks: tuple[Check[PreflightPlan], ...] = (
        Check("broken", "Broken", "Why", broken),
        Check("sound", "Sound", "Why", lambda _plan: passed("well")),
    )

    report = run_checks(checks, plan)

    assert [check.status for check in report.checks] == [Status.WARN, Status.PASS]
    assert "the machine is odd" in report.checks[0].detail


def test_progress_hears_of_every_check(plan: PreflightPlan) -> None:
    heard: list[CheckResult] = []

    report = run_preflight(plan, heard.append)

    assert tuple(heard) == report.checks


def test_identifiers_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert set(preflight_titles()) == {check.id for check in CHECKS}


def test_results_can_be_kept_as_evidence_of_the_checklist(plan: PreflightPlan) -> None:
    report = run_preflight(plan)

    assert [check.id for check in report.evidence()] == [check.id for check in report.checks]


def test_looking_changes_nothing(
    plan: PreflightPlan, tmp_path: Path, inodes: Callable[[Path], list[Path]]
) -> None:
    run_preflight(plan)

    assert inodes(tmp_path) == []
