"""Pipelines and their stages: the settings of selling."""

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from server.audit.queries import history_of
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Conflict, Invalid, NotAllowed, NotFound
from server.core.i18n import gettext, use_locale
from server.core.listing import ListQuery
from server.deals import pipelines, queries, service
from server.deals.models import Deal, Pipeline, Stage
from server.deals.pipelines import PipelineChange
from server.deals.rules import STANDARD_STAGES, StageDraft, StageType
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, new_deal


def names(database: Database, pipeline_id: int) -> list[str]:
    with database.read() as session:
        return [stage.name for stage in queries.stages_of(session, SYSTEM, pipeline_id)]


def test_a_new_house_speaks_its_own_language_in_its_stages(database: Database) -> None:
    with database.write(SYSTEM) as session:
        home = pipelines.ensure_default_pipeline(session, SYSTEM, "fr")
        again = pipelines.ensure_default_pipeline(session, SYSTEM, "en")

    with use_locale("fr"):
        expected = [gettext(stage.name) for stage in STANDARD_STAGES]
    assert home.id == again.id
    assert names(database, home.id) == expected
    with database.read() as session:
        stages = queries.stages_of(session, SYSTEM, home.id)
    assert [stage.type for stage in stages] == ["open", "open", "open", "won", "lost"]
    assert [stage.probability for stage in stages] == [10, 30, 60, 100, 0]


def test_only_who_edits_pipelines_changes_them(
    database: Database, cast: Cast, selling: Selling
) -> None:
    for actor in (cast.anna, cast.guest):
        with pytest.raises(NotAllowed), database.write(actor) as session:
            pipelines.create_pipeline(session, actor, "Mine")
        with pytest.raises(NotAllowed), database.write(actor) as session:
            pipelines.delete_stage(session, actor, selling.engaging)


def test_stages_are_added_renamed_and_placed(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        draft = StageDraft("  Contract ", 80, 10)
        stage = service.add_stage(session, cast.root, selling.pipeline_id, draft)
        pipelines.change_stage(session, cast.root, stage.id, draft, 0)
    assert names(database, selling.pipeline_id)[:2] == ["Contract", "Prospecting"]

    with database.write(cast.root) as session:
        pipelines.change_stage(
            session, cast.root, selling.won, StageDraft("Sold", 100, type=StageType.WON)
        )
    assert names(database, selling.pipeline_id)[-2:] == ["Sold", "Lost"]
    with database.read() as session:
        entries = history_of(session, "stage", selling.won)
    assert entries[0].changes["name"] == ["Won", "Sold"]


def test_a_stage_that_cannot_be_right_is_refused_at_its_field(
    database: Database, cast: Cast, selling: Selling
) -> None:
    for draft, field in (
        (StageDraft(" "), "name"),
        (StageDraft("x" * 201), "name"),
        (StageDraft("A", 101), "probability"),
        (StageDraft("A", 50, 0), "rot_days"),
        (StageDraft("A", 100, type=StageType.WON), "type"),
    ):
        with pytest.raises(Invalid) as refusal, database.write(cast.root) as session:
            service.add_stage(session, cast.root, selling.pipeline_id, draft)

        assert refusal.value.errors[0].field == field


def test_a_stage_with_deals_goes_only_when_it_is_said_where_they_go(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna, stage_id=selling.engaging)
    with pytest.raises(Conflict, match="1 deals stand"), database.write(cast.root) as session:
        pipelines.delete_stage(session, cast.root, selling.engaging)
    for wrong in (selling.won, selling.engaging, 999):
        with pytest.raises(Invalid), database.write(cast.root) as session:
            pipelines.delete_stage(session, cast.root, selling.engaging, move_to=wrong)

    with database.write(cast.root) as session:
        pipelines.delete_stage(session, cast.root, selling.engaging, move_to=selling.proposal)

    with database.read() as session:
        deal = queries.get_deal(session, cast.anna, deal_id)
        moves = queries.history(session, cast.anna, deal_id)
        trail = [entry.action for entry in history_of(session, "deal", deal_id)]
    assert (deal.stage_id, deal.probability, deal.version) == (selling.proposal, 60, 2)
    assert (moves[0].from_stage, moves[0].to_stage) == ("Engaging", "Proposal")
    assert trail == ["move", "create"]
    with database.write(cast.root) as session:
        pipelines.restore_stage(session, cast.root, selling.engaging)
    assert "Engaging" in names(database, selling.pipeline_id)


def test_a_pipeline_keeps_an_open_a_won_and_a_lost_stage(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        for stage_id in (selling.engaging, selling.proposal):
            pipelines.delete_stage(session, cast.root, stage_id)
    for stage_id in (selling.prospecting, selling.won, selling.lost):
        with pytest.raises(Conflict), database.write(cast.root) as session:
            pipelines.delete_stage(session, cast.root, stage_id)


def test_the_default_pipeline_is_handed_over_and_never_lost(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        other = pipelines.create_pipeline(session, cast.root, "Service")
    with pytest.raises(Conflict), database.write(cast.root) as session:
        pipelines.delete_pipeline(session, cast.root, selling.pipeline_id)
    with pytest.raises(Invalid), database.write(cast.root) as session:
        pipelines.change_pipeline(
            session, cast.root, selling.pipeline_id, PipelineChange(is_default=False)
        )

    with database.write(cast.root) as session:
        change = PipelineChange(name="Service contracts", is_default=True, position=0)
        pipelines.change_pipeline(session, cast.root, other.id, change)

    with database.read() as session:
        home = queries.default_pipeline(session, cast.anna)
        row = queries.all_pipelines(session, cast.anna)
    assert home is not None
    assert home.id == other.id
    assert [pipeline.name for pipeline in row] == ["Service contracts", "Sales"]


def test_a_pipeline_goes_and_comes_back_with_its_stages(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        other = pipelines.create_pipeline(session, cast.root, "Service").id
    deal_id = new_deal(database, cast.root, pipeline_id=other)
    with pytest.raises(Conflict, match="holds 1 deals"), database.write(cast.root) as session:
        pipelines.delete_pipeline(session, cast.root, other)

    with database.write(cast.root) as session:
        service.delete_deal(session, cast.root, deal_id)
        pipelines.delete_pipeline(session, cast.root, other)
    assert names(database, other) == []
    with database.write(cast.root) as session:
        back = service.restore_deal(session, cast.root, deal_id)
        assert back.stage_id == selling.prospecting
        pipelines.restore_pipeline(session, cast.root, other)

    assert names(database, other)[0] == "Prospecting"
    with pytest.raises(NotFound), database.write(cast.root) as session:
        pipelines.restore_pipeline(session, cast.root, other)


def test_an_imported_name_finds_its_stage_in_any_language(database: Database, cast: Cast) -> None:
    with database.write(SYSTEM) as session:
        home = pipelines.ensure_default_pipeline(session, SYSTEM, "fa").id

    with database.write(cast.root) as session:
        root = cast.root
        engaging = service.find_or_add_stage(session, root, home, "engaging")
        won = service.find_or_add_stage(session, root, home, "Closed Won", StageType.WON)
        new = service.find_or_add_stage(session, root, home, "Legal check")
        same = service.find_or_add_stage(session, root, home, "LEGAL  check")
        order = [stage.id for stage in queries.stages_of(session, root, home)]

    assert order.index(engaging.id) == 1
    assert won.type is StageType.WON
    assert new.id == same.id
    assert order.index(new.id) == 3


def test_the_database_itself_refuses_a_second_default_a_second_won_stage_and_a_foreign_stage(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        other = pipelines.create_pipeline(session, cast.root, "Service").id
    deal_id = new_deal(database, cast.anna)

    for change in (
        update(Pipeline).where(Pipeline.id == other).values(is_default=True),
        update(Stage).where(Stage.id == selling.engaging).values(type=StageType.WON),
        update(Stage).where(Stage.id == selling.engaging).values(type=StageType.LOST),
        update(Deal).where(Deal.id == deal_id).values(pipeline_id=other),
    ):
        with pytest.raises(IntegrityError), database.write(SYSTEM) as session:
            session.execute(change)

    with database.read() as session:
        assert session.scalar(select(func.count()).where(Pipeline.is_default)) == 1


def test_pipelines_are_listed_in_their_order(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        pipelines.create_pipeline(session, cast.root, "Service")

    with database.read() as session:
        page = queries.list_pipelines(session, cast.guest, ListQuery())
        stages = queries.all_stages(session, cast.guest)
    assert [pipeline.name for pipeline in page.items] == ["Sales", "Service"]
    assert [len(found) for found in stages.values()] == [5, 5]
