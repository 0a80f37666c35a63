"""What the audit trail keeps of a change, what it must never keep, and how entries are chained."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from server.core.links import Break, Fault, exact_hash

__all__ = ["Break", "Fault", "Trail", "digest_of", "readable", "worth_keeping"]

# What follows from other fields, or says what every entry of the trail says itself.
SILENT = frozenset(
    {
        "version",
        "updated_at",
        "created_at",
        "created_by_id",
        "search_text",
        "board_position",
        "name_key",
        "email_key",
        "is_open",
        "at",
    }
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


# The chain. A link covers the link before it, who did what to which record and when, and a salted
# digest of the values, so that erasing a person can delete values and salt and leave the chain whole.


def digest_of(salt: str, user_name: str, changes: Mapping[str, object]) -> str:
    """Return the salted digest of what an entry says about people."""
    return exact_hash([user_name, dict(changes)], salt)


@dataclass(frozen=True)
class Trail:
    """What a look at the whole chain found. Entries that wait for their seal break nothing."""

    sealed: int
    unsealed: int
    erased: int
    head: str
    broken: Break | None = None

    @property
    def whole(self) -> bool:
        """Tell whether every sealed entry is what it was."""
        return self.broken is None
