"""JSON shapes of full exports."""

from server.core.clock import rfc3339
from server.exports.models import Export
from server.exports.rules import KEPT_FOR, ExportStatus
from server.http.rest import ListShown, Shown

_MOMENTS = ("created_at", "started_at", "finished_at")


class ExportShown(Shown):
    """A full export as the API tells it. `counts` are rows by file; the file is kept until `kept_until`."""

    id: int
    status: str
    done: int
    rows: int
    counts: dict[str, int]
    bytes: int
    sha256: str
    error: str
    created_by_id: int | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    kept_until: str | None


class ExportList(ListShown):
    """One page of exports."""

    items: list[ExportShown]


def show_export(found: Export) -> dict[str, object]:
    """Return the JSON object of an export."""
    plain = ("id", "status", "done", "rows", "bytes", "sha256", "error", "created_by_id")
    moments = {name: getattr(found, name) for name in _MOMENTS}
    ready = found.status is ExportStatus.DONE and found.finished_at is not None
    return {
        **{name: getattr(found, name) for name in plain},
        "counts": dict(found.counts),
        **{name: rfc3339(moment) if moment else None for name, moment in moments.items()},
        "kept_until": rfc3339(found.finished_at + KEPT_FOR)
        if ready and found.finished_at
        else None,
    }
