"""The deals of a company or a person, for their pages: `deals/_panel.html` shows what this returns."""

from typing import Any

from client_web.deals.frame import STATUS_TONES
from server.core.i18n import gettext as _
from server.deals import queries
from server.deals.rules import STATUS_LABELS
from server.http.access import current_actor
from server.http.unit_of_work import current_session

SHOWN = 20


def deals_panel(kind: str, record_id: int) -> dict[str, Any]:
    """Return what `deals/_panel.html` shows beside a visible company or person."""
    session, actor = current_session(), current_actor()
    if not actor.may("deals.see"):
        return {"deals": None}
    of = queries.deals_of_company if kind == "company" else queries.deals_of_person
    stages = [stage for row in queries.all_stages(session, actor).values() for stage in row]
    return {
        "deals": {
            "items": of(session, actor, record_id, limit=SHOWN),
            "words": {status: _(label) for status, label in STATUS_LABELS.items()},
            "tones": STATUS_TONES,
            "stages": {stage.id: stage.name for stage in stages},
            "of": {f"{kind}_id": record_id},
        }
    }
