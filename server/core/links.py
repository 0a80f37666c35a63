"""The links of a chain of entries: what is hashed, and what a look at the chain can find. Pure."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from server.core.i18n import gettext as _

FIRST_LINK = "0" * 64


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
class Head:
    """The newest sealed entry: how many there are, and its link."""

    position: int = 0
    link: str = FIRST_LINK


def _exact(value: object) -> object:
    # The two databases write one number in two ways: 1.0 and 1, 1e3 and 1000.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(name): _exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    return value


def exact_hash(value: object, salt: str = "") -> str:
    """Return the hash of a value of JSON, the same on both databases."""
    text = json.dumps(_exact(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def exact_moment(at: datetime) -> str:
    """Return a moment as it stands in a link."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def link_of(before: str, position: int, told: Sequence[object], digest: str) -> str:
    """Return the link of the entry at this position, which follows the link before it."""
    return exact_hash([before, position, *told, digest])


def broken_sentence(found: Break) -> str:
    """Return what is wrong with the trail, for people."""
    reasons = {
        Fault.CHANGED: _("its values are not those that were sealed"),
        Fault.MOVED: _("it does not follow from the entry before it"),
        Fault.MISSING: _("a sealed entry is missing"),
        Fault.EMPTIED: _("its values were taken out and no erasure was noted"),
    }
    return _(
        "The audit trail is broken at entry %(position)s: %(why)s. Somebody changed the database past "
        "Daftar. Compare it with the newest backup.",
        position=found.position,
        why=reasons[found.fault],
    )
