"""What runs by the clock: the list of jobs. Each job's work lives in its own slice."""

import logging
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from server.activation.service import LicenseOffice
from server.activities.service import purge_activities
from server.audit.chain import seal_all, verify_and_remember
from server.backups.places import Carrier
from server.backups.service import BackupOffice
from server.backups.worker import Worker
from server.companies.service import purge_companies
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.bin import empty_bin
from server.core.config import Settings
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from server.core.postman import Postman, carriers, forget_settled
from server.core.schedule import Job, daily, every
from server.deals.service import purge_deals, purge_pipelines, purge_stages
from server.exchange.desk import ImportDesk
from server.exchange.service import workshop
from server.exports.desk import ExportDesk
from server.notices.mornings import MorningWriter
from server.notices.service import Warner
from server.people.service import purge_people
from server.users.queries import get_user
from server.users.rules import UserStatus
from server.users.seat_history import count_anew, forget_old_days, note_day
from server.users.sign_in import actor_for

log = logging.getLogger(__name__)

SEAL = timedelta(seconds=5)
SEND = timedelta(seconds=5)
WARN = timedelta(minutes=15)
WORK = timedelta(seconds=2)  # somebody waits before a page that shows the progress

# Who refers to others goes before them: what went frees what it belonged to on the same night.
PURGES = {
    "activity": purge_activities,
    "deal": purge_deals,
    "stage": purge_stages,
    "pipeline": purge_pipelines,
    "person": purge_people,
    "company": purge_companies,
}


def jobs(settings: Settings, database: Database, office: LicenseOffice) -> list[Job]:
    """Return every job of the CRM."""
    zone = settings.organization.timezone
    minute = every(timedelta(minutes=1))
    backups = Worker(BackupOffice(settings, database), database)
    mornings = MorningWriter(settings, database)
    imports = ImportDesk(workshop(settings, database), office.board, _actor_of)
    exports = ExportDesk(settings, database, office, _actor_of)
    carrying = carriers(
        settings.mail, settings.sms, home=settings.home, secrets_dir=settings.secrets
    )
    postman = Postman(database, carrying)
    return [
        Job("license.tick", minute, office.tick, at_start=True),
        Job("license.check_in", minute, office.check_in_if_due, at_start=True),
        Job("backups.daily", daily(settings.backup.time, zone), backups.ask_daily),
        Job("backups.look", minute, backups.look, at_start=True),
        Job("backups.work", every(WORK), backups.keep_going, at_start=True),
        *Carrier(BackupOffice(settings, database)).jobs(),
        Job("imports.run", every(WORK), imports.work, at_start=True),
        Job("license.warn", every(WARN), Warner(settings, database, office).warn, at_start=True),
        Job("backups.letter", every(WARN), mornings.write, at_start=True),
        Job("letters.send", every(SEND), postman.keep_going, at_start=True),
        Job("letters.forget", daily("03:50", zone), lambda: _forget_letters(database)),
        Job("exports.write", every(WORK), exports.keep_going, at_start=True),
        Job("exports.expire", every(timedelta(hours=1)), exports.expire),
        Job("audit.seal", every(SEAL), lambda: _seal(database), at_start=True),
        Job("audit.verify", daily("04:10", zone), lambda: _verify(database)),
        Job("bin.empty", daily("03:00", zone), lambda: purge_bin(database, office.board)),
        Job("users.seats", minute, lambda: _note_day(database, zone), at_start=True),
        Job("users.reconcile_seats", daily("03:30", zone), lambda: _reconcile(database, zone)),
    ]


def purge_bin(database: Database, board: EntitlementsBoard) -> None:
    """Remove for good what waited in the bin for 30 days, unless the licence lets nobody change records."""
    gone = empty_bin(database, board, PURGES)
    log.info("Removed for good from the bin: %s.", gone)
    if not board.verdict.may_write:
        log.warning("Nothing leaves the bin while the licence lets nobody change records.")


def _actor_of(session: Session, user_id: int | None) -> Actor:
    """Return who asked for the work; nobody once the account is out of use, the system for its own."""
    if user_id is None:
        return SYSTEM
    user = get_user(session, SYSTEM, user_id)
    return (
        actor_for(user) if user.status is UserStatus.ACTIVE else Actor(user.id, user.display_name)
    )


def _seal(database: Database) -> None:
    seal_all(database)


def _verify(database: Database) -> None:
    verify_and_remember(database)


def _forget_letters(database: Database) -> None:
    log.info("Forgot %s messages that were settled long ago.", forget_settled(database))


def _note_day(database: Database, zone: str) -> None:
    with database.write(SYSTEM) as session:
        note_day(session, _today(zone))


def _reconcile(database: Database, zone: str) -> None:
    with database.write(SYSTEM) as session:
        count_anew(session)
        forget_old_days(session, _today(zone))


def _today(zone: str) -> date:
    return clock.now().astimezone(ZoneInfo(zone)).date()
