"""Writing many deals at once, as an import does, and taking an import back. One deal: service.py."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from server.audit.service import note_many
from server.companies.models import Company
from server.core import clock
from server.core.actor import Actor
from server.core.errors import DaftarError, FieldError, Invalid
from server.core.format import today
from server.core.i18n import gettext as _
from server.deals.models import Deal, DealPerson, Stage, StageMove
from server.deals.queries import CHUNK, default_pipeline, people_of, stages_for, stages_of
from server.deals.rules import CLOSED_PROBABILITY, GAP, DealDraft, StageType, status_in
from server.deals.service import change_deal, deal_search_text, draft_with
from server.people.models import Person
from server.users.models import User

T = TypeVar("T")


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    SKIPPED = "skipped"
    REFUSED = "refused"


class Mode(StrEnum):
    """What to do with rows: write down new deals, change known ones (by external id), or both."""

    CREATE = "create"
    UPDATE = "update"
    BOTH = "both"


@dataclass(frozen=True)
class RowResult:
    """What became of one row. `message` says why one was skipped or refused, `errors` names fields."""

    outcome: Outcome
    deal_id: int | None = None
    message: str = ""
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class _Known:
    """What the rows refer to and the database knows."""

    stages: Mapping[int, Stage]
    default_stage_id: int | None
    owners: frozenset[int]
    companies: frozenset[int]
    people: frozenset[int]
    deals: Mapping[tuple[str, str], Deal]
    involved: Mapping[int, tuple[int, ...]]


def import_deals(
    session: Session, actor: Actor, rows: Sequence[DealDraft], *, mode: Mode = Mode.BOTH
) -> tuple[RowResult, ...]:
    """Write many deals; return what became of each row, in the same order.

    A row whose external id is known changes that deal, or is skipped when it says nothing new; a
    second row of the same external id is skipped. Without an external id a row is always new.
    Owners may be former users. A bad row is refused and stops no other.
    """
    actor.must("imports.run")
    drafts = [row.cleaned() for row in rows]
    known = _known(session, actor, drafts)
    results: list[RowResult | None] = [None] * len(drafts)
    new: list[int] = []
    seen: set[tuple[str, str]] = set()
    for place, draft in enumerate(drafts):
        results[place] = _early(draft, known, seen, mode)
        if results[place] is None and _key(draft) in known.deals:
            results[place] = _update(session, actor, draft, known)
        elif results[place] is None:
            new.append(place)
    ids = _insert(session, actor, [drafts[place] for place in new], known)
    for place, deal_id in zip(new, ids, strict=True):
        results[place] = RowResult(Outcome.CREATED, deal_id)
    return tuple(result for result in results if result is not None)


def remove_imported(
    session: Session, actor: Actor, deal_ids: Collection[int], *, changed_too: bool = False
) -> tuple[int, ...]:
    """Put deals that an import wrote into the bin; return their ids.

    Deals that somebody has changed since stay, unless `changed_too`.
    """
    actor.must("imports.run")
    moment = clock.now()
    removed: list[int] = []
    for part in _parts(sorted(set(deal_ids))):
        condition = Deal.id.in_(part) & Deal.deleted_at.is_(None)
        if not changed_too:
            condition &= Deal.version == 1
        removed += session.scalars(
            update(Deal)
            .where(condition)
            .values(deleted_at=moment, updated_at=moment, version=Deal.version + 1)
            .returning(Deal.id)
            .execution_options(synchronize_session=False)
        ).all()
    session.expire_all()
    note_many(session, actor, "delete", kind="deal", record_ids=removed)
    return tuple(sorted(removed))


def _key(draft: DealDraft) -> tuple[str, str]:
    return draft.external_source, draft.external_id or ""


def _early(
    draft: DealDraft, known: _Known, seen: set[tuple[str, str]], mode: Mode
) -> RowResult | None:
    """Return what becomes of a row that is neither inserted nor compared, else None."""
    errors = draft.errors() + _unknown(draft, known)
    if errors:
        return RowResult(Outcome.REFUSED, None, errors[0].message, tuple(errors))
    if draft.external_id is not None and _key(draft) in seen:
        sentence = _(
            "The external id %(id)s stands in an earlier row already.", id=draft.external_id
        )
        return RowResult(Outcome.SKIPPED, None, sentence)
    seen.add(_key(draft))
    existing = known.deals.get(_key(draft)) if draft.external_id is not None else None
    if existing is not None and mode is Mode.CREATE:
        return RowResult(Outcome.SKIPPED, existing.id, _("This deal exists already."))
    if existing is None and mode is Mode.UPDATE:
        return RowResult(Outcome.SKIPPED, None, _("There is no such deal to update."))
    return None


def _unknown(draft: DealDraft, known: _Known) -> list[FieldError]:
    found = []
    stage_id = draft.stage_id or known.default_stage_id
    if stage_id not in known.stages:
        sentence = _("There is no stage %(id)s.", id=draft.stage_id)
        found.append(FieldError("stage_id", sentence, "unknown"))
    if draft.owner_id is not None and draft.owner_id not in known.owners:
        sentence = _("There is no user %(id)s.", id=draft.owner_id)
        found.append(FieldError("owner_id", sentence, "unknown"))
    if draft.company_id is not None and draft.company_id not in known.companies:
        sentence = _("There is no company %(id)s.", id=draft.company_id)
        found.append(FieldError("company_id", sentence, "unknown"))
    for person_id in set(draft.person_ids) - known.people:
        sentence = _("There is no person %(id)s.", id=person_id)
        found.append(FieldError("person_ids", sentence, "unknown"))
    return found


def _known(session: Session, actor: Actor, drafts: Sequence[DealDraft]) -> _Known:
    stages = {stage.id: stage for stage in session.scalars(stages_for(actor))}
    home = default_pipeline(session, actor)
    first = stages_of(session, actor, home.id)[0].id if home is not None else None
    owners = {draft.owner_id for draft in drafts if draft.owner_id is not None}
    companies = {draft.company_id for draft in drafts if draft.company_id is not None}
    people = {person for draft in drafts for person in draft.person_ids}
    deals = _known_deals(session, drafts)
    return _Known(
        stages=stages,
        default_stage_id=first,
        owners=_existing(session, User, owners),
        companies=_existing(session, Company, companies),
        people=_existing(session, Person, people),
        deals=deals,
        involved=_involved_in(session, [deal.id for deal in deals.values()]),
    )


def _existing(
    session: Session, table: type[User] | type[Company] | type[Person], ids: Collection[int]
) -> frozenset[int]:
    found: set[int] = set()
    for part in _parts(sorted(ids)):
        query = select(table.id).where(table.id.in_(part), table.deleted_at.is_(None))
        found.update(session.scalars(query))
    return frozenset(found)


def _known_deals(session: Session, drafts: Sequence[DealDraft]) -> dict[tuple[str, str], Deal]:
    wanted: dict[str, set[str]] = {}
    for draft in drafts:
        if draft.external_id is not None:
            wanted.setdefault(draft.external_source, set()).add(draft.external_id)
    known: dict[tuple[str, str], Deal] = {}
    for source, external_ids in wanted.items():
        for part in _parts(sorted(external_ids)):
            query = select(Deal).where(
                Deal.external_source == source,
                Deal.external_id.in_(part),
                Deal.deleted_at.is_(None),
            )
            known |= {(source, deal.external_id or ""): deal for deal in session.scalars(query)}
    return known


def _involved_in(session: Session, deal_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for part in _parts(deal_ids):
        found |= people_of(session, part)
    return found


def _update(session: Session, actor: Actor, draft: DealDraft, known: _Known) -> RowResult:
    deal = known.deals[_key(draft)]
    before = draft_with(deal, known.involved[deal.id])
    wanted = _filled(draft, before)
    if wanted == before:
        return RowResult(Outcome.SKIPPED, deal.id, _("This deal exists already."))
    try:
        with session.begin_nested():
            change_deal(session, actor, deal.id, wanted)
    except DaftarError as refusal:
        errors = refusal.errors if isinstance(refusal, Invalid) else ()
        return RowResult(Outcome.REFUSED, deal.id, refusal.message, errors)
    return RowResult(Outcome.UPDATED, deal.id)


def _filled(draft: DealDraft, before: DealDraft) -> DealDraft:
    """Return the deal as the row wants it: what the row leaves empty stays as it is."""
    empty = DealDraft(title="", currency="")
    stays = {
        name: value
        for name, value in vars(before).items()
        if getattr(draft, name) == getattr(empty, name)
    }
    merged = replace(draft, **stays)
    moved = draft.stage_id is not None and draft.stage_id != before.stage_id
    if not moved:
        return merged
    # The stage brings its pipeline and, unless the row says otherwise, its probability along.
    return replace(merged, pipeline_id=draft.pipeline_id, probability=draft.probability)


def _insert(
    session: Session, actor: Actor, drafts: Sequence[DealDraft], known: _Known
) -> list[int]:
    if not drafts:
        return []
    moment = clock.now()
    places = _places(session, drafts, known)
    rows = [
        _columns(draft, _stage_of(draft, known), moment)
        | {"board_position": place, "created_by_id": actor.user_id}
        for draft, place in zip(drafts, places, strict=True)
    ]
    statement = insert(Deal).returning(Deal.id, sort_by_parameter_order=True)
    ids = list(session.scalars(statement, rows))
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


def _involved(ids: Sequence[int], drafts: Sequence[DealDraft]) -> Iterator[dict[str, int]]:
    for deal_id, draft in zip(ids, drafts, strict=True):
        for position, person_id in enumerate(draft.person_ids):
            yield {"deal_id": deal_id, "person_id": person_id, "position": position}


def _stage_of(draft: DealDraft, known: _Known) -> Stage:
    return known.stages[draft.stage_id or known.default_stage_id or 0]


def _places(session: Session, drafts: Sequence[DealDraft], known: _Known) -> list[int]:
    """Return a place on top of its column for each deal, the newest uppermost."""
    rows = session.execute(
        select(Deal.stage_id, func.min(Deal.board_position).label("top"))
        .where(Deal.deleted_at.is_(None))
        .group_by(Deal.stage_id)
    )
    tops = {row.stage_id: row.top for row in rows}
    places = [0] * len(drafts)
    for at in sorted(range(len(drafts)), key=lambda place: _day_of(drafts[place])):
        stage_id = _stage_of(drafts[at], known).id
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
        "search_text": deal_search_text(draft),
    }


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
