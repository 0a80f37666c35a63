"""The board of deals: its columns, more cards of one, and a card that was moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.choices import colleagues
from client_web.deals.frame import (
    STAGE_TONES,
    blueprint,
    may_change,
    names_for,
    sums_text,
    views,
)
from client_web.reading import address_now, whole
from server.core import clock
from server.core.errors import Invalid
from server.core.format import number, today
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.deals import queries, service
from server.deals.board import Place, Wish, board, column_totals, more_cards
from server.deals.rules import DealStatus, StageType, days_stuck, is_late
from server.deals.service import Step
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session

if TYPE_CHECKING:
    from datetime import date

    from server.deals.board import Column
    from server.deals.models import Deal, Stage
    from server.deals.queries import Total


@dataclass(frozen=True)
class Card:
    """A deal as the board shows it. `note` says for how long it has been stuck."""

    deal: "Deal"
    company: str | None
    owner: str | None
    day: "date | None"
    late: bool
    note: str | None
    fixed: bool


@dataclass(frozen=True)
class Head:
    """The head of a column, as the kit's board takes it."""

    id: int
    name: str
    count: str
    total: str
    tone: str


@dataclass(frozen=True)
class Shown(Head):
    """A column with the cards that are shown, and the address of those that are not."""

    cards: tuple[Card, ...]
    more: str | None
    next_id: int | None


def board_page() -> str:
    """Show the board of the pipeline that the address asks for, by default the first one."""
    session, actor = current_session(), current_actor()
    pipelines = queries.all_pipelines(session, actor)
    wanted = _number("filter[pipeline_id]")
    chosen = next((one for one in pipelines if one.id == wanted), None)
    home = chosen or next((one for one in pipelines if one.is_default), None)
    owner_id = _number("filter[owner_id]")
    query = address_now()
    columns: tuple[Shown, ...] = ()
    if home is not None:
        wish = Wish(home.id, owner_id)
        columns = _columns(board(session, actor, wish), wish)
    return render_template(
        "deals/board.html",
        columns=columns,
        pipelines=[(one.id, one.name) for one in pipelines],
        pipeline_id=home.id if home else None,
        owners=colleagues(owner_id),
        owner_id=owner_id,
        query=query,
        views=views("board", query),
        move_url=url_for("deals.move", deal_id=0, owner_id=owner_id).replace("/0/", "/__id__/"),
    )


def _number(name: str) -> int | None:
    try:
        return whole(request.args.get(name), name)
    except Invalid:
        return None  # an address somebody mistyped shows the whole board


def _columns(columns: "Sequence[Column]", wish: Wish) -> tuple[Shown, ...]:
    stages = {column.stage.id: column.stage for column in columns}
    cards = cards_of([deal for column in columns for deal in column.deals], stages)
    by_id = {card.deal.id: card for card in cards}
    return tuple(
        Shown(
            **vars(_head(column.stage, column.totals)),
            cards=tuple(by_id[deal.id] for deal in column.deals),
            more=_more(wish, column.stage.id, column.next_id),
            next_id=column.next_id,
        )
        for column in columns
    )


def _head(stage: "Stage", totals: "Sequence[Total]") -> Head:
    return Head(
        id=stage.id,
        name=stage.name,
        count=number(sum(total.count for total in totals)),
        total=sums_text(totals),
        tone=STAGE_TONES[stage.type],
    )


def _more(wish: Wish, stage_id: int, next_id: int | None) -> str | None:
    if next_id is None:
        return None
    return url_for("deals.cards", stage_id=stage_id, from_id=next_id, owner_id=wish.owner_id)


def cards_of(deals: "Sequence[Deal]", stages: "dict[int, Stage]") -> list[Card]:
    """Return the deals as cards: two queries, for the names."""
    actor, now, day = current_actor(), clock.now(), today()
    companies, people = names_for(deals)
    cards = []
    for deal in deals:
        is_open = deal.status is DealStatus.OPEN
        stuck = days_stuck(deal.stage_since, now, stages[deal.stage_id].rot_days)
        cards.append(
            Card(
                deal=deal,
                company=companies.get(deal.company_id or 0),
                owner=people.get(deal.owner_id or 0),
                day=deal.expected_close_on if is_open else deal.closed_on,
                late=is_late(deal.status, deal.expected_close_on, day),
                note=_stuck(stuck) if is_open and stuck is not None else None,
                fixed=not may_change(actor, deal),
            )
        )
    return cards


def _stuck(days: int) -> str:
    return ngettext("%(count)s day here", "%(count)s days here", days, count=number(days))


@blueprint.get("/deals/cards/<int:stage_id>")
@needs("deals.see")
def cards(stage_id: int) -> ResponseReturnValue:
    """Answer the next cards of a column."""
    session, actor = current_session(), current_actor()
    stage = queries.get_stage(session, actor, stage_id)
    wish = Wish(stage.pipeline_id, _number("owner_id"))
    deals, next_id = more_cards(session, actor, wish, stage_id, _number("from_id") or 0)
    return render_template(
        "deals/_cards.html",
        cards=cards_of(deals, {stage.id: stage}),
        more=_more(wish, stage_id, next_id),
        next_id=next_id,
    )


@blueprint.post("/deals/<int:deal_id>/move")
@needs("deals.edit")
def move(deal_id: int) -> ResponseReturnValue:
    """Put a card where it was dropped; answer it again, beside the heads of both columns."""
    session, actor = current_session(), current_actor()
    left_id = queries.get_deal(session, actor, deal_id).stage_id
    stage_id = whole(request.form.get("stage_id"), "stage_id")
    if stage_id is None:
        raise Invalid(_("Drop the card on a column."), field="stage_id")
    step = Step(
        stage_id,
        Place(before_id=whole(request.form.get("before_id"), "before_id")),
        version=whole(request.form.get("version"), "version"),
    )
    deal = service.move_deal(session, actor, deal_id, step)
    totals = column_totals(session, actor, Wish(deal.pipeline_id, _number("owner_id")))
    stages = {one.id: one for one in queries.stages_of(session, actor, deal.pipeline_id)}
    touched = [stages[one] for one in dict.fromkeys((left_id, deal.stage_id)) if one in stages]
    asks = stages[deal.stage_id].type is StageType.LOST and not deal.lost_reason
    members: dict[str, Any] = {
        "card": cards_of([deal], stages)[0],
        "heads": [_head(stage, totals.get(stage.id, ())) for stage in touched],
        "ask": url_for("deals.ask_reason", deal_id=deal.id) if asks else None,
    }
    return render_template("deals/_moved.html", **members)
