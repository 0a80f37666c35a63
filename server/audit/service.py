"""Writing the audit trail: every flushed change of a record is noted in its own transaction.

Bulk statements pass the session by, so whoever uses them notes the change here in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import insert, inspect
from sqlalchemy.orm import Session

from server.audit.models import AuditEntry
from server.audit.rules import worth_keeping
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.db import Database, Record

_PENDING = "daftar_audit_pending"


class _Change(NamedTuple):
    record: Record
    action: str
    changes: dict[str, list[object]]


def watch(database: Database) -> None:
    """Note every change that this database's writers flush."""
    database.on_flush(_gather, "before_flush")
    database.on_flush(_write, "after_flush")


def kind_name(record: Record | type[Record]) -> str:
    """Return the word of a record's kind: its `__kind__`, else its table."""
    return str(getattr(record, "__kind__", getattr(record, "__tablename__", "")))


def _values(record: Record, *, created: bool) -> dict[str, tuple[object, object]]:
    found: dict[str, tuple[object, object]] = {}
    state = inspect(record)
    for attribute in state.mapper.column_attrs:
        history = state.attrs[attribute.key].history
        if history.has_changes():
            before = None if created or not history.deleted else history.deleted[0]
            found[attribute.key] = (before, history.added[0] if history.added else None)
    return found


def _action(created: bool, changes: Mapping[str, tuple[object, object]]) -> str:
    if created:
        return "create"
    if "deleted_at" in changes:
        return "delete" if changes["deleted_at"][1] is not None else "restore"
    return "update"


def _changes_of(session: Session) -> Iterator[_Change]:
    for created, records in ((True, session.new), (False, session.dirty)):
        for record in records:
            if isinstance(record, Record):
                values = _values(record, created=created)
                kept = worth_keeping(values)
                if kept:
                    yield _Change(record, _action(created, values), kept)
    for record in session.deleted:
        if isinstance(record, Record):
            yield _Change(record, "purge", {})


def _gather(session: Session, _context: Any, _instances: Any) -> None:
    session.info.setdefault(_PENDING, []).extend(_changes_of(session))


def _write(session: Session, _context: Any) -> None:
    pending: Sequence[_Change] = session.info.pop(_PENDING, [])
    if not pending:
        return
    actor = session.info.get("actor") or SYSTEM
    at = clock.now()
    session.execute(
        insert(AuditEntry),
        [
            {
                "at": at,
                "user_id": actor.user_id,
                "user_name": getattr(actor, "name", ""),
                "action": change.action,
                "kind": kind_name(change.record),
                "record_id": change.record.id,
                "changes": change.changes,
            }
            for change in pending
        ],
    )


def note(
    session: Session,
    actor: Actor,
    action: str,
    *,
    kind: str,
    record_id: int | None = None,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Note something that is no change of one record: a sign-in, an export, an import, a backup."""
    session.add(
        AuditEntry(
            user_id=actor.user_id,
            user_name=actor.name,
            action=action,
            kind=kind,
            record_id=record_id,
            changes=dict(changes or {}),
        )
    )


def note_many(
    session: Session, actor: Actor, action: str, *, kind: str, record_ids: Sequence[int]
) -> None:
    """Note the same action on many records that a bulk statement wrote."""
    at = clock.now()
    if record_ids:
        session.execute(
            insert(AuditEntry),
            [
                {
                    "at": at,
                    "user_id": actor.user_id,
                    "user_name": actor.name,
                    "action": action,
                    "kind": kind,
                    "record_id": record_id,
                    "changes": {},
                }
                for record_id in record_ids
            ],
        )
