"""The one blueprint of the room of deals, and what several of its pages show."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, current_app, url_for

from server.companies.queries import company_names
from server.core.actor import Actor
from server.core.format import money
from server.core.i18n import gettext as _
from server.deals.rules import DealStatus, StageType
from server.http.access import current_actor
from server.http.unit_of_work import current_session
from server.users.queries import names_of

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from server.deals.models import Deal
    from server.deals.queries import Total

blueprint = Blueprint("deals", __name__)

STATUS_TONES = {DealStatus.OPEN: "blue", DealStatus.WON: "green", DealStatus.LOST: "red"}
STAGE_TONES = {StageType.OPEN: "blue", StageType.WON: "green", StageType.LOST: "red"}


def home_currency() -> str:
    """Return the currency that new deals are in until somebody chooses another."""
    return str(current_app.extensions["daftar.settings"].organization.currency)


def views(active: str, query: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    """Return the tabs between board and list; what both can filter by goes along."""
    kept = {
        name: value
        for name, value in query
        if name in {"filter[owner_id]", "filter[pipeline_id]", "q"}
    }
    board = {name: value for name, value in kept.items() if name != "q"}
    return [
        {
            "label": _("Board"),
            "url": _address(board),
            "active": active == "board",
            "icon": "layout-kanban",
        },
        {
            "label": _("List"),
            "url": _address({"view": "list"} | kept),
            "active": active == "list",
            "icon": "layout-list",
        },
    ]


def _address(members: dict[str, str]) -> str:
    query = urlencode(members)
    return url_for("deals.page") + (f"?{query}" if query else "")


def may_change(actor: Actor, deal: "Deal") -> bool:
    """Tell whether the reader may change this deal."""
    return actor.may("deals.edit") and (
        deal.owner_id == actor.user_id or actor.may("deals.edit_all")
    )


def names_for(deals: Sequence["Deal"]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the names of companies and of owners by their ids; two queries."""
    session, actor = current_session(), current_actor()
    companies = company_names(session, actor, {deal.company_id for deal in deals})
    return companies, names_of(session, {deal.owner_id for deal in deals})


def sums_text(totals: Sequence["Total"]) -> str:
    """Return what deals come to, each currency by itself."""
    shown = (money(total.amount, total.currency) for total in totals if total.amount)
    # Each amount is isolated: in a line of several, signs would else join the wrong number.
    return " · ".join(f"\u2068{amount}\u2069" for amount in shown)
