"""Checks of the database: reachable, whole, of the right shape, with a living scheduler."""

from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from installer.checks import Finding, failed, passed, skipped, warned
from installer.doctor.patient import opened
from server.core import clock
from server.core.config import Settings
from server.core.db import Database
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.core.schedule import SchedulerLease, job_states
from server.migrations.run import head

SCHEDULER = "scheduler"


def reachable(settings: Settings) -> Finding:
    """Fail when the database does not answer."""
    try:
        with opened(settings) as database, database.read() as session:
            session.execute(text("SELECT 1"))
            return passed(database.engine.url.render_as_string(hide_password=True))
    except Missing as error:
        return failed(error.message, "daftar backup list")
    except SQLAlchemyError as error:
        return failed(
            _("The database does not answer: %(why)s.", why=_reason(error)),
            _("Start the database server, or correct [database] url."),
        )


def whole(settings: Settings) -> Finding:
    """Fail when SQLite's own check finds the file damaged."""
    return _with_database(settings, _whole)


def _whole(database: Database) -> Finding:
    if database.dialect != "sqlite":
        return skipped(_("PostgreSQL watches over its own files; see its log."))
    with database.read() as session:
        found = [str(row[0]) for row in session.execute(text("PRAGMA quick_check(5)"))]
    if found != ["ok"]:
        return failed(
            _("The database file is damaged: %(found)s.", found="; ".join(found)),
            "daftar backup restore ID",
        )
    return passed(_("SQLite finds the file whole."))


def newest_shape(settings: Settings) -> Finding:
    """Fail when the database has another shape than this release needs."""
    return _with_database(settings, _newest_shape)


def _newest_shape(database: Database) -> Finding:
    with database.read() as session:
        found = list(session.scalars(text("SELECT version_num FROM alembic_version")))
    if found != [head()]:
        return failed(
            _(
                "The database is at revision %(found)s, this release needs %(head)s.",
                found=", ".join(found) or "–",
                head=head(),
            ),
            "daftar db upgrade",
        )
    return passed(head())


def scheduler(settings: Settings) -> Finding:
    """Fail when nobody holds the scheduler's lease: then no backup and no reminder is made."""
    return _with_database(settings, _scheduler)


def _scheduler(database: Database) -> Finding:
    fix = _("Start the service: `systemctl restart daftar`, or `daftar serve`.")
    with database.read() as session:
        lease = session.get(SchedulerLease, SCHEDULER)
    if lease is None:
        return failed(_("The scheduler has never run."), fix)
    if lease.expires_at <= clock.now():
        since = clock.rfc3339(lease.expires_at)
        return failed(_("The scheduler has not run since %(moment)s.", moment=since), fix)
    return passed(lease.holder)


def jobs(settings: Settings) -> Finding:
    """Warn when a job of the clock ended badly the last time."""
    return _with_database(settings, _jobs)


def _jobs(database: Database) -> Finding:
    states = job_states(database)
    bad = [f"{name}: {state.error}" for name, state in states.items() if state.ok is False]
    if bad:
        return warned(
            _("These jobs failed the last time: %(jobs)s.", jobs="; ".join(bad)), "daftar logs"
        )
    if not states:
        return skipped(_("No job has run yet."))
    return passed(", ".join(sorted(states)))


def _with_database(settings: Settings, check: Callable[[Database], Finding]) -> Finding:
    try:
        with opened(settings) as database:
            return check(database)
    except (Missing, SQLAlchemyError) as error:
        why = error.message if isinstance(error, Missing) else _reason(error)
        return failed(
            _("The database could not be asked: %(why)s", why=why),
            _("Mend what the check of the database says."),
        )


def _reason(error: SQLAlchemyError) -> str:
    """Return the driver's own words, without the statement and its values."""
    cause = getattr(error, "orig", None)
    lines = str(cause if cause is not None else error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
