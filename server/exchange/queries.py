"""Reading imports. Whoever may run imports sees all of them, with every row of their files."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int
from server.exchange.models import Import, ImportExtra, ImportRow
from server.exchange.rules import WORKING, ImportKind, ImportStatus, Outcome, UndoOutcome

MOST_EXTRAS = 200

IMPORTS = ListSpec(
    key=Import.id,
    filters={
        "kind": Field(Import.kind, ImportKind, ("eq", "in")),
        "status": Field(Import.status, ImportStatus, ("eq", "in")),
    },
    sorts={"id": Field(Import.id, read_int)},
)
ROWS = ListSpec(
    key=ImportRow.line,
    filters={
        "outcome": Field(ImportRow.outcome, Outcome, ("eq", "in")),
        "undone": Field(ImportRow.undone, UndoOutcome, ("eq", "in", "empty")),
    },
    sorts={"line": Field(ImportRow.line, read_int)},
    default_sort="line",
)


def visible_to(actor: Actor) -> Select[Import]:
    """Return the imports this actor may see, as a query to narrow further."""
    actor.must("imports.run")
    return select(Import)


def list_imports(session: Session, actor: Actor, wish: ListQuery) -> Page[Import]:
    """Return one page of imports, newest first."""
    return page(session, visible_to(actor), IMPORTS, wish)


def get_import(session: Session, actor: Actor, import_id: int) -> Import:
    """Return the import, or raise NotFound."""
    found = session.scalar(visible_to(actor).where(Import.id == import_id))
    if found is None:
        raise NotFound(_("There is no import %(id)s.", id=import_id))
    return found


def list_rows(session: Session, actor: Actor, import_id: int, wish: ListQuery) -> Page[ImportRow]:
    """Return one page of the rows of an import, in the order of the file."""
    get_import(session, actor, import_id)
    return page(session, select(ImportRow).where(ImportRow.import_id == import_id), ROWS, wish)


def refused_rows(
    session: Session, actor: Actor, import_id: int, after: int, limit: int = 1_000
) -> list[ImportRow]:
    """Return the next refused rows of an import, in the order of the file."""
    get_import(session, actor, import_id)
    query = select(ImportRow).where(
        ImportRow.import_id == import_id,
        ImportRow.outcome == Outcome.REFUSED,
        ImportRow.line > after,
    )
    return list(session.scalars(query.order_by(ImportRow.line).limit(limit)))


def extras_of(session: Session, actor: Actor, import_id: int) -> list[ImportExtra]:
    """Return what the import wrote down besides its rows, the first few hundred."""
    get_import(session, actor, import_id)
    query = select(ImportExtra).where(ImportExtra.import_id == import_id)
    order = (ImportExtra.kind, ImportExtra.record_id)
    return list(session.scalars(query.order_by(*order).limit(MOST_EXTRAS)))


def is_work_waiting(session: Session) -> bool:
    """Tell whether an import waits for work or is being worked on, by anybody."""
    return session.scalar(select(Import.id).where(Import.status.in_(WORKING)).limit(1)) is not None
