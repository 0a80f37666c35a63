"""A check and what it found: the shape shared by preflight and doctor. What is checked is theirs.

A check that cannot find out says `skip` or `warn`; unknown never counts as passed.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from installer.forms.form import CheckStatus, HostCheck
from server.core.i18n import gettext as _

log = logging.getLogger(__name__)
P = TypeVar("P")


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Finding:
    """What a check found, and the command or step that mends it (empty when nothing is wrong)."""

    status: Status
    detail: str
    fix: str = ""


@dataclass(frozen=True)
class Check(Generic[P]):
    """One check as data. `title` and `why` are marked msgids, translated when it is run."""

    id: str
    title: str
    why: str
    run: Callable[[P], Finding]


@dataclass(frozen=True)
class CheckResult:
    """One check after it ran, in the reader's language."""

    id: str
    title: str
    status: Status
    detail: str
    why: str
    fix: str


@dataclass(frozen=True)
class CheckReport:
    """All results in their order."""

    checks: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """Return whether nothing failed; warnings and skipped checks do not stop anybody."""
        return all(check.status is not Status.FAIL for check in self.checks)

    def to_json(self) -> str:
        """Return `{"ok", "checks": [{"id", "title", "status", "detail", "fix"}]}` as one document."""
        rows = [
            {
                "id": check.id,
                "title": check.title,
                "status": check.status.value,
                "detail": check.detail,
                "fix": check.fix,
            }
            for check in self.checks
        ]
        return json.dumps({"ok": self.ok, "checks": rows}, ensure_ascii=False)

    def evidence(self) -> tuple[HostCheck, ...]:
        """Return the results as the delivery forms keep them."""
        return tuple(
            HostCheck(check.id, check.title, CheckStatus(check.status.value), check.detail)
            for check in self.checks
        )


def passed(detail: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Status.PASS, detail)


def warned(detail: str, fix: str) -> Finding:
    """Return a finding that works, but not as it should."""
    return Finding(Status.WARN, detail, fix)


def failed(detail: str, fix: str) -> Finding:
    """Return a finding that has to be mended first."""
    return Finding(Status.FAIL, detail, fix)


def skipped(detail: str) -> Finding:
    """Return a finding that there was nothing to check here."""
    return Finding(Status.SKIP, detail)


def run_checks(
    checks: Iterable[Check[P]],
    subject: P,
    progress: Callable[[CheckResult], None] | None = None,
) -> CheckReport:
    """Run the checks one after another; `progress` hears of each result as it comes."""
    results = []
    for check in checks:
        result = _run(check, subject)
        if progress is not None:
            progress(result)
        results.append(result)
    return CheckReport(tuple(results))


def titles(checks: Iterable[Check[P]]) -> Mapping[str, str]:
    """Return the titles by id in the reader's language, for printing older results."""
    return {check.id: _(check.title) for check in checks}


def _run(check: Check[P], subject: P) -> CheckResult:
    try:
        finding = check.run(subject)
    except Exception as error:  # one broken check must not hide the others' findings
        log.warning("check %s could not be made", check.id, exc_info=True)
        finding = warned(
            _("This could not be checked: %(error)s", error=str(error) or type(error).__name__),
            _("Look at it by hand before you go on."),
        )
    return CheckResult(
        id=check.id,
        title=_(check.title),
        status=finding.status,
        detail=finding.detail,
        why=_(check.why),
        fix=finding.fix,
    )
