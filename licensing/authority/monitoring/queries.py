"""The figures that a monitoring program asks for, each as it is now. Every count reads an index alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.audit.models import TrailHead
from licensing.authority.licenses.models import Flag, LicenseRecord
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from server.core.ledger import ONLY_ROW
from server.core.schedule import JobState


@dataclass(frozen=True)
class Gauge:
    """One family of figures by the values of one label; without a label its name is empty."""

    name: str
    help: str
    label: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def of_the_house(session: Session) -> Iterator[Gauge]:
    """Yield what the database knows."""
    yield Gauge(
        "daftar_authority_licenses",
        "Licences, by what the vendor decided about them.",
        "status",
        _counts(session, LicenseRecord.status, LicenseStatus),
    )
    yield Gauge(
        "daftar_authority_activations",
        "Activations, by whether they live or how they ended.",
        "status",
        _counts(session, ActivationRecord.status, ActivationStatus),
    )
    yield Gauge(
        "daftar_authority_flags_open",
        "What somebody at the vendor should look at.",
        "kind",
        _open_flags(session),
    )
    yield from _jobs(session)
    head = session.get(TrailHead, ONLY_ROW)
    if head is not None and head.verified_at is not None:
        yield Gauge(
            "daftar_authority_audit_trail_whole",
            "0 when the last look at the audit chain found it broken, else 1.",
            figures={"": float(head.broken_at is None)},
        )


Word = TypeVar("Word", bound=StrEnum)


def _counts(
    session: Session, column: InstrumentedAttribute[Word], words: type[Word]
) -> dict[str, float]:
    found = dict(session.execute(select(column, func.count()).group_by(column)).all())
    return {word.value: float(found.get(word, 0)) for word in words}


def _open_flags(session: Session) -> dict[str, float]:
    query = select(Flag.kind, func.count()).where(Flag.resolved_at.is_(None)).group_by(Flag.kind)
    found = dict(session.execute(query).all())
    return {kind.value: float(found.get(kind, 0)) for kind in FlagKind}


def _jobs(session: Session) -> Iterator[Gauge]:
    jobs = session.scalars(select(JobState).order_by(JobState.name)).all()
    yield Gauge(
        "daftar_authority_job_last_run_ok",
        "1 when the job's last run went well, else 0.",
        "job",
        {job.name: float(job.ok) for job in jobs if job.ok is not None},
    )
    yield Gauge(
        "daftar_authority_job_last_run_timestamp_seconds",
        "When the job last ended.",
        "job",
        {job.name: job.finished_at.timestamp() for job in jobs if job.finished_at is not None},
    )
