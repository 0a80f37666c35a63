"""Reading the figures, each at the moment it is asked for, so that every process says the same."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from server.activation.queries import license_status
from server.activation.rules import LicenseStatus
from server.audit.queries import seal_state
from server.backups.models import BackupSet
from server.backups.queries import newest_set, newest_verified
from server.companies.models import Company
from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.entitlements import Entitlements
from server.core.schedule import JobState
from server.core.version import VERSION
from server.deals.models import Deal
from server.metrics import rules
from server.metrics.rules import Sample
from server.people.models import Person
from server.users.queries import (
    count_failures,
    device_seats,
    peak_devices,
    reserved_slots,
    seats,
)
from server.users.rules import UserKind

if TYPE_CHECKING:  # the office is handed over, open
    from server.activation.service import LicenseOffice

Counted = type[Company] | type[Person] | type[Deal]

# Activities are not among them: no index holds all of them, and counting would read every one.
KINDS: tuple[Counted, ...] = (Company, Person, Deal)
SIZE = {
    "sqlite": text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
    "postgresql": text("SELECT pg_database_size(current_database())"),
}


def of_the_process(verdict: Entitlements) -> list[Sample]:
    """Return what is known without the database: the version, and that the database is away."""
    return [
        Sample(rules.BUILD, 1, {"version": VERSION}),
        Sample(rules.UP, 0),
        *_license(verdict),
    ]


def of_the_house(
    database: Database, verdict: Entitlements, office: "LicenseOffice | None"
) -> list[Sample]:
    """Return every figure of one consistent moment."""
    with database.read() as session:
        now_holds = verdict if office is None else license_status(session, SYSTEM, office)
        return [
            Sample(rules.BUILD, 1, {"version": VERSION}),
            Sample(rules.UP, 1),
            *_license(now_holds),
            *_seats(session),
            *_devices(session),
            *_backups(session),
            *_jobs(session),
            *_trail(session),
            Sample(rules.DATABASE_SIZE, session.scalar(SIZE[database.dialect]) or 0),
            Sample(rules.FAILURES, count_failures(session)),
            *_records(session),
        ]


def _license(holds: LicenseStatus | Entitlements) -> Iterator[Sample]:
    yield from rules.modes(holds.mode)
    if holds.expires_at is not None:
        yield Sample(rules.LICENSE_EXPIRES, holds.expires_at.timestamp())
    if holds.last_contact_at is not None:
        yield Sample(rules.LICENSE_CONTACT, holds.last_contact_at.timestamp())


def _seats(session: Session) -> Iterator[Sample]:
    for kind, word in ((UserKind.HUMAN, "named"), (UserKind.SERVICE, "service")):
        counted = seats(session, kind)
        yield Sample(rules.SEATS_USED, counted.used, {"kind": word})
        yield Sample(rules.SEATS_CAP, counted.cap, {"kind": word})


def _devices(session: Session) -> Iterator[Sample]:
    counted = device_seats(session)
    yield Sample(rules.SEATS_USED, counted.used, {"kind": "concurrent"})
    yield Sample(rules.SEATS_CAP, counted.cap, {"kind": "concurrent"})
    yield Sample(rules.DEVICES_PEAK, peak_devices(session))
    yield Sample(rules.RESERVED_SLOT, reserved_slots(session))


def _backups(session: Session) -> Iterator[Sample]:
    found: tuple[tuple[str, BackupSet | None], ...] = (
        ("newest", newest_set(session, SYSTEM)),
        ("verified", newest_verified(session, SYSTEM)),
    )
    for which, backup in found:
        if backup is not None:
            age = (clock.now() - backup.created_at).total_seconds()
            yield Sample(rules.BACKUP_AGE, age, {"backup": which})
            yield from rules.backup_states(which, backup.state)


def _jobs(session: Session) -> Iterator[Sample]:
    for job in session.scalars(select(JobState).order_by(JobState.name)):
        labels = {"job": job.name}
        yield Sample(rules.JOB_NEXT, job.next_at.timestamp(), labels)
        if job.finished_at is not None:
            yield Sample(rules.JOB_FINISHED, job.finished_at.timestamp(), labels)
        if job.ok is not None:
            yield Sample(rules.JOB_OK, float(job.ok), labels)


def _trail(session: Session) -> Iterator[Sample]:
    seal = seal_state(session, SYSTEM)
    yield Sample(rules.UNSEALED, seal.unsealed)
    if seal.verified_at is not None:
        yield Sample(rules.TRAIL_WHOLE, float(seal.broken_at is None))


def _records(session: Session) -> Iterator[Sample]:
    for model in KINDS:
        everything, binned = counts(model)
        live = (session.scalar(everything) or 0) - (session.scalar(binned) or 0)
        yield Sample(rules.RECORDS, live, {"kind": model.__kind__})


def counts(model: Counted) -> tuple[Select[int], Select[int]]:
    """Return how to count all records and those in the bin; either reads an index and no record."""
    everything = select(func.count()).select_from(model)
    return everything, everything.where(model.deleted_at.is_not(None))
