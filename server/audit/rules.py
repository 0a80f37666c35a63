"""What the audit trail keeps of a change, what it must never keep, and how entries are chained."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, StrEnum

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

FIRST_LINK = "0" * 64


@dataclass(frozen=True)
class Fact:
    """What a link says openly of an entry: no value of any field."""

    entry_id: int
    at: datetime
    user_id: int | None
    action: str
    kind: str
    record_id: int | None


def _exact(value: object) -> object:
    # The two databases write one number in two ways: 1.0 and 1, 1e3 and 1000.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(name): _exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    return value


def _hash(value: object, salt: str = "") -> str:
    text = json.dumps(_exact(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def digest_of(salt: str, user_name: str, changes: Mapping[str, object]) -> str:
    """Return the salted digest of what an entry says about people."""
    return _hash([user_name, dict(changes)], salt)


def link_of(before: str, position: int, fact: Fact, digest: str) -> str:
    """Return the link of the entry at this position, which follows the link before it."""
    moment = fact.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = [fact.entry_id, moment, fact.user_id, fact.action, fact.kind, fact.record_id]
    return _hash([before, position, *told, digest])


class Fault(StrEnum):
    """What a look at the chain can find wrong."""

    CHANGED = "changed"  # the values are not those that were sealed
    MOVED = "moved"  # the link does not follow from the entry before
    MISSING = "missing"  # a sealed entry is gone
    EMPTIED = "emptied"  # values and salt are gone, and no erasure was noted


@dataclass(frozen=True)
class Break:
    """Where the chain is broken first."""

    position: int
    fault: Fault


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
