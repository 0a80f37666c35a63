"""JSON shapes of the audit trail."""

from typing import Any

from server.audit.models import AuditEntry
from server.audit.queries import SealState
from server.core.clock import rfc3339
from server.http.rest import ListShown, Shown


class EntryShown(Shown):
    """One change. `changes` maps a field to its value before and after; `link` seals the entry."""

    id: int
    at: str
    user_id: int | None
    user_name: str
    action: str
    kind: str
    record_id: int | None
    changes: dict[str, Any]
    erased: bool
    position: int | None
    link: str | None


class EntryList(ListShown):
    """One page of the trail."""

    items: list[EntryShown]


class SealShown(Shown):
    """How far the trail is sealed, and what the last look at the whole chain found."""

    sealed: int
    unsealed: int
    head: str
    verified_at: str | None
    verified: int | None
    broken_at: int | None


def show_entry(entry: AuditEntry) -> dict[str, object]:
    """Return the JSON object of an entry."""
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "user_id": entry.user_id,
        "user_name": entry.user_name,
        "action": entry.action,
        "kind": entry.kind,
        "record_id": entry.record_id,
        "changes": entry.changes,
        "erased": entry.salt is None,
        "position": entry.position,
        "link": entry.link,
    }


def show_seal(state: SealState) -> dict[str, object]:
    """Return the JSON object of the seal."""
    return {
        "sealed": state.sealed,
        "unsealed": state.unsealed,
        "head": state.head,
        "verified_at": rfc3339(state.verified_at) if state.verified_at else None,
        "verified": state.verified,
        "broken_at": state.broken_at,
    }
