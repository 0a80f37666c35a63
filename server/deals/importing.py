"""Writing many deals at once and taking many back, as an import and its undoing do. One deal: service.py."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar

from sqlalchemy import column, func, insert, select, table, update
from sqlalchemy.orm import Session

from server.audit.service import note_many
from server.companies.queries import company_names
from server.core import clock
from server.core.actor import Actor
from server.core.errors import FieldError, Invalid
from server.core.format import today
from server.core.i18n import gettext as _
from server.deals.models import Deal, DealPerson, Stage, StageMove
from server.deals.pipelines import ensure_default_pipeline, first_stage
from server.deals.queries import (
    CHUNK,
    deals_by_external_id,
    default_pipeline,
    stages_for,
    stages_of,
    visible_to,
)
from server.deals.rules import CLOSED_PROBABILITY, GAP, DealDraft, StageType, status_in
from server.people.queries import person_names
from server.users.queries import names_of

# Where SQLite keeps the highest number it ever gave: that of a deal removed for good is not given again.
_NUMBERED = table("sqlite_sequence", column("name"), column("seq"))

T = TypeVar("T")
Refusals = dict[int, tuple[FieldError, ...]]


@dataclass(frozen=True)
class _Known:
    """What the drafts refer to and the database knows."""

    stages: dict[int, Stage]
    beginnings: dict[
        int | None, int
    ]  # the first stage of each pipeline, of the default one for None
    owners: frozenset[int]
    companies: frozenset[int]
    people: frozenset[int]
    external_ids: frozenset[tuple[str, str]]

    def stage_of(self, draft: DealDraft) -> Stage | None:
        """Return the stage in which the deal begins, None when there is no such."""
        stage_id = draft.stage_id or self.beginnings.get(draft.pipeline_id)
        stage = self.stages.get(stage_id or 0)
        fits = stage is not None and draft.pipeline_id in {None, stage.pipeline_id}
        return stage if fits else None


def check_deals(session: Session, actor: Actor, drafts: Sequence[DealDraft]) -> Refusals:
    """Return what is wrong with each draft that cannot be written, by its place; changes nothing.

    An external id that is known, or that stands in an earlier draft already, is refused as well.
    """
    clean = [draft.cleaned() for draft in drafts]
    return _refusals(actor, clean, _known(session, actor, clean))


def create_deals(session: Session, actor: Actor, drafts: Sequence[DealDraft]) -> list[int]:
    """Write down many deals and return their ids in the same order, closed ones with their history.

    Owners may be former users. Raise Invalid for the first draft that cannot be right, before any is
    written; `check_deals` names them all.
    """
    actor.must("deals.create")
    clean = [draft.cleaned() for draft in drafts]
    if not clean:
        return []
    ensure_default_pipeline(session, actor)
    known = _known(session, actor, clean)
    refusals = _refusals(actor, clean, known)
    if refusals:
        place = min(refusals)
        first = refusals[place][0]
        raise Invalid(
            _("Deal %(n)s of the list: %(message)s", n=place + 1, message=first.message),
            field=first.field,
            code=first.code,
            errors=refusals[place],
        )
    return _insert(session, actor, clean, known)


def delete_deals(session: Session, actor: Actor, ids: Collection[int]) -> int:
    """Put many deals into the bin, as undoing an import does; return how many were there."""
    actor.must("deals.delete")
    moment = clock.now()
    removed: list[int] = []
    reach = visible_to(actor).with_only_columns(Deal.id)
    if not actor.may("deals.edit_all"):
        reach = reach.where(Deal.owner_id == actor.user_id)
    for part in _parts(sorted(set(ids))):
        removed += session.scalars(
            update(Deal)
            .where(Deal.id.in_(reach.where(Deal.id.in_(part))))
            .values(deleted_at=moment, updated_at=moment, version=Deal.version + 1)
            .returning(Deal.id)
            .execution_options(synchronize_session=False)
        ).all()
    session.expire_all()
    note_many(session, actor, "delete", kind="deal", record_ids=removed)
    return len(removed)


def _key(draft: DealDraft) -> tuple[str, str]:
    return draft.external_source, draft.external_id or ""


def _refusals(actor: Actor, drafts: Sequence[DealDraft], known: _Known) -> Refusals:
    found: Refusals = {}
    taken = set(known.external_ids)
    for place, draft in enumerate(drafts):
        errors = [*draft.errors(), *_unknown(draft, known), *_foreign(actor, draft)]
        if draft.external_id is not None and _key(draft) in taken:
            sentence = _("Another deal already has the external id %(id)s.", id=draft.external_id)
            errors.append(FieldError("external_id", sentence, "external_id_taken"))
        if errors:
            found[place] = tuple(errors)
        elif draft.external_id is not None:
            taken.add(_key(draft))
    return found


def _unknown(draft: DealDraft, known: _Known) -> Iterator[FieldError]:
    # Before the first deal of all there is no stage yet; create_deals makes the standard ones.
    if known.stage_of(draft) is None and (known.stages or draft.stage_id or draft.pipeline_id):
        sentence = _("There is no stage %(id)s.", id=draft.stage_id or "")
        yield FieldError("stage_id", sentence, "unknown")
    if draft.owner_id is not None and draft.owner_id not in known.owners:
        sentence = _("There is no user %(id)s.", id=draft.owner_id)
        yield FieldError("owner_id", sentence, "unknown")
    if draft.company_id is not None and draft.company_id not in known.companies:
        sentence = _("There is no company %(id)s.", id=draft.company_id)
        yield FieldError("company_id", sentence, "unknown")
    for person_id in sorted(set(draft.person_ids) - known.people):
        sentence = _("There is no person %(id)s.", id=person_id)
        yield FieldError("person_ids", sentence, "unknown")


def _foreign(actor: Actor, draft: DealDraft) -> Iterator[FieldError]:
    if draft.owner_id not in {None, actor.user_id} and not actor.may("deals.edit_all"):
        sentence = _(
            "You may write down deals for yourself only. Make it yours; you can hand it over later."
        )
        yield FieldError("owner_id", sentence, "not_allowed")


def _known(session: Session, actor: Actor, drafts: Sequence[DealDraft]) -> _Known:
    stages = {stage.id: stage for stage in session.scalars(stages_for(actor))}
    owners = {draft.owner_id for draft in drafts if draft.owner_id is not None}
    companies = {draft.company_id for draft in drafts if draft.company_id is not None}
    people = {person for draft in drafts for person in draft.person_ids}
    return _Known(
        stages=stages,
        beginnings=_beginnings(session, actor, drafts),
        owners=frozenset(i for part in _parts(sorted(owners)) for i in names_of(session, part)),
        companies=frozenset(
            i for part in _parts(sorted(companies)) for i in company_names(session, actor, part)
        ),
        people=frozenset(
            i for part in _parts(sorted(people)) for i in person_names(session, actor, part)
        ),
        external_ids=_taken(session, actor, drafts),
    )


def _beginnings(
    session: Session, actor: Actor, drafts: Sequence[DealDraft]
) -> dict[int | None, int]:
    found: dict[int | None, int] = {}
    for pipeline_id in {draft.pipeline_id for draft in drafts if draft.stage_id is None}:
        home = default_pipeline(session, actor) if pipeline_id is None else None
        stages = stages_of(session, actor, home.id if home else pipeline_id or 0)
        if stages:
            found[pipeline_id] = first_stage(stages).id
    return found


def _taken(
    session: Session, actor: Actor, drafts: Sequence[DealDraft]
) -> frozenset[tuple[str, str]]:
    wanted: dict[str, set[str]] = {}
    for draft in drafts:
        if draft.external_id is not None:
            wanted.setdefault(draft.external_source, set()).add(draft.external_id)
    return frozenset(
        (source, external_id)
        for source, ids in wanted.items()
        for external_id in deals_by_external_id(session, actor, source, ids)
    )


def _insert(
    session: Session, actor: Actor, drafts: Sequence[DealDraft], known: _Known
) -> list[int]:
    moment = clock.now()
    placed = [(draft, stage) for draft in drafts if (stage := known.stage_of(draft)) is not None]
    places = _places(session, placed)
    rows = [
        _columns(draft, stage, moment)
        | {"board_position": place, "created_by_id": actor.user_id}
        | ({"owner_id": actor.user_id} if draft.owner_id is None else {})
        for (draft, stage), place in zip(placed, places, strict=True)
    ]
    ids = _write_rows(session, rows)
    moves = [
        {
            "deal_id": deal_id,
            "from_stage_id": None,
            "to_stage_id": row["stage_id"],
            "at": row["stage_since"],
            "by_id": actor.user_id,
            "seconds_in_from": None,
        }
        for deal_id, row in zip(ids, rows, strict=True)
    ]
    session.execute(insert(StageMove), moves)
    involved = list(_involved(ids, drafts))
    if involved:
        session.execute(insert(DealPerson), involved)
    note_many(session, actor, "create", kind="deal", record_ids=ids)
    return ids


def _write_rows(session: Session, rows: Sequence[dict[str, object]]) -> list[int]:
    """Insert the rows and return their ids in the same order."""
    # Without render_nulls every change between empty and filled columns begins a statement of its own.
    options = {"render_nulls": True}
    if session.get_bind().dialect.name != "sqlite":
        statement = insert(Deal).returning(Deal.id, sort_by_parameter_order=True)
        return list(session.scalars(statement, rows, execution_options=options))
    # SQLite would tell the ids one statement a row; as nobody else writes now, we count ourselves.
    last = session.scalar(select(_NUMBERED.c.seq).where(_NUMBERED.c.name == "deals")) or 0
    ids = list(range(last + 1, last + 1 + len(rows)))
    numbered = [row | {"id": deal_id} for deal_id, row in zip(ids, rows, strict=True)]
    session.execute(insert(Deal), numbered, execution_options=options)
    return ids


def _involved(ids: Sequence[int], drafts: Sequence[DealDraft]) -> Iterator[dict[str, int]]:
    for deal_id, draft in zip(ids, drafts, strict=True):
        for position, person_id in enumerate(draft.person_ids):
            yield {"deal_id": deal_id, "person_id": person_id, "position": position}


def _places(session: Session, placed: Sequence[tuple[DealDraft, Stage]]) -> list[int]:
    """Return a place on top of its column for each deal, the newest uppermost."""
    rows = session.execute(
        select(Deal.stage_id, func.min(Deal.board_position).label("top"))
        .where(Deal.stage_id.in_({stage.id for _draft, stage in placed}), Deal.deleted_at.is_(None))
        .group_by(Deal.stage_id)
    )
    tops = {row.stage_id: row.top for row in rows}
    places = [0] * len(placed)
    for at in sorted(range(len(placed)), key=lambda place: _day_of(placed[place][0])):
        stage_id = placed[at][1].id
        tops[stage_id] = places[at] = tops.get(stage_id, 0) - GAP
    return places


def _day_of(draft: DealDraft) -> date:
    return draft.closed_on or draft.engaged_on or date.min


def _columns(draft: DealDraft, stage: Stage, moment: datetime) -> dict[str, object]:
    closed = stage.type is not StageType.OPEN
    probability = stage.probability if draft.probability is None else draft.probability
    since = (draft.closed_on if closed else None) or draft.engaged_on
    return {
        "version": 1,
        "created_at": moment,
        "updated_at": moment,
        "title": draft.title,
        "amount": draft.amount,
        "currency": draft.currency,
        "pipeline_id": stage.pipeline_id,
        "stage_id": stage.id,
        "status": status_in(stage.type),
        "probability": CLOSED_PROBABILITY.get(stage.type, probability),
        "expected_close_on": draft.expected_close_on,
        "engaged_on": draft.engaged_on,
        "closed_on": (draft.closed_on or today()) if closed else None,
        "lost_reason": draft.lost_reason if stage.type is StageType.LOST else "",
        "product": draft.product,
        "company_id": draft.company_id,
        "owner_id": draft.owner_id,
        "external_source": draft.external_source,
        "external_id": draft.external_id,
        "stage_since": _start_of(since) if since else moment,
        "search_text": draft.search_text(),
    }


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
