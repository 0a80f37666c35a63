"""Whether the licence on this server's disk covers a release, asked before an upgrade and never at start.

It reads the folder as it lies there and changes nothing: the old release may be running.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from licensing.client.reopen import reopen
from licensing.client.store import Store
from licensing.document.errors import DocumentError
from licensing.document.keyset import load_root_file
from licensing.document.license import Kind, License
from server.core.config import Settings


@dataclass(frozen=True)
class Coverage:
    """What the licence says about a release. `until` is None where maintenance plays no part."""

    covered: bool
    license_id: str | None = None
    until: date | None = None


def judge_release(sold: License | None, built_on: date) -> Coverage:
    """Return whether a release of this day may be installed: only perpetual licences have a last day.

    The day of the release counts as it began, in the time of Greenwich, as the vendor reckons it.
    """
    if sold is None:
        return Coverage(covered=True)
    if sold.kind is not Kind.PERPETUAL or sold.maintenance_until is None:
        return Coverage(covered=True, license_id=sold.license_id)
    built_at = int(datetime(built_on.year, built_on.month, built_on.day, tzinfo=UTC).timestamp())
    until = datetime.fromtimestamp(sold.maintenance_until, _place(sold.tz)).date()
    return Coverage(built_at <= sold.maintenance_until, sold.license_id, until)


def _place(zone: str) -> tzinfo:
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def coverage(settings: Settings, built_on: date) -> Coverage:
    """Return whether the licence that lies in this home covers a release of this day."""
    return judge_release(_held_license(settings), built_on)


def _held_license(settings: Settings) -> License | None:
    if not settings.license_dir.is_dir():
        return None
    try:
        pinned = load_root_file(settings.trust_root.read_bytes())
    except (OSError, DocumentError):
        return None  # told by other checks, and no reason to keep a release out
    return reopen(Store(settings.license_dir).load(), pinned).snapshot.license
