"""The check of the licence's maintenance, before a newer release takes the place of the present one."""

from datetime import date

from installer.checks import Finding, failed, passed, skipped
from installer.preflight.plan import PreflightPlan
from server.activation.maintenance import Coverage, coverage
from server.core.config import load_settings
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.core.version import BUILT_ON, VERSION


def covers_this_release(plan: PreflightPlan) -> Finding:
    """Fail when the licence that is installed here was bought with maintenance that ended before this build."""
    return covers(plan, BUILT_ON)


def covers(plan: PreflightPlan, built_on: date) -> Finding:
    """Judge a release of this day by the licence in the planned home."""
    if not (plan.home / "daftar.toml").exists():
        return skipped(_("There is no installation here yet."))
    try:
        found = coverage(load_settings(plan.home), built_on)
    except DaftarError as refusal:
        return skipped(refusal.message)
    return _told(found, built_on)


def _told(found: Coverage, built_on: date) -> Finding:
    if found.license_id is None:
        return skipped(_("No licence is activated here yet."))
    if found.until is None:
        return passed(_("Every release is part of this licence while its term runs."))
    if found.covered:
        return passed(
            _(
                "Version %(version)s was built on %(built)s; maintenance runs until %(until)s.",
                version=VERSION,
                built=built_on.isoformat(),
                until=found.until.isoformat(),
            )
        )
    return failed(
        _(
            "Version %(version)s was built on %(built)s, after the maintenance of the licence "
            "%(id)s, which ended on %(until)s.",
            version=VERSION,
            built=built_on.isoformat(),
            id=found.license_id,
            until=found.until.isoformat(),
        ),
        _(
            "Keep the release you have: it goes on working for good. "
            "Or renew the maintenance with your vendor, then run “daftar license check-in”."
        ),
    )
