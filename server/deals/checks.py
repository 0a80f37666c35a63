"""What a deal refers to must be there: stages, pipelines, owners, companies, people. Nothing is changed here."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.audit.queries import history_of
from server.companies.queries import company_names
from server.core.actor import SYSTEM, Actor
from server.core.errors import Conflict, Invalid, NotFound, Stale
from server.core.i18n import gettext as _
from server.deals.models import Deal, Stage
from server.deals.queries import get_pipeline, people_of, stages_for
from server.deals.rules import DealDraft
from server.people.queries import person_names
from server.users.queries import get_user


def check_version(session: Session, deal: Deal, version: int | None) -> None:
    """Raise Stale, naming who was faster, unless this is the version of the deal."""
    if version is None or version == deal.version:
        return
    changes = history_of(session, "deal", deal.id, limit=1)
    raise Stale(
        _(
            "%(name)s changed this deal after you opened it. Look at its current state, then try again.",
            name=changes[0].user_name if changes else _("Somebody else"),
        )
    )


def known_pipeline(session: Session, actor: Actor, pipeline_id: int) -> int:
    """Return the id of the pipeline, or raise Invalid at the field of a form."""
    try:
        return get_pipeline(session, actor, pipeline_id).id
    except NotFound as error:
        raise Invalid(error.message, field="pipeline_id") from error


def living_stage(session: Session, actor: Actor, stage_id: int) -> Stage | None:
    """Return the stage a deal is to stand in, or None when there is no such.

    It stays out of the bin until this transaction ends, so that no deal is left in a stage that is gone.
    """
    query = stages_for(actor).where(Stage.id == stage_id).with_for_update(read=True)
    return session.scalar(query.execution_options(populate_existing=True))


def known_stage(session: Session, actor: Actor, stage_id: int) -> Stage:
    """Return the stage a deal is to stand in, or raise Invalid at the field of a form."""
    stage = living_stage(session, actor, stage_id)
    if stage is None:
        raise Invalid(_("There is no stage %(id)s.", id=stage_id), field="stage_id")
    return stage


def check_pipeline(stage: Stage, pipeline_id: int | None) -> None:
    """Raise Invalid when the stage belongs to another pipeline than the one wanted."""
    if pipeline_id is not None and stage.pipeline_id != pipeline_id:
        raise Invalid(
            _(
                "The stage “%(stage)s” belongs to another pipeline. Choose a stage of this one.",
                stage=stage.name,
            ),
            field="stage_id",
        )


def check_change(session: Session, actor: Actor, deal: Deal, draft: DealDraft) -> None:
    """Raise when something the draft newly refers to is not there; what was there before may stay."""
    if draft.owner_id != deal.owner_id:
        check_owner(session, draft.owner_id)
    new_company = draft.company_id if draft.company_id != deal.company_id else None
    before = people_of(session, [deal.id])[deal.id]
    check_links(session, actor, new_company, set(draft.person_ids) - set(before))
    if (draft.external_source, draft.external_id) != (deal.external_source, deal.external_id):
        check_external_id(session, draft, deal.id)


def check_owner(session: Session, owner_id: int | None) -> None:
    """Raise Invalid unless the owner is somebody who works here now."""
    if owner_id is None:
        return
    try:
        active = get_user(session, SYSTEM, owner_id).status == "active"
    except NotFound:
        active = False
    if not active:
        raise Invalid(
            _("There is no active user %(id)s who could own the deal.", id=owner_id),
            field="owner_id",
        )


def check_links(
    session: Session, actor: Actor, company_id: int | None, person_ids: Collection[int]
) -> None:
    """Raise Invalid unless the actor sees the company and the people."""
    if company_id is not None and not company_names(session, actor, [company_id]):
        raise Invalid(_("There is no company %(id)s.", id=company_id), field="company_id")
    known = person_names(session, actor, person_ids)
    for person_id in person_ids:
        if person_id not in known:
            raise Invalid(_("There is no person %(id)s.", id=person_id), field="person_ids")


def check_external_id(session: Session, draft: DealDraft, deal_id: int | None) -> None:
    """Raise Conflict when another living deal has the external id; the database refuses it as well."""
    if draft.external_id is None:
        return
    other = session.scalar(
        select(Deal.id).where(
            Deal.external_source == draft.external_source,
            Deal.external_id == draft.external_id,
            Deal.deleted_at.is_(None),
        )
    )
    if other is not None and other != deal_id:
        raise Conflict(
            _("Another deal already has the external id %(id)s.", id=draft.external_id),
            code="external_id_taken",
        )
