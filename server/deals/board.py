"""The board: the columns of a pipeline, what they hold and come to, and the place of a card in one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, case, func, select, union_all, update
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.deals.models import Deal, Stage
from server.deals.queries import Total, stages_of, visible_to
from server.deals.rules import CARDS_SHOWN, GAP, between


@dataclass(frozen=True)
class Wish:
    """What a reader wants to see of the board."""

    pipeline_id: int
    owner_id: int | None = None


@dataclass(frozen=True)
class Column:
    """One stage with its first cards, and what all of it comes to in each currency.

    `next_id` is the first card that is not among them, None when all are shown.
    """

    stage: Stage
    deals: tuple[Deal, ...]
    totals: tuple[Total, ...]
    next_id: int | None

    @property
    def count(self) -> int:
        """Return how many deals stand in the stage."""
        return sum(total.count for total in self.totals)


def _cards(actor: Actor, wish: Wish) -> Select[Deal]:
    query = visible_to(actor)
    return query if wish.owner_id is None else query.where(Deal.owner_id == wish.owner_id)


def board(session: Session, actor: Actor, wish: Wish) -> tuple[Column, ...]:
    """Return every column with its first cards; four queries, however much there is."""
    stages = stages_of(session, actor, wish.pipeline_id)
    if not stages:
        return ()
    first = [
        _in_order(_cards(actor, wish).with_only_columns(Deal.id), stage.id)
        .limit(CARDS_SHOWN + 1)
        .subquery()
        for stage in stages
    ]
    ids = session.scalars(union_all(*(select(part.c.id) for part in first))).all()
    deals = session.scalars(
        select(Deal).where(Deal.id.in_(ids)).order_by(Deal.board_position, Deal.id)
    ).all()
    sums = column_totals(session, actor, wish)
    return tuple(
        _column(
            stage, [deal for deal in deals if deal.stage_id == stage.id], sums.get(stage.id, ())
        )
        for stage in stages
    )


def _in_order(query: Select[int], stage_id: int) -> Select[int]:
    return query.where(Deal.stage_id == stage_id).order_by(Deal.board_position, Deal.id)


def _column(stage: Stage, deals: Sequence[Deal], totals: tuple[Total, ...]) -> Column:
    more = deals[CARDS_SHOWN].id if len(deals) > CARDS_SHOWN else None
    return Column(stage, tuple(deals[:CARDS_SHOWN]), totals, more)


def column_totals(session: Session, actor: Actor, wish: Wish) -> dict[int, tuple[Total, ...]]:
    """Return what each stage comes to, one line for each currency; one query over an index."""
    rows = session.execute(
        _cards(actor, wish)
        .where(Deal.pipeline_id == wish.pipeline_id)
        .with_only_columns(
            Deal.stage_id,
            Deal.currency,
            func.count(),
            func.sum(Deal.amount),
            func.sum(Deal.amount * Deal.probability),
        )
        .group_by(Deal.stage_id, Deal.currency)
        .order_by(Deal.stage_id, Deal.currency)
    )
    found: dict[int, list[Total]] = {}
    for stage_id, currency, count, amount, points in rows:
        total = Total(currency, count, int(amount), int(points) // 100)
        found.setdefault(stage_id, []).append(total)
    return {stage_id: tuple(totals) for stage_id, totals in found.items()}


def more_cards(
    session: Session, actor: Actor, wish: Wish, stage_id: int, from_id: int
) -> tuple[tuple[Deal, ...], int | None]:
    """Return the next cards of a column from this one on, and the first that is still not among them."""
    start = session.execute(
        select(Deal.board_position, Deal.id).where(Deal.id == from_id, Deal.stage_id == stage_id)
    ).one_or_none()
    if start is None:
        return (), None
    position, deal_id = start
    beyond = (Deal.board_position > position) | (
        (Deal.board_position == position) & (Deal.id >= deal_id)
    )
    query = _cards(actor, wish).where(Deal.stage_id == stage_id, beyond)
    deals = session.scalars(
        query.order_by(Deal.board_position, Deal.id).limit(CARDS_SHOWN + 1)
    ).all()
    more = deals[CARDS_SHOWN].id if len(deals) > CARDS_SHOWN else None
    return tuple(deals[:CARDS_SHOWN]), more


@dataclass(frozen=True)
class Place:
    """Where in a column a card goes: above the card `before_id`, at the end without one, or on top."""

    before_id: int | None = None
    on_top: bool = False


TOP = Place(on_top=True)


def position_for(session: Session, stage_id: int, place: Place, moving_id: int | None) -> int:
    """Return the place number for a card, renumbering the column when there is no room left."""
    position = _position(session, stage_id, place, moving_id)
    if position is None:
        _renumber(session, stage_id)
        position = _position(session, stage_id, place, moving_id)
    return position or 0


def _others(stage_id: int, moving_id: int | None) -> Select[Deal]:
    query = select(Deal).where(Deal.stage_id == stage_id, Deal.deleted_at.is_(None))
    return query if moving_id is None else query.where(Deal.id != moving_id)


def _edge(session: Session, stage_id: int, moving_id: int | None, *, bottom: bool) -> int | None:
    column = Deal.board_position.desc() if bottom else Deal.board_position
    query = _others(stage_id, moving_id).with_only_columns(Deal.board_position)
    return session.scalar(query.order_by(column).limit(1))


def _position(session: Session, stage_id: int, place: Place, moving_id: int | None) -> int | None:
    if place.on_top:
        return between(None, _edge(session, stage_id, moving_id, bottom=False))
    others = _others(stage_id, moving_id)
    below = session.execute(
        others.with_only_columns(Deal.board_position, Deal.id).where(Deal.id == place.before_id)
    ).one_or_none()
    if below is None:
        # No card was named, or it has gone elsewhere in the meantime: the end is a safe place.
        return between(_edge(session, stage_id, moving_id, bottom=True), None)
    position, deal_id = below
    above = session.scalar(
        others.with_only_columns(Deal.board_position)
        .where(
            (Deal.board_position < position)
            | ((Deal.board_position == position) & (Deal.id < deal_id))
        )
        .order_by(Deal.board_position.desc(), Deal.id.desc())
        .limit(1)
    )
    return between(above, position)


def _renumber(session: Session, stage_id: int) -> None:
    # A place is nobody's data: no version, no audit entry, and nobody's open form grows stale.
    ids = session.scalars(
        select(Deal.id).where(Deal.stage_id == stage_id).order_by(Deal.board_position, Deal.id)
    ).all()
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        places = {deal_id: (start + n) * GAP for n, deal_id in enumerate(part)}
        session.execute(
            update(Deal)
            .where(Deal.id.in_(part))
            .values(board_position=case(places, value=Deal.id), updated_at=Deal.updated_at)
            .execution_options(synchronize_session=False)
        )
    for deal in session.identity_map.values():
        if isinstance(deal, Deal) and deal.stage_id == stage_id:
            session.expire(deal, ["board_position"])
