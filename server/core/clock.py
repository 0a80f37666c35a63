"""The one clock. Nothing else in the house asks the operating system for the date."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def timestamp() -> int:
    """Return the present moment as whole Unix seconds."""
    return int(now().timestamp())


def monotonic() -> float:
    """Return seconds of a clock that no administrator can turn back."""
    return time.monotonic()


def rfc3339(moment: datetime) -> str:
    """Return the moment as RFC 3339 in UTC with `Z` and whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
