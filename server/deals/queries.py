"""Reading deals, pipelines and stages. Every query takes the actor; columns of the board are in board.py."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from server.companies.queries import COMPANIES
from server.core.actor import Actor
from server.core.errors import Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.kinds import Kind, register
from server.core.listing import (
    Field,
    ListQuery,
    ListSpec,
    Page,
    narrowed,
    page,
    read_date,
    read_int,
    read_moment,
)
from server.core.search_index import MAX_WORDS, search_in
from server.core.text import fold
from server.deals.models import Deal, DealPerson, Pipeline, Stage, StageMove, closing_order
from server.deals.rules import DealStatus, StageType, stage_order

CHUNK = 500

_in_deal = search_in(Deal.search_text)


def _of_company_called(word: str) -> ColumnElement[bool]:
    named = COMPANIES.search(word) if COMPANIES.search else false()
    return Deal.company_id.in_(select(COMPANIES.key).where(named))


def _found(question: str) -> ColumnElement[bool]:
    """Every word occurs in the deal or in the name of its company, which is not copied here."""
    words = fold(question).split()[:MAX_WORDS]
    if not words:
        return false()
    return and_(*(or_(_in_deal(word), _of_company_called(word)) for word in words))


def _involving(text: str) -> ColumnElement[bool]:
    """Return the condition that a person is involved in a deal."""
    try:
        person_id = read_int(text)
    except ValueError as error:
        raise Invalid(
            _("“%(value)s” is no id of a person.", value=text), field="filter[person_id]"
        ) from error
    return Deal.id.in_(select(DealPerson.deal_id).where(DealPerson.person_id == person_id))


_NUMBERS = ("eq", "ne", "gte", "lte", "gt", "lt")
_IDS = ("eq", "ne", "in", "empty")
_DATES = ("eq", "gte", "lte", "gt", "lt", "empty")

DEALS = ListSpec(
    key=Deal.id,
    filters={
        "stage_id": Field(Deal.stage_id, read_int, ("eq", "ne", "in")),
        "pipeline_id": Field(Deal.pipeline_id, read_int, ("eq", "ne", "in")),
        "status": Field(Deal.status, DealStatus, ("eq", "ne", "in")),
        "owner_id": Field(Deal.owner_id, read_int, _IDS),
        "company_id": Field(Deal.company_id, read_int, _IDS),
        "amount": Field(Deal.amount, read_int, _NUMBERS),
        "currency": Field(Deal.currency, operators=("eq", "ne", "in")),
        "expected_close_on": Field(Deal.expected_close_on, read_date, _DATES),
        "closed_on": Field(Deal.closed_on, read_date, _DATES),
        "product": Field(Deal.product, operators=("eq", "ne", "in")),
        "external_id": Field(Deal.external_id, operators=("eq", "in", "empty")),
        "external_source": Field(Deal.external_source, operators=("eq", "in")),
        "created_at": Field(Deal.created_at, read_moment, _NUMBERS),
        "updated_at": Field(Deal.updated_at, read_moment, _NUMBERS),
    },
    sorts={
        "id": Field(Deal.id, read_int),
        "title": Field(Deal.title),
        "amount": Field(Deal.amount, read_int),
        "expected_close_on": Field(closing_order(), read_date),
        "created_at": Field(Deal.created_at, read_moment),
        "updated_at": Field(Deal.updated_at, read_moment),
    },
    conditions={"person_id": _involving},
    default_sort="-updated_at",
    search=_found,
)
PIPELINES = ListSpec(
    key=Pipeline.id,
    filters={"name": Field(Pipeline.name, operators=("eq", "in"))},
    sorts={"position": Field(Pipeline.position, read_int), "id": Field(Pipeline.id, read_int)},
    default_sort="position",
)
STAGES = ListSpec(
    key=Stage.id,
    filters={
        "pipeline_id": Field(Stage.pipeline_id, read_int, ("eq", "in")),
        "type": Field(Stage.type, StageType, ("eq", "ne", "in")),
        "name": Field(Stage.name, operators=("eq", "in")),
    },
    sorts={"position": Field(Stage.position, read_int), "id": Field(Stage.id, read_int)},
    default_sort="id",
)


def visible_to(actor: Actor) -> Select[Deal]:
    """Return the deals this actor may see, as a query to narrow further."""
    actor.must("deals.see")
    query = select(Deal).where(Deal.deleted_at.is_(None))
    return query if actor.may("deals.see_all") else query.where(Deal.owner_id == actor.user_id)


def list_deals(session: Session, actor: Actor, wish: ListQuery) -> Page[Deal]:
    """Return one page of deals."""
    return page(session, visible_to(actor), DEALS, wish)


def get_deal(session: Session, actor: Actor, deal_id: int) -> Deal:
    """Return the deal, or raise NotFound when it is missing or hidden."""
    deal = session.scalar(visible_to(actor).where(Deal.id == deal_id))
    if deal is None:
        raise NotFound(_("There is no deal %(id)s.", id=deal_id))
    return deal


@dataclass(frozen=True)
class Total:
    """What some deals come to in one currency; `weighted` counts each by its probability."""

    currency: str
    count: int
    amount: int
    weighted: int


def totals(session: Session, actor: Actor, wish: ListQuery) -> tuple[Total, ...]:
    """Return what the whole filtered list comes to, largest first, one line for each currency."""
    query = narrowed(visible_to(actor), DEALS, wish).with_only_columns(
        Deal.currency,
        func.count(),
        func.sum(Deal.amount),
        func.sum(Deal.amount * Deal.probability),
    )
    rows = session.execute(query.group_by(Deal.currency)).all()
    found = [Total(code, n, int(amount), int(points) // 100) for code, n, amount, points in rows]
    return tuple(sorted(found, key=lambda total: (-total.count, total.currency)))


def people_of(session: Session, deal_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the ids of the people involved in each of these deals, in their order; one query."""
    found: dict[int, list[int]] = {deal_id: [] for deal_id in deal_ids}
    if found:
        rows = session.execute(
            select(DealPerson.deal_id, DealPerson.person_id)
            .where(DealPerson.deal_id.in_(found))
            .order_by(DealPerson.deal_id, DealPerson.position, DealPerson.person_id)
        )
        for deal_id, person_id in rows:
            found[deal_id].append(person_id)
    return {deal_id: tuple(ids) for deal_id, ids in found.items()}


@dataclass(frozen=True)
class Move:
    """One step in the history of a deal, with the names a reader needs."""

    from_stage: str | None
    to_stage: str
    at: datetime
    by_id: int | None
    seconds_in_from: int | None


def history(session: Session, actor: Actor, deal_id: int, limit: int = 100) -> tuple[Move, ...]:
    """Return the newest moves of a deal the actor may see, newest first."""
    get_deal(session, actor, deal_id)
    moves = session.scalars(
        select(StageMove)
        .where(StageMove.deal_id == deal_id)
        .order_by(StageMove.id.desc())
        .limit(limit)
    ).all()
    ids = {move.from_stage_id for move in moves} | {move.to_stage_id for move in moves}
    names = stage_names(session, actor, ids)
    return tuple(
        Move(
            names.get(move.from_stage_id) if move.from_stage_id else None,
            names[move.to_stage_id],
            move.at,
            move.by_id,
            move.seconds_in_from,
        )
        for move in moves
    )


def deals_of_company(
    session: Session, actor: Actor, company_id: int, limit: int = 20
) -> list[Deal]:
    """Return the newest visible deals of a company, open ones first."""
    return _some(session, visible_to(actor).where(Deal.company_id == company_id), limit)


def deals_of_person(session: Session, actor: Actor, person_id: int, limit: int = 20) -> list[Deal]:
    """Return the newest visible deals that a person is involved in, open ones first."""
    involved = select(DealPerson.deal_id).where(DealPerson.person_id == person_id)
    return _some(session, visible_to(actor).where(Deal.id.in_(involved)), limit)


def my_open_deals(session: Session, actor: Actor, limit: int = 10) -> list[Deal]:
    """Return the actor's own open deals, those to be closed soonest first."""
    query = visible_to(actor).where(Deal.owner_id == actor.user_id, Deal.status == DealStatus.OPEN)
    return list(session.scalars(query.order_by(closing_order(), Deal.id).limit(limit)))


def my_open_totals(session: Session, actor: Actor) -> tuple[Total, ...]:
    """Return what the actor's own open deals come to, one line for each currency."""
    rows = session.execute(
        visible_to(actor)
        .where(Deal.owner_id == actor.user_id, Deal.status == DealStatus.OPEN)
        .with_only_columns(
            Deal.currency,
            func.count(),
            func.sum(Deal.amount),
            func.sum(Deal.amount * Deal.probability),
        )
        .group_by(Deal.currency)
        .order_by(Deal.currency)
    )
    return tuple(Total(code, n, int(sum_), int(points) // 100) for code, n, sum_, points in rows)


def _some(session: Session, query: Select[Deal], limit: int) -> list[Deal]:
    closed = Deal.status != DealStatus.OPEN
    return list(session.scalars(query.order_by(closed, Deal.id.desc()).limit(limit)))


def pipelines_for(actor: Actor) -> Select[Pipeline]:
    """Return the pipelines; whoever sees deals sees them all."""
    actor.must("deals.see")
    return select(Pipeline).where(Pipeline.deleted_at.is_(None))


def list_pipelines(session: Session, actor: Actor, wish: ListQuery) -> Page[Pipeline]:
    """Return one page of pipelines."""
    return page(session, pipelines_for(actor), PIPELINES, wish)


def all_pipelines(session: Session, actor: Actor) -> list[Pipeline]:
    """Return every pipeline, in its order."""
    query = pipelines_for(actor).order_by(Pipeline.position, Pipeline.id)
    return list(session.scalars(query))


def get_pipeline(session: Session, actor: Actor, pipeline_id: int) -> Pipeline:
    """Return the pipeline, or raise NotFound."""
    pipeline = session.scalar(pipelines_for(actor).where(Pipeline.id == pipeline_id))
    if pipeline is None:
        raise NotFound(_("There is no pipeline %(id)s.", id=pipeline_id))
    return pipeline


def default_pipeline(session: Session, actor: Actor) -> Pipeline | None:
    """Return the pipeline that new deals go to, or None before there is any."""
    return session.scalar(pipelines_for(actor).where(Pipeline.is_default))


def stages_for(actor: Actor) -> Select[Stage]:
    """Return the stages; whoever sees deals sees them all."""
    actor.must("deals.see")
    return select(Stage).where(Stage.deleted_at.is_(None))


def list_stages(session: Session, actor: Actor, wish: ListQuery) -> Page[Stage]:
    """Return one page of stages."""
    return page(session, stages_for(actor), STAGES, wish)


def all_stages(session: Session, actor: Actor) -> dict[int, list[Stage]]:
    """Return the stages of every pipeline by its id, each in their order; one query."""
    found: dict[int, list[Stage]] = {}
    for stage in session.scalars(stages_for(actor)):
        found.setdefault(stage.pipeline_id, []).append(stage)
    return {key: sorted(stages, key=stage_order) for key, stages in found.items()}


def stages_of(session: Session, actor: Actor, pipeline_id: int) -> list[Stage]:
    """Return the stages of a pipeline in their order: open ones, won, lost."""
    query = stages_for(actor).where(Stage.pipeline_id == pipeline_id)
    return sorted(session.scalars(query), key=stage_order)


def stage_or_none(session: Session, actor: Actor, stage_id: int) -> Stage | None:
    """Return the stage, or None when there is no such."""
    return session.scalar(stages_for(actor).where(Stage.id == stage_id))


def stage_names(session: Session, actor: Actor, ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of these stages, retired ones included; one query."""
    wanted = {stage_id for stage_id in ids if stage_id is not None}
    if not wanted or not actor.may("deals.see"):
        return {}
    rows = session.execute(select(Stage.id, Stage.name).where(Stage.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def get_stage(session: Session, actor: Actor, stage_id: int) -> Stage:
    """Return the stage, or raise NotFound."""
    stage = stage_or_none(session, actor, stage_id)
    if stage is None:
        raise NotFound(_("There is no stage %(id)s.", id=stage_id))
    return stage


def count_in_stages(session: Session, actor: Actor, pipeline_id: int) -> dict[int, int]:
    """Count the deals in each stage of a pipeline, hidden ones included, for who edits pipelines."""
    actor.must("pipelines.edit")
    rows = session.execute(
        select(Deal.stage_id, func.count().label("deals"))
        .where(Deal.pipeline_id == pipeline_id, Deal.deleted_at.is_(None))
        .group_by(Deal.stage_id)
    )
    return {row.stage_id: row.deals for row in rows}


def products(session: Session, actor: Actor, limit: int = 100) -> list[str]:
    """Return the products that visible deals name, for the form to offer."""
    query = visible_to(actor).with_only_columns(Deal.product).where(Deal.product != "")
    return list(session.scalars(query.distinct().order_by(Deal.product).limit(limit)))


def deal_titles(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """Return the titles of those of the deals that the actor may see; one query."""
    if not actor.may("deals.see") or not ids:
        return {}
    query = visible_to(actor).with_only_columns(Deal.id, Deal.title)
    return {row.id: row.title for row in session.execute(query.where(Deal.id.in_(ids)))}


def deals_by_external_id(
    session: Session, actor: Actor, source: str, external_ids: Collection[str]
) -> dict[str, int]:
    """Return the id of each visible deal that is known under one of these ids of the source."""
    wanted = sorted(set(external_ids))
    known: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        query = visible_to(actor).where(
            Deal.external_source == source, Deal.external_id.in_(wanted[start : start + CHUNK])
        )
        rows = session.execute(query.with_only_columns(Deal.external_id, Deal.id))
        known |= {row.external_id: row.id for row in rows}
    return known


def deal_options(session: Session, actor: Actor, q: str, limit: int = 20) -> list[Deal]:
    """Return the deals a picker offers for what was typed, open and recent ones first."""
    query = visible_to(actor)
    if q.strip():
        query = query.where(_found(q))
    closed = Deal.status != DealStatus.OPEN
    return list(session.scalars(query.order_by(closed, Deal.id.desc()).limit(limit)))


def binned_for(actor: Actor) -> Select[Deal]:
    """Return the deals in the bin, for those who may take one out."""
    actor.must("deals.delete")
    query = select(Deal).where(Deal.deleted_at.is_not(None))
    return query if actor.may("deals.see_all") else query.where(Deal.owner_id == actor.user_id)


def list_binned_deals(session: Session, actor: Actor, wish: ListQuery) -> Page[Deal]:
    """Return one page of the bin."""
    return page(session, binned_for(actor), DEALS, wish)


register(Kind("deal", mark("Deal"), "/deals/{id}", deal_titles))
