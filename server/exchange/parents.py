"""Parent companies that stand in a later row than their subsidiaries: set once all rows are there."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.companies.queries import companies_by_name, visible_to
from server.companies.service import find_or_create_companies, set_parents
from server.core.actor import Actor
from server.core.errors import DaftarError
from server.core.i18n import gettext as _
from server.exchange.models import ImportExtra, ImportRow
from server.exchange.plan import Plan
from server.exchange.rules import BATCH


def set_later_parents(session: Session, actor: Actor, plan: Plan, import_id: int) -> int | None:
    """Set the parents of the next rows that wait for one; return how many companies had to be made.

    Return None when no row waits any more.
    """
    waiting = (ImportRow.import_id == import_id, ImportRow.later.is_not(None))
    query = select(ImportRow).where(*waiting).order_by(ImportRow.line).limit(BATCH)
    rows = list(session.scalars(query))
    if not rows:
        return None
    names = {row.later or "" for row in rows}
    known = companies_by_name(session, actor, names)
    missing = sorted(names - known.keys()) if plan.mapping.create_companies else []
    made = find_or_create_companies(session, actor, missing)
    for company_id, name in {company_id: name for name, company_id in made.items()}.items():
        session.merge(
            ImportExtra(import_id=import_id, kind="company", record_id=company_id, name=name)
        )
    for row in rows:
        _set_parent(session, actor, row, known | made)
    _keep_versions(session, actor, rows)
    return len(set(made.values()))


def _set_parent(session: Session, actor: Actor, row: ImportRow, known: dict[str, int]) -> None:
    name, row.later = row.later or "", None
    parent = known.get(name)
    if row.record_id is None:
        return
    if parent is None:
        _say(row, _("There is no company “%(name)s”; it was left empty.", name=name))
        return
    try:
        with session.begin_nested():
            set_parents(session, actor, {row.record_id: parent})
    except DaftarError as refusal:
        _say(row, refusal.message)
        return
    if row.changes is not None:
        row.changes = {**row.changes, "parent_company_id": [None, parent]}


def _say(row: ImportRow, sentence: str) -> None:
    row.message = f"{row.message} {sentence}".strip()


def _keep_versions(session: Session, actor: Actor, rows: list[ImportRow]) -> None:
    """Note the version that each company has now, so that undoing knows its own change from another's."""
    query = visible_to(actor)
    ids = [row.record_id for row in rows]
    found = session.scalars(query.where(query.selected_columns.id.in_(ids)))
    versions = {company.id: company.version for company in found}
    for row in rows:
        row.version = versions.get(row.record_id or 0, row.version)
