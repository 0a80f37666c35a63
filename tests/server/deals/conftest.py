"""Deals of the cast: a default pipeline, and short ways to write one down."""

from dataclasses import dataclass

import pytest

from server.companies import service as companies
from server.companies.rules import CompanyDraft
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.deals import queries
from server.deals.pipelines import ensure_default_pipeline
from server.deals.rules import DealDraft
from server.deals.service import create_deal, create_deals
from tests.server.conftest import Cast


@dataclass(frozen=True)
class Selling:
    """The default pipeline and the ids of its standard stages."""

    pipeline_id: int
    prospecting: int
    engaging: int
    proposal: int
    won: int
    lost: int


@pytest.fixture
def selling(database: Database, cast: Cast) -> Selling:
    """Give the standard pipeline, in English."""
    return standard_pipeline(database)


def standard_pipeline(database: Database) -> Selling:
    """Make the standard pipeline, in English."""
    with database.write(SYSTEM) as session:
        pipeline = ensure_default_pipeline(session, SYSTEM, "en")
        stages = queries.stages_of(session, SYSTEM, pipeline.id)
        return Selling(pipeline.id, *(stage.id for stage in stages))


def new_deal(database: Database, actor: Actor, **wishes: object) -> int:
    """Write down a deal of this actor and return its id."""
    draft = DealDraft(**{"title": "Ten pumps", "currency": "USD", "amount": 100_00} | wishes)  # type: ignore[arg-type] # tests name fields
    with database.write(actor) as session:
        return create_deal(session, actor, draft).id


def many_deals(database: Database, count: int, **wishes: object) -> list[int]:
    """Write down many deals of nobody and return their ids."""
    drafts = [
        DealDraft(**{"title": f"Deal {n}", "currency": "USD", "amount": n} | wishes)  # type: ignore[arg-type] # tests name fields
        for n in range(count)
    ]
    with database.write(SYSTEM) as session:
        return create_deals(session, SYSTEM, drafts)


def new_company(database: Database, name: str) -> int:
    """Write down a company and return its id."""
    with database.write(SYSTEM) as session:
        return companies.create_company(session, SYSTEM, CompanyDraft(name=name)).id
