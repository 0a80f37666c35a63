"""Changing deals: writing down, moving, closing, the bin. The caller opens the transaction.

Pipelines are changed in pipelines.py, many deals at once in importing.py; other slices reach both from here.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.core import clock
from server.core.actor import Actor
from server.core.errors import NotFound
from server.core.format import today
from server.core.i18n import gettext as _
from server.deals.board import TOP, Place, position_for
from server.deals.checks import (
    check_change,
    check_external_id,
    check_links,
    check_owner,
    check_pipeline,
    check_version,
    known_pipeline,
    known_stage,
    living_stage,
)
from server.deals.importing import Refusals, check_deals, create_deals, delete_deals
from server.deals.models import Deal, DealPerson, Stage, StageMove
from server.deals.pipelines import (
    add_stage,
    ensure_default_pipeline,
    find_or_add_stage,
    first_stage,
)
from server.deals.purging import purge_deals, purge_pipelines, purge_stages
from server.deals.queries import (
    binned_for,
    default_pipeline,
    get_deal,
    people_of,
    stages_of,
)
from server.deals.rules import (
    CLOSED_PROBABILITY,
    STANDARD_STAGES,
    DealDraft,
    DealStatus,
    StageDraft,
    StageType,
    check_may_change,
    check_may_own,
    clean_reason,
    same_stage,
    status_in,
)

__all__ = [
    "STANDARD_STAGES",
    "DealDraft",
    "DealStatus",
    "Place",
    "Refusals",
    "StageDraft",
    "StageType",
    "Step",
    "add_stage",
    "change_deal",
    "check_deals",
    "create_deal",
    "create_deals",
    "delete_deal",
    "delete_deals",
    "draft_of",
    "ensure_default_pipeline",
    "find_or_add_stage",
    "lose_deal",
    "move_deal",
    "pipeline_of",
    "purge_deals",
    "purge_pipelines",
    "purge_stages",
    "reopen_deal",
    "restore_deal",
    "same_stage",
    "stage_for_status",
    "win_deal",
]

_PLAIN = (
    "title",
    "amount",
    "currency",
    "expected_close_on",
    "company_id",
    "owner_id",
    "external_source",
    "external_id",
    "product",
    "engaged_on",
)


@dataclass(frozen=True)
class Step:
    """A move somebody asks for: the stage, the place in its column, and the version they looked at."""

    stage_id: int
    place: Place = TOP
    version: int | None = None
    lost_reason: str = ""


def draft_of(session: Session, deal: Deal) -> DealDraft:
    """Return what is written down about the deal, to be changed and handed back."""
    person_ids = people_of(session, [deal.id])[deal.id]
    known = {
        field.name: getattr(deal, field.name)
        for field in fields(DealDraft)
        if field.name != "person_ids"
    }
    return DealDraft(**known, person_ids=person_ids)


def create_deal(session: Session, actor: Actor, draft: DealDraft) -> Deal:
    """Write down a new deal, on top of its column."""
    actor.must("deals.create")
    draft = draft.cleaned()
    draft.check()
    stage = _stage_for(session, actor, draft)
    owner_id = draft.owner_id if draft.owner_id is not None else actor.user_id
    check_may_own(actor, owner_id)
    check_owner(session, owner_id)
    check_links(session, actor, draft.company_id, draft.person_ids)
    check_external_id(session, draft, None)
    deal = Deal(created_by_id=actor.user_id)
    _write_plain(deal, draft)
    deal.owner_id = owner_id
    _enter(session, deal, stage, TOP)
    _write_outcome(deal, draft, stage)
    session.add(deal)
    session.flush()
    session.add(
        StageMove(deal_id=deal.id, to_stage_id=stage.id, at=deal.stage_since, by_id=actor.user_id)
    )
    _write_people(session, deal.id, draft.person_ids)
    session.flush()
    return deal


def change_deal(
    session: Session, actor: Actor, deal_id: int, draft: DealDraft, *, version: int | None = None
) -> Deal:
    """Replace what is written down about the deal; begin from `draft_of` to keep the rest.

    A `stage_id` of None keeps the stage, unless the pipeline changes. A new owner takes the deal over.
    """
    deal = get_deal(session, actor, deal_id)
    check_may_change(actor, deal.owner_id)
    check_version(session, deal, version)
    draft = draft.cleaned()
    draft.check()
    before = people_of(session, [deal.id])[deal.id]
    check_change(session, actor, deal, draft)
    stage = _stage_for(session, actor, draft, deal)
    # Whatever asks the database comes first: one change is one version and one entry of the trail.
    if stage.id != deal.stage_id:
        _move(session, actor, deal, stage, TOP)
    _write_plain(deal, draft)
    _write_outcome(deal, draft, stage)
    if draft.person_ids != before:
        deal.updated_at = clock.now()  # so that the version moves on even if nothing else changed
    session.flush()
    if draft.person_ids != before:
        session.execute(delete(DealPerson).where(DealPerson.deal_id == deal.id))
        _write_people(session, deal.id, draft.person_ids)
        session.flush()
    return deal


def move_deal(session: Session, actor: Actor, deal_id: int, step: Step) -> Deal:
    """Take a deal to another stage of its pipeline, or to another place in its column.

    A won or lost stage closes it with today's date; going back to an open one opens it again.
    Raise Stale when somebody else changed the deal since `step.version`.
    """
    deal = get_deal(session, actor, deal_id)
    check_may_change(actor, deal.owner_id)
    check_version(session, deal, step.version)
    reason = clean_reason(step.lost_reason)
    stage = known_stage(session, actor, step.stage_id)
    check_pipeline(stage, deal.pipeline_id)
    if stage.id != deal.stage_id:
        _move(session, actor, deal, stage, step.place)
    else:
        deal.board_position = position_for(session, stage.id, step.place, deal.id)
    if reason and stage.type is StageType.LOST:
        deal.lost_reason = reason
    session.flush()
    return deal


def win_deal(session: Session, actor: Actor, deal_id: int, *, version: int | None = None) -> Deal:
    """Take the deal to the won stage of its pipeline."""
    deal = get_deal(session, actor, deal_id)
    stage = stage_for_status(session, actor, deal.pipeline_id, DealStatus.WON)
    return move_deal(session, actor, deal_id, Step(stage.id, version=version))


def lose_deal(
    session: Session, actor: Actor, deal_id: int, reason: str, *, version: int | None = None
) -> Deal:
    """Take the deal to the lost stage of its pipeline and keep why it was lost."""
    deal = get_deal(session, actor, deal_id)
    stage = stage_for_status(session, actor, deal.pipeline_id, DealStatus.LOST)
    step = Step(stage.id, version=version, lost_reason=reason)
    return move_deal(session, actor, deal_id, step)


def reopen_deal(
    session: Session, actor: Actor, deal_id: int, *, version: int | None = None
) -> Deal:
    """Take a closed deal back to the open stage it came from, or to the first one."""
    deal = get_deal(session, actor, deal_id)
    came_from = session.scalar(
        select(StageMove.from_stage_id)
        .join(Stage, Stage.id == StageMove.from_stage_id)
        .where(
            StageMove.deal_id == deal.id,
            Stage.pipeline_id == deal.pipeline_id,
            Stage.type == StageType.OPEN,
            Stage.deleted_at.is_(None),
        )
        .order_by(StageMove.id.desc())
        .limit(1)
    )
    stage_id = came_from or first_stage(stages_of(session, actor, deal.pipeline_id)).id
    return move_deal(session, actor, deal_id, Step(stage_id, version=version))


def stage_for_status(session: Session, actor: Actor, pipeline_id: int, status: DealStatus) -> Stage:
    """Return the stage of a pipeline in which a deal has this status; the first of the open ones."""
    return next(
        stage for stage in stages_of(session, actor, pipeline_id) if status_in(stage.type) is status
    )


def pipeline_of(session: Session, actor: Actor, draft: DealDraft) -> int:
    """Return the pipeline a draft belongs to: its own, that of its stage, else the default one."""
    if draft.pipeline_id is not None:
        return known_pipeline(session, actor, draft.pipeline_id)
    if draft.stage_id is not None:
        return known_stage(session, actor, draft.stage_id).pipeline_id
    known = default_pipeline(session, actor) or ensure_default_pipeline(session, actor)
    return known.id


def delete_deal(
    session: Session, actor: Actor, deal_id: int, *, version: int | None = None
) -> Deal:
    """Put the deal into the bin."""
    actor.must("deals.delete")
    deal = get_deal(session, actor, deal_id)
    check_may_change(actor, deal.owner_id)
    check_version(session, deal, version)
    deal.deleted_at = clock.now()
    session.flush()
    return deal


def restore_deal(session: Session, actor: Actor, deal_id: int) -> Deal:
    """Take the deal out of the bin again, into its stage or, if that is gone, the first one."""
    deal = session.scalar(binned_for(actor).where(Deal.id == deal_id))
    if deal is None:
        raise NotFound(_("There is no deal %(id)s in the bin.", id=deal_id))
    check_may_change(actor, deal.owner_id)
    check_external_id(session, draft_of(session, deal), deal.id)
    if living_stage(session, actor, deal.stage_id) is None:
        home = ensure_default_pipeline(session, actor)
        _move(session, actor, deal, first_stage(stages_of(session, actor, home.id)), TOP)
    deal.deleted_at = None
    session.flush()
    return deal


def _stage_for(session: Session, actor: Actor, draft: DealDraft, deal: Deal | None = None) -> Stage:
    """Return the stage a draft asks for, by default that of the deal, else the first of the pipeline."""
    if draft.stage_id is not None:
        stage = known_stage(session, actor, draft.stage_id)
        check_pipeline(stage, draft.pipeline_id)
        return stage
    if deal is not None and draft.pipeline_id in {None, deal.pipeline_id}:
        return known_stage(session, actor, deal.stage_id)
    return first_stage(stages_of(session, actor, pipeline_of(session, actor, draft)))


def _write_plain(deal: Deal, draft: DealDraft) -> None:
    for name in _PLAIN:
        setattr(deal, name, getattr(draft, name))
    deal.search_text = draft.search_text()


def _write_outcome(deal: Deal, draft: DealDraft, stage: Stage) -> None:
    """Write what depends on whether the deal is open, won or lost."""
    closed = stage.type is not StageType.OPEN
    deal.closed_on = (draft.closed_on or deal.closed_on or today()) if closed else None
    deal.lost_reason = draft.lost_reason if stage.type is StageType.LOST else ""
    if not closed and draft.probability is not None:
        deal.probability = draft.probability


def _write_people(session: Session, deal_id: int, person_ids: Collection[int]) -> None:
    session.add_all(
        DealPerson(deal_id=deal_id, person_id=person_id, position=position)
        for position, person_id in enumerate(person_ids)
    )


def _move(session: Session, actor: Actor, deal: Deal, stage: Stage, place: Place) -> None:
    now = clock.now()
    session.add(
        StageMove(
            deal_id=deal.id,
            from_stage_id=deal.stage_id,
            to_stage_id=stage.id,
            at=now,
            by_id=actor.user_id,
            seconds_in_from=max(0, int((now - deal.stage_since).total_seconds())),
        )
    )
    _enter(session, deal, stage, place)


def _enter(session: Session, deal: Deal, stage: Stage, place: Place) -> None:
    closed = stage.type is not StageType.OPEN
    deal.board_position = position_for(session, stage.id, place, deal.id)
    deal.pipeline_id = stage.pipeline_id
    deal.stage_id = stage.id
    deal.stage_since = clock.now()
    deal.status = status_in(stage.type)
    deal.probability = CLOSED_PROBABILITY.get(stage.type, stage.probability)
    deal.closed_on = today() if closed else None
    if stage.type is not StageType.LOST:
        deal.lost_reason = ""
