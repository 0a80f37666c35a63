"""JSON shapes of deals, pipelines and stages."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from server.core.clock import rfc3339
from server.deals.models import Deal, Pipeline, Stage
from server.deals.rules import (
    MAX_AMOUNT,
    MAX_PEOPLE,
    MAX_REASON,
    MAX_ROT_DAYS,
    MAX_TITLE,
    DealDraft,
    DealStatus,
    StageType,
    weighted,
)
from server.http.rest import Body, Line, ListShown, RecordId, Shown, Whole

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: object) -> object:
    # JSON has no dates; an ISO date in a string is one, and nothing else is.
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        return date.fromisoformat(value)
    return value


def _word(kind: type[DealStatus]) -> BeforeValidator:
    return BeforeValidator(lambda value: kind(value) if isinstance(value, str) else value)


Day = Annotated[
    date,
    BeforeValidator(
        _day, json_schema_input_type=Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    ),
]
Percent = Annotated[Whole, Field(ge=0, le=100)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
People = Annotated[list[RecordId], Field(max_length=MAX_PEOPLE)]
Status = Annotated[DealStatus, _word(DealStatus)]
Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]
Place = Annotated[Whole, Field(ge=0, le=10_000)]


class DealChange(Body):
    """What to change; members left out stay as they are. `amount` is in minor units of `currency`.

    `status` alone takes the deal to the won, lost or first open stage of its pipeline.
    """

    title: Title = ""
    amount: Annotated[Whole, Field(ge=0, le=MAX_AMOUNT)] = 0
    currency: Currency = ""
    pipeline_id: RecordId | None = None
    stage_id: RecordId | None = None
    status: Status | None = None
    probability: Percent | None = None
    expected_close_on: Day | None = None
    engaged_on: Day | None = None
    closed_on: Day | None = None
    lost_reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    product: Line = ""
    company_id: RecordId | None = None
    person_ids: People = Field(default_factory=list)
    owner_id: RecordId | None = None
    external_source: Line = ""
    external_id: Line | None = None


class NewDeal(DealChange):
    """A deal to write down; without a currency it is in that of the organisation."""

    title: Title

    def draft(self, currency: str) -> DealDraft:
        """Return the body as the service takes it."""
        return DealDraft(**{"currency": currency} | sent(self))  # type: ignore[arg-type] # the body's types


class DealShown(Shown):
    """A deal as the API tells it. `weighted_amount` is the amount times the probability."""

    id: int
    version: int
    title: str
    amount: int
    currency: str
    weighted_amount: int
    pipeline_id: int
    stage_id: int
    status: DealStatus
    probability: int
    expected_close_on: str | None
    engaged_on: str | None
    closed_on: str | None
    lost_reason: str
    product: str
    company_id: int | None
    person_ids: list[int]
    owner_id: int | None
    external_source: str
    external_id: str | None
    stage_since: str
    created_at: str
    updated_at: str
    created_by_id: int | None
    deleted_at: str | None


class DealList(ListShown):
    """One page of deals."""

    items: list[DealShown]


class NewPipeline(Body):
    """A pipeline to write down; it begins with the standard stages."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class PipelineChange(Body):
    """What to change; members left out stay as they are."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    is_default: bool = False
    position: Place = 0


class PipelineShown(Shown):
    """A pipeline as the API tells it."""

    id: int
    version: int
    name: str
    position: int
    is_default: bool
    created_at: str
    updated_at: str
    created_by_id: int | None
    deleted_at: str | None


class PipelineList(ListShown):
    """One page of pipelines."""

    items: list[PipelineShown]


class StageChange(Body):
    """What to change; members left out stay as they are."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    probability: Percent = 50
    rot_days: Annotated[Whole, Field(ge=1, le=MAX_ROT_DAYS)] | None = None
    position: Place = 0


class NewStage(StageChange):
    """An open stage to add to a pipeline, after its other open ones."""

    pipeline_id: RecordId
    name: Annotated[str, Field(min_length=1, max_length=200)]


class StageShown(Shown):
    """A stage as the API tells it. `rot_days` is after how many days a deal in it counts as stuck."""

    id: int
    version: int
    pipeline_id: int
    name: str
    position: int
    type: StageType
    probability: int
    rot_days: int | None
    created_at: str
    updated_at: str
    created_by_id: int | None
    deleted_at: str | None


class StageList(ListShown):
    """One page of stages."""

    items: list[StageShown]


def sent(body: DealChange) -> dict[str, object]:
    """Return the members that the caller sent, as the fields of a draft."""
    members = body.sent()
    members.pop("status", None)
    if "person_ids" in members:
        members["person_ids"] = tuple(members["person_ids"])
    return members


def _moments(record: Deal | Pipeline | Stage) -> dict[str, object]:
    return {
        "created_at": rfc3339(record.created_at),
        "updated_at": rfc3339(record.updated_at),
        "deleted_at": rfc3339(record.deleted_at) if record.deleted_at else None,
    }


def _plain(
    record: Deal | Pipeline | Stage, shape: type[Shown], besides: Iterable[str]
) -> dict[str, object]:
    return {name: getattr(record, name) for name in shape.model_fields if name not in besides}


def show_deal(deal: Deal, person_ids: tuple[int, ...]) -> dict[str, object]:
    """Return the JSON object of a deal."""
    days = {
        name: value.isoformat() if value else None
        for name, value in (
            ("expected_close_on", deal.expected_close_on),
            ("engaged_on", deal.engaged_on),
            ("closed_on", deal.closed_on),
        )
    }
    made = {
        **days,
        **_moments(deal),
        "stage_since": rfc3339(deal.stage_since),
        "weighted_amount": weighted(deal.amount, deal.probability),
        "person_ids": list(person_ids),
    }
    return {**_plain(deal, DealShown, made), **made}


def show_pipeline(pipeline: Pipeline) -> dict[str, object]:
    """Return the JSON object of a pipeline."""
    moments = _moments(pipeline)
    return {**_plain(pipeline, PipelineShown, moments), **moments}


def show_stage(stage: Stage) -> dict[str, object]:
    """Return the JSON object of a stage."""
    moments = _moments(stage)
    return {**_plain(stage, StageShown, moments), **moments}
