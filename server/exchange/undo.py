"""Taking an import back: what it wrote goes to the bin, what others touched since then stays."""

from collections.abc import Sequence

from sqlalchemy import column, select, table, union
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.exchange.companies import Companies
from server.exchange.models import ImportExtra, ImportRow
from server.exchange.plan import Plan
from server.exchange.rules import BATCH, Outcome, UndoOutcome
from server.exchange.subjects import Present, taken_back

_USERS = tuple(
    table(name, column("company_id"), column("deleted_at")) for name in ("deals", "people")
)


def undo_batch(session: Session, actor: Actor, plan: Plan, import_id: int) -> list[str] | None:
    """Take the next rows back, the last ones first; return what became of each. None when all is done."""
    query = select(ImportRow).where(
        ImportRow.import_id == import_id,
        ImportRow.outcome.in_((Outcome.CREATED, Outcome.UPDATED)),
        ImportRow.undone.is_(None),
    )
    rows = list(session.scalars(query.order_by(ImportRow.line.desc()).limit(BATCH)))
    if not rows:
        return _undo_extras(session, actor, import_id)
    ids = [row.record_id for row in rows if row.record_id is not None]
    present = plan.subject.present(session, actor, ids)
    used = _used(session, ids) if plan.subject.record == "company" else set()
    unwanted = []
    for row in rows:
        now = present.get(row.record_id or 0)
        if now is None:
            _mark(row, UndoOutcome.REMOVED, _("It was in the bin already."))
        elif row.outcome is Outcome.UPDATED:
            _restore(session, actor, plan, row, now)
        elif now.version != row.version:
            _mark(row, UndoOutcome.KEPT, _("Somebody has changed it since."))
        elif row.record_id in used:
            _mark(row, UndoOutcome.KEPT, _("Deals or people belong to it."))
        else:
            unwanted.append(row)
    for row in unwanted:
        _mark(row, UndoOutcome.REMOVED, "")
    words = [row.undone.value for row in rows if row.undone]
    session.flush()  # a slice may expire what it deletes in bulk, and our marks with it
    plan.subject.delete(session, actor, [row.record_id for row in unwanted if row.record_id])
    return words


def _mark(row: ImportRow, outcome: UndoOutcome, message: str) -> None:
    row.undone, row.undo_message = outcome, message


def _restore(session: Session, actor: Actor, plan: Plan, row: ImportRow, now: Present) -> None:
    draft, changed_since = taken_back(now.draft, row.changes or {})
    message = ""
    if changed_since:
        message = _("Changed since and kept: %(fields)s.", fields=", ".join(sorted(changed_since)))
    if draft == now.draft:
        _mark(row, UndoOutcome.KEPT, message or _("Nothing is left to take back."))
        return
    try:
        with session.begin_nested():
            plan.subject.change(session, actor, row.record_id or 0, draft)
    except DaftarError as refusal:
        _mark(row, UndoOutcome.KEPT, refusal.message)
    else:
        _mark(row, UndoOutcome.RESTORED, message)


def _used(session: Session, company_ids: Sequence[int]) -> set[int]:
    """Return those of the companies to which deals or people outside the bin belong."""
    if not company_ids:
        return set()
    found = union(
        *(
            select(each.c.company_id).where(
                each.c.company_id.in_(company_ids), each.c.deleted_at.is_(None)
            )
            for each in _USERS
        )
    )
    return set(session.scalars(found))


def _undo_extras(session: Session, actor: Actor, import_id: int) -> list[str] | None:
    """Take back the companies that rows only named; former colleagues and stages stay, they hold history."""
    query = select(ImportExtra).where(
        ImportExtra.import_id == import_id, ImportExtra.undone.is_(None)
    )
    extras = list(session.scalars(query.order_by(ImportExtra.record_id).limit(BATCH)))
    if not extras:
        return None
    ids = [extra.record_id for extra in extras if extra.kind == "company"]
    companies = Companies("", "", create_companies=False)
    present = companies.present(session, actor, ids)
    used = _used(session, ids)
    unwanted = [key for key in ids if key in present and present[key].version == 1]
    unwanted = [key for key in unwanted if key not in used]
    companies.delete(session, actor, unwanted)
    for extra in extras:
        gone = extra.kind == "company" and extra.record_id in unwanted
        extra.undone = UndoOutcome.REMOVED if gone else UndoOutcome.KEPT
    return []
