"""What the audit trail keeps of a change, and what it must never keep."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum

SILENT = frozenset(
    {"version", "updated_at", "created_at", "created_by_id", "search_text", "board_position"}
)
SECRET = frozenset({"password_hash", "token_hash"})
HIDDEN = "•••"


def readable(value: object) -> object:
    """Return a value as JSON can keep it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return str(value)


def worth_keeping(changes: Mapping[str, tuple[object, object]]) -> dict[str, list[object]]:
    """Return the fields whose change a person would ask about, secrets hidden."""
    return {
        name: [HIDDEN, HIDDEN] if name in SECRET else [readable(before), readable(after)]
        for name, (before, after) in changes.items()
        if name not in SILENT and before != after
    }
