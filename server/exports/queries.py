"""Reading the list of full exports. Whoever may export sees all of them: each holds everything anyway."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.i18n import gettext as _
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int
from server.exports.models import Export
from server.exports.rules import UNDER_WAY, ExportStatus

EXPORTS = ListSpec(
    key=Export.id,
    filters={"status": Field(Export.status, ExportStatus, ("eq", "in"))},
    sorts={"id": Field(Export.id, read_int)},
)


def visible_to(actor: Actor) -> Select[Export]:
    """Return the exports this actor may see, as a query to narrow further."""
    actor.must("exports.run")
    return select(Export)


def list_exports(session: Session, actor: Actor, wish: ListQuery) -> Page[Export]:
    """Return one page of exports, newest first."""
    return page(session, visible_to(actor), EXPORTS, wish)


def get_export(session: Session, actor: Actor, export_id: int) -> Export:
    """Return the export, or raise NotFound."""
    found = session.scalar(visible_to(actor).where(Export.id == export_id))
    if found is None:
        raise NotFound(_("There is no export %(id)s.", id=export_id))
    return found


def under_way(session: Session, actor: Actor) -> Export | None:
    """Return the export that waits or is being written, if any; the one at work first."""
    query = visible_to(actor).where(Export.status.in_(UNDER_WAY)).order_by(Export.id).limit(1)
    return session.scalar(query)
