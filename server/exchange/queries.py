"""Reading imports. Whoever may run imports sees all of them, with every row of their files."""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.companies.queries import industries
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int
from server.exchange.hints import Hint, hints
from server.exchange.mapping import from_json
from server.exchange.models import Import, ImportExtra, ImportRow
from server.exchange.profile import profile_from_json
from server.exchange.rules import WORKING, ImportKind, ImportStatus, Outcome, UndoOutcome
from server.exchange.stages import StageGuess, guess_stages

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


def noted_rows(session: Session, actor: Actor, import_id: int, limit: int) -> list[ImportRow]:
    """Return the first rows that were written with a remark, in the order of the file."""
    get_import(session, actor, import_id)
    query = select(ImportRow).where(
        ImportRow.import_id == import_id,
        ImportRow.outcome.in_((Outcome.CREATED, Outcome.UPDATED)),
        ImportRow.message != "",
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


def misspelt(session: Session, actor: Actor, found: Import) -> tuple[Hint, ...]:
    """Return the words of the file that look misspelt, and what was probably meant."""
    used = industries(session, actor) if actor.may("companies.see") else []
    return hints(profile_from_json(found.profile), from_json(found.mapping), used)


def stage_guesses(
    session: Session, actor: Actor, found: Import
) -> tuple[Sequence[StageGuess], Sequence[str]]:
    """Return which stage each word of the file means, and the stages one can choose from."""
    mapping = from_json(found.mapping)
    words = profile_from_json(found.profile).words_of(mapping.headers_of("stage"))
    if found.kind is not ImportKind.DEALS or not words:
        return (), ()
    return guess_stages(session, actor, mapping.pipeline, words)
