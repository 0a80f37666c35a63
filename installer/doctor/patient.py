"""The installation that is examined, and how checks get at its settings and database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from backup.report import Standing
from installer.checks import Finding, skipped
from installer.preflight.plan import PreflightPlan
from server.core.config import Settings, load_settings
from server.core.db import Database
from server.core.entitlements import Entitlements
from server.core.errors import DaftarError, Missing
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Patient:
    """An installation, or the sentence that says why its configuration cannot be read.

    `license` and `backups` are asked by their checks; whoever opens the installation hands them
    over, and leaves them out where there is nothing to ask.
    """

    home: Path
    settings: Settings | None
    problem: str = ""
    license: Callable[[Settings], Entitlements] | None = None
    backups: Callable[[Settings], Standing] | None = None


def admit(
    home: Path,
    *,
    license: Callable[[Settings], Entitlements] | None = None,  # noqa: A002 - the trade's word
    backups: Callable[[Settings], Standing] | None = None,
) -> Patient:
    """Read the configuration of a home; a wrong one is kept as the first thing that is wrong."""
    try:
        return Patient(home, load_settings(home), license=license, backups=backups)
    except DaftarError as error:
        return Patient(home, None, error.message, license=license, backups=backups)


def on_settings(check: Callable[[Settings], Finding]) -> Callable[[Patient], Finding]:
    """Return the check for patients; without settings there is nothing it could look at."""

    def run(patient: Patient) -> Finding:
        if patient.settings is None:
            return skipped(_("The configuration has to be mended first."))
        return check(patient.settings)

    return run


def on_plan(check: Callable[[PreflightPlan], Finding]) -> Callable[[Patient], Finding]:
    """Return a check of the preflight for patients."""
    return on_settings(lambda settings: check(plan_of(settings)))


def plan_of(settings: Settings) -> PreflightPlan:
    """Return the places and addresses of an installation as the preflight knows them."""
    return PreflightPlan(
        home=settings.home,
        data=settings.data,
        backups=settings.backups,
        host=settings.web.host,
        port=settings.web.port,
        authority_urls=settings.license.authority_urls,
        ca_bundle=settings.license.ca_bundle,
        database_url=settings.database.url,
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database for reading; raise Missing when its file is not there, and never make one."""
    address = make_url(settings.database_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
        raise Missing(_("The database file %(path)s is not there.", path=address.database))
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.dispose()
