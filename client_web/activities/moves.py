"""The moves of a deal, on its timeline."""

from typing import TYPE_CHECKING

from client_web.activities import events
from client_web.activities.events import Event
from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.deals.queries import history
from server.users.queries import names_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def moves_of(session: "Session", actor: Actor, deal_id: int) -> list[Event]:
    """Return where the deal went, and who moved it."""
    if not actor.may("deals.see"):
        return []
    moves = [move for move in history(session, actor, deal_id) if move.from_stage is not None]
    names = names_of(session, [move.by_id for move in moves])
    return [
        Event(
            move.at,
            _("From %(before)s to %(after)s", before=move.from_stage, after=move.to_stage),
            "arrow-right",
            tone="violet",
            who=names.get(move.by_id or 0),
        )
        for move in moves
    ]


events.register("deal", moves_of)
