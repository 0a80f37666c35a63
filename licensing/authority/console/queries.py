"""What the first page of the console brings together: what needs somebody, and a few figures."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from licensing.authority.activations.lists import (
    ActivationRow,
    LicenseRow,
    list_activations,
    list_licenses,
)
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.licenses.lists import FlagRow, list_flags
from licensing.authority.licenses.models import Flag
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from server.core.clock import rfc3339
from server.core.listing import Filter, ListQuery, Page

ENDING_DAYS = 30
SILENT_DAYS = 7  # from then on the customer's own administrators are told as well
SHOWN = 6


@dataclass(frozen=True)
class Overview:
    """Pages of a few rows with their totals; `flags` counts what is open by kind."""

    flags: dict[FlagKind, int]
    worst: Page[FlagRow]
    ending: Page[LicenseRow]
    silent: Page[ActivationRow]
    latest: Page[ActivationRow]
    in_force: Page[LicenseRow]


def overview(session: Session, now: datetime) -> Overview:
    """Return what the first page shows; the number of queries is fixed."""
    return Overview(
        flags=count_flags(session),
        worst=list_flags(session, ListQuery(filters=(Filter("open", "eq", "1"),), limit=SHOWN)),
        ending=list_licenses(session, _ending(now)),
        silent=list_activations(session, silent_since(now - timedelta(days=SILENT_DAYS))),
        latest=list_activations(session, _active("-last_seen_at", SHOWN)),
        in_force=list_licenses(session, _in_force(1)),
    )


def count_flags(session: Session) -> dict[FlagKind, int]:
    """Count the open flags by their kind."""
    query = select(Flag.kind, func.count()).where(Flag.resolved_at.is_(None)).group_by(Flag.kind)
    return {row[0]: row[1] for row in session.execute(query)}


def _in_force(limit: int) -> ListQuery:
    return ListQuery(filters=(Filter("status", "eq", LicenseStatus.OK.value),), limit=limit)


def _ending(now: datetime) -> ListQuery:
    until = now + timedelta(days=ENDING_DAYS)
    window = (
        Filter("status", "eq", LicenseStatus.OK.value),
        Filter("expires_at", "gte", rfc3339(now)),
        Filter("expires_at", "lte", rfc3339(until)),
    )
    return ListQuery(filters=window, sort="expires_at", limit=SHOWN)


def _active(sort: str, limit: int) -> ListQuery:
    is_active = Filter("status", "eq", ActivationStatus.ACTIVE.value)
    return ListQuery(filters=(is_active,), sort=sort, limit=limit)


def silent_since(moment: datetime) -> ListQuery:
    """Ask for active servers that were not heard of since then, the longest silent first."""
    window = (
        Filter("status", "eq", ActivationStatus.ACTIVE.value),
        Filter("last_seen_at", "lt", rfc3339(moment.astimezone(UTC))),
    )
    return ListQuery(filters=window, sort="last_seen_at", limit=SHOWN)
