"""Removing for good what waited in the bin long enough: deals, stages and pipelines. For the nightly job."""

from datetime import datetime

from sqlalchemy import column, delete, or_, select, table
from sqlalchemy.orm import Session

from server.audit.service import note_many
from server.core.actor import SYSTEM
from server.core.bin import overdue
from server.deals.models import Deal, Pipeline, Stage, StageMove
from server.deals.pipelines import lock_pipelines

_LINKS = table("activity_links", column("kind"), column("record_id"))
_passed = or_(StageMove.to_stage_id == Stage.id, StageMove.from_stage_id == Stage.id)


def purge_deals(session: Session, moment: datetime) -> int:
    """Remove the next deals whose time in the bin is over; who was involved and every move go along."""
    ids = overdue(session, Deal, moment)
    if ids:
        session.execute(delete(_LINKS).where(_LINKS.c.kind == "deal", _LINKS.c.record_id.in_(ids)))
        session.execute(delete(Deal).where(Deal.id.in_(ids)))
        note_many(session, SYSTEM, "purge", kind="deal", record_ids=ids)
    return len(ids)


def purge_stages(session: Session, moment: datetime) -> int:
    """Remove the next stages whose time in the bin is over, in which no deal stands or ever stood.

    Stages that went to the bin with their pipeline wait for it: it is taken out with all of them.
    """
    together = select(Pipeline.id).where(
        Pipeline.id == Stage.pipeline_id, Pipeline.deleted_at == Stage.deleted_at
    )
    standing = select(Deal.id).where(
        Deal.pipeline_id == Stage.pipeline_id, Deal.stage_id == Stage.id
    )
    moved = select(StageMove.id).where(_passed)
    ids = overdue(session, Stage, moment, together, standing, moved)
    if ids:
        session.execute(delete(Stage).where(Stage.id.in_(ids)))
        note_many(session, SYSTEM, "purge", kind="stage", record_ids=ids)
    return len(ids)


def purge_pipelines(session: Session, moment: datetime) -> int:
    """Remove the next pipelines whose time in the bin is over, with their stages, once no deal knows them."""
    lock_pipelines(session)
    standing = select(Deal.id).where(Deal.pipeline_id == Pipeline.id)
    moved = select(StageMove.id).join(Stage, _passed).where(Stage.pipeline_id == Pipeline.id)
    ids = overdue(session, Pipeline, moment, standing, moved)
    if ids:
        of_them = Stage.pipeline_id.in_(ids)
        stage_ids = list(session.scalars(select(Stage.id).where(of_them)))
        session.execute(delete(Stage).where(of_them))
        session.execute(delete(Pipeline).where(Pipeline.id.in_(ids)))
        note_many(session, SYSTEM, "purge", kind="stage", record_ids=stage_ids)
        note_many(session, SYSTEM, "purge", kind="pipeline", record_ids=ids)
    return len(ids)
