"""Checks of what runs: the web service, the licence, the backups, the authority."""

from dataclasses import replace

import requests

from installer.checks import Finding, Status, failed, passed, skipped, warned
from installer.doctor.patient import Patient, plan_of
from installer.preflight import authority
from installer.preflight.network import EVERYWHERE
from server.core.config import Settings
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.core.version import VERSION

TIMEOUT_S = 5.0
BACK_UP = "daftar backup run && daftar backup verify --latest"
HOUR_S = 3600
LATE_S = 26 * HOUR_S
TOO_LATE_S = 7 * 24 * HOUR_S


def web(settings: Settings) -> Finding:
    """Fail when nobody answers on the web service's port, warn when another release does."""
    host = EVERYWHERE.get(settings.web.host, settings.web.host)
    place = f"[{host}]" if ":" in host else host
    address = f"http://{place}:{settings.web.port}/healthz"
    start = _("Start the service: `systemctl restart daftar`, or `daftar serve`.")
    try:
        with requests.Session() as asking:
            asking.trust_env = False  # a proxy has no business between us and ourselves
            answer = asking.get(address, timeout=TIMEOUT_S)
        said = answer.json()
    except (requests.exceptions.RequestException, ValueError):
        return failed(_("Nobody of ours answers at %(address)s.", address=address), start)
    if answer.status_code != requests.codes.ok:
        part = said.get("part", "?") if isinstance(said, dict) else "?"
        return failed(
            _("The web service is unwell: %(part)s does not work.", part=part), "daftar logs"
        )
    found = said.get("version") if isinstance(said, dict) else None
    if found != VERSION:
        return warned(
            _("Release %(found)s runs, %(ours)s is installed.", found=found, ours=VERSION), start
        )
    return passed(_("%(address)s answers.", address=address))


def license_state(patient: Patient) -> Finding:
    """Fail when the licence stops work, warn when it is about to."""
    if patient.license is None or patient.settings is None:
        return skipped(_("The licence was not asked."))
    try:
        verdict = patient.license(patient.settings)
    except DaftarError as error:
        return failed(error.message, "daftar license status")
    detail = f"{verdict.mode} ({verdict.reason})"
    if verdict.mode == "ok":
        return passed(detail)
    if verdict.mode == "setup":
        return warned(_("No licence is active yet."), "daftar license activate CODE")
    judge = warned if verdict.may_write else failed
    fix = "daftar license check-in"
    if verdict.reason == "seats_over_cap":
        fix = _("Deactivate users (“daftar user deactivate EMAIL”), or buy more seats.")
    return judge(_("The licence says: %(state)s.", state=detail), fix)


def backup_age(patient: Patient) -> Finding:
    """Fail without a verified backup of the last week, warn when last night's is not verified."""
    if patient.backups is None or patient.settings is None:
        return skipped(_("The backups were not asked."))
    try:
        standing = patient.backups(patient.settings)
    except DaftarError as error:
        return failed(error.message, BACK_UP)
    return judge_backup(None if standing.verified is None else standing.age_seconds)


def judge_backup(age_seconds: int | None) -> Finding:
    """Judge the age of the newest verified backup, None when there is none."""
    if age_seconds is None:
        return failed(_("No backup has been verified by a real restore yet."), BACK_UP)
    detail = ngettext(
        "The last verified backup is %(n)s hour old.",
        "The last verified backup is %(n)s hours old.",
        age_seconds // HOUR_S,
    )
    if age_seconds > TOO_LATE_S:
        return failed(detail, BACK_UP)
    return warned(detail, BACK_UP) if age_seconds > LATE_S else passed(detail)


def authority_answers(settings: Settings) -> Finding:
    """Warn when the licence authority cannot be reached; the work goes on without it for weeks."""
    finding = authority.service_answers(plan_of(settings))
    return replace(finding, status=Status.WARN) if finding.status is Status.FAIL else finding
