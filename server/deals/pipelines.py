"""Changing pipelines and their stages: the settings of selling, for who holds pipelines.edit."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, insert, literal, select, update
from sqlalchemy.orm import Session

from server.audit.service import note_many
from server.core import clock
from server.core.actor import Actor
from server.core.errors import Conflict, Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.i18n import use_locale
from server.deals.models import Deal, Pipeline, Stage, StageMove
from server.deals.queries import (
    default_pipeline,
    get_pipeline,
    get_stage,
    pipelines_for,
    stages_for,
    stages_of,
)
from server.deals.rules import (
    FIRST_PIPELINE,
    STANDARD_STAGES,
    StageDraft,
    StageType,
    clean_name,
    same_stage,
)


@dataclass(frozen=True)
class PipelineChange:
    """What can be changed about a pipeline; None leaves a thing as it is."""

    name: str | None = None
    is_default: bool | None = None
    position: int | None = None


def first_stage(stages: Sequence[Stage]) -> Stage:
    """Return the stage in which a deal begins."""
    return stages[0]


def ensure_default_pipeline(session: Session, actor: Actor, locale: str | None = None) -> Pipeline:
    """Return the default pipeline, made with the standard stages if there is none yet.

    Its names are written in the language given, by default the actor's. Anybody's first deal may call it.
    """
    lock_pipelines(session)
    known = session.scalar(
        select(Pipeline).where(Pipeline.is_default, Pipeline.deleted_at.is_(None))
    )
    if known is not None:
        return known
    with use_locale(locale or actor.locale):
        return _new_pipeline(session, actor, _(FIRST_PIPELINE), is_default=True)


def create_pipeline(session: Session, actor: Actor, name: str) -> Pipeline:
    """Write down a new pipeline with the standard stages; the first one becomes the default."""
    actor.must("pipelines.edit")
    name = _pipeline_name(name)
    lock_pipelines(session)
    is_default = default_pipeline(session, actor) is None
    return _new_pipeline(session, actor, name, is_default=is_default)


def change_pipeline(
    session: Session, actor: Actor, pipeline_id: int, change: PipelineChange
) -> Pipeline:
    """Rename a pipeline, give it another place, or make it the default in place of the present one."""
    actor.must("pipelines.edit")
    lock_pipelines(session)
    pipeline = get_pipeline(session, actor, pipeline_id)
    if change.name is not None:
        pipeline.name = _pipeline_name(change.name)
    if change.is_default is not None and change.is_default != pipeline.is_default:
        _make_default(session, actor, pipeline, wanted=change.is_default)
    if change.position is not None:
        query = pipelines_for(actor).order_by(Pipeline.position, Pipeline.id)
        _place(list(session.scalars(query)), pipeline, change.position)
    session.flush()
    return pipeline


def delete_pipeline(session: Session, actor: Actor, pipeline_id: int) -> Pipeline:
    """Put a pipeline without deals into the bin. The default one stays."""
    actor.must("pipelines.edit")
    lock_pipelines(session)
    pipeline = get_pipeline(session, actor, pipeline_id)
    if pipeline.is_default:
        raise Conflict(
            _("New deals go to this pipeline. Make another one the default first."),
            code="default_pipeline",
        )
    _hold(session, Stage.pipeline_id == pipeline_id)
    count = _count(session, Deal.pipeline_id == pipeline_id)
    if count:
        raise Conflict(
            _(
                "The pipeline “%(name)s” still holds %(n)s deals. Move them to another pipeline first.",
                name=pipeline.name,
                n=count,
            ),
            code="not_empty",
        )
    moment = clock.now()
    pipeline.deleted_at = moment
    for stage in stages_of(session, actor, pipeline_id):
        stage.deleted_at = moment
    session.flush()
    return pipeline


def restore_pipeline(session: Session, actor: Actor, pipeline_id: int) -> Pipeline:
    """Take a pipeline out of the bin, with the stages that went there with it."""
    actor.must("pipelines.edit")
    lock_pipelines(session)
    pipeline = session.scalar(
        select(Pipeline).where(Pipeline.id == pipeline_id, Pipeline.deleted_at.is_not(None))
    )
    if pipeline is None:
        raise NotFound(_("There is no pipeline %(id)s in the bin.", id=pipeline_id))
    query = select(Stage).where(
        Stage.pipeline_id == pipeline_id, Stage.deleted_at == pipeline.deleted_at
    )
    for stage in session.scalars(query):
        stage.deleted_at = None
    pipeline.deleted_at = None
    session.flush()
    return pipeline


def add_stage(session: Session, actor: Actor, pipeline_id: int, draft: StageDraft) -> Stage:
    """Add a stage after the last open one."""
    actor.must("pipelines.edit")
    return _add_stage(session, actor, pipeline_id, draft)


def find_or_add_stage(
    session: Session,
    actor: Actor,
    pipeline_id: int,
    name: str,
    stage_type: StageType = StageType.OPEN,
) -> Stage:
    """Return the stage that an imported name means, added as an open one if nothing matches.

    A name matches when it is equal but for letters' forms, or a translation of the same standard word;
    a closed type matches the pipeline's one won or lost stage.
    """
    stages = stages_of(session, actor, pipeline_id)
    for stage in stages:
        if same_stage(stage.name, name):
            return stage
    for stage in stages:
        if stage_type is not StageType.OPEN and stage.type is stage_type:
            return stage
    actor.must("imports.run")
    return _add_stage(session, actor, pipeline_id, StageDraft(name))


def change_stage(
    session: Session, actor: Actor, stage_id: int, draft: StageDraft, position: int | None = None
) -> Stage:
    """Replace what is written down about a stage, and give an open one another place if wanted.

    Deals that stand in it keep their own probability.
    """
    actor.must("pipelines.edit")
    stage = get_stage(session, actor, stage_id)
    draft.check()
    if draft.type is not stage.type:
        raise Invalid(
            _("A stage stays open, won or lost for good. Add another stage instead."), field="type"
        )
    stage.name = clean_name(draft.name, _("A stage needs a name."))
    stage.probability = draft.probability
    stage.rot_days = draft.rot_days
    if position is not None and stage.type is StageType.OPEN:
        stages = stages_of(session, actor, stage.pipeline_id)
        _place([each for each in stages if each.type is StageType.OPEN], stage, position)
    session.flush()
    return stage


def stage_draft_of(stage: Stage) -> StageDraft:
    """Return what is written down about the stage, to be changed and handed back."""
    return StageDraft(stage.name, stage.probability, stage.rot_days, stage.type)


def delete_stage(
    session: Session, actor: Actor, stage_id: int, *, move_to: int | None = None
) -> Stage:
    """Put an open stage into the bin; deals that stand in it go to the open stage `move_to`."""
    actor.must("pipelines.edit")
    lock_pipelines(session)
    _hold(session, Stage.id == stage_id)
    stage = get_stage(session, actor, stage_id)
    open_ones = [
        each for each in stages_of(session, actor, stage.pipeline_id) if each.type is StageType.OPEN
    ]
    if stage.type is not StageType.OPEN or len(open_ones) == 1:
        raise Conflict(
            _("A pipeline needs an open, a won and a lost stage. Rename this one instead."),
            code="stage_needed",
        )
    target = _target(stage, open_ones, move_to)
    if target is not None:
        _move_all(session, actor, stage, target)
    elif count := _count(session, Deal.stage_id == stage_id):
        raise Conflict(
            _(
                "%(n)s deals stand in “%(name)s”. Say to which stage they should go.",
                n=count,
                name=stage.name,
            ),
            code="not_empty",
        )
    stage.deleted_at = clock.now()
    session.flush()
    return stage


def restore_stage(session: Session, actor: Actor, stage_id: int) -> Stage:
    """Take a stage of a living pipeline out of the bin."""
    actor.must("pipelines.edit")
    stage = session.scalar(select(Stage).where(Stage.id == stage_id, Stage.deleted_at.is_not(None)))
    if stage is None:
        raise NotFound(_("There is no stage %(id)s in the bin.", id=stage_id))
    get_pipeline(session, actor, stage.pipeline_id)
    stage.deleted_at = None
    session.flush()
    return stage


def _pipeline_name(name: str) -> str:
    return clean_name(name, _("A pipeline needs a name."))


def lock_pipelines(session: Session) -> None:
    """Let one writer at a time change which pipelines there are; SQLite does so by itself."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_PIPELINES_LOCK)))


def _hold(session: Session, condition: ColumnElement[bool]) -> None:
    """Let no deal come into these stages while it is counted who stands there; see living_stage."""
    query = select(Stage).where(condition).order_by(Stage.id).with_for_update()
    session.scalars(query.execution_options(populate_existing=True)).all()


_PIPELINES_LOCK = 0x70697065  # any fixed number that no other lock of ours uses


def _new_pipeline(session: Session, actor: Actor, name: str, *, is_default: bool) -> Pipeline:
    last = session.scalar(select(func.max(Pipeline.position)))
    pipeline = Pipeline(
        name=name,
        position=0 if last is None else last + 1,
        is_default=is_default,
        created_by_id=actor.user_id,
    )
    session.add(pipeline)
    session.flush()
    for position, standard in enumerate(STANDARD_STAGES):
        session.add(
            Stage(
                pipeline_id=pipeline.id,
                name=_(standard.name),
                position=position,
                type=standard.type,
                probability=standard.probability,
                rot_days=standard.rot_days,
                created_by_id=actor.user_id,
            )
        )
    session.flush()
    return pipeline


def _make_default(session: Session, actor: Actor, pipeline: Pipeline, *, wanted: bool) -> None:
    if not wanted:
        raise Invalid(
            _("New deals need a pipeline to go to. Make another one the default instead."),
            field="is_default",
        )
    present = session.scalar(pipelines_for(actor).where(Pipeline.is_default))
    if present is not None:
        present.is_default = False
        session.flush()  # the database refuses two defaults, even for a moment
    pipeline.is_default = True


def _place(row: Sequence[Pipeline] | Sequence[Stage], moved: Pipeline | Stage, to: int) -> None:
    others = [each for each in row if each is not moved]
    others.insert(max(0, min(to, len(others))), moved)
    for position, each in enumerate(others):
        each.position = position


def _add_stage(session: Session, actor: Actor, pipeline_id: int, draft: StageDraft) -> Stage:
    get_pipeline(session, actor, pipeline_id)
    draft.check()
    stages = session.scalars(stages_for(actor).where(Stage.pipeline_id == pipeline_id)).all()
    if draft.type is not StageType.OPEN and any(each.type is draft.type for each in stages):
        raise Invalid(
            _("This pipeline has its won and its lost stage already. A new stage is an open one."),
            field="type",
        )
    stage = Stage(
        pipeline_id=pipeline_id,
        name=clean_name(draft.name, _("A stage needs a name.")),
        position=1 + max((each.position for each in stages), default=-1),
        type=draft.type,
        probability=draft.probability,
        rot_days=draft.rot_days,
        created_by_id=actor.user_id,
    )
    session.add(stage)
    session.flush()
    return stage


def _target(stage: Stage, open_ones: Sequence[Stage], move_to: int | None) -> Stage | None:
    if move_to is None:
        return None
    for each in open_ones:
        if each.id == move_to and each is not stage:
            return each
    raise Invalid(
        _("The deals can go to another open stage of the same pipeline only."), field="move_to"
    )


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Deal)
    return session.scalar(query.where(condition, Deal.deleted_at.is_(None))) or 0


def _move_all(session: Session, actor: Actor, stage: Stage, target: Stage) -> None:
    """Take every deal along, those in the bin included, so that one restored has its place."""
    now = clock.now()
    deals = session.execute(
        select(Deal.id, Deal.stage_since).where(Deal.stage_id == stage.id)
    ).all()
    if not deals:
        return
    session.execute(
        insert(StageMove),
        [
            {
                "deal_id": deal_id,
                "from_stage_id": stage.id,
                "to_stage_id": target.id,
                "at": now,
                "by_id": actor.user_id,
                "seconds_in_from": max(0, int((now - since).total_seconds())),
            }
            for deal_id, since in deals
        ],
    )
    session.execute(
        update(Deal)
        .where(Deal.stage_id == stage.id)
        .values(
            stage_id=literal(target.id),
            stage_since=now,
            updated_at=now,
            probability=target.probability,
            version=Deal.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    note_many(
        session, actor, "move", kind="deal", record_ids=[deal_id for deal_id, _since in deals]
    )
