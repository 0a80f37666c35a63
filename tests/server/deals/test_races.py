"""Several processes at once: the rules of deals hold whoever comes first."""

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError

from server.audit.service import watch
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import DaftarError
from server.core.listing import ListQuery
from server.deals import pipelines, queries, service
from server.deals.models import Deal, Pipeline, Stage
from server.deals.pipelines import PipelineChange
from server.deals.rules import DealDraft, DealStatus, StageType
from server.deals.service import Step
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, new_deal

Work = Callable[[Database], None]


def race(database: Database, *works: Work) -> None:
    """Do each of the works in a process of its own, all at the same moment."""
    database.dispose()  # no process may inherit a connection
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(len(works))
    racers = [fork.Process(target=_run, args=(database.url, start, work)) for work in works]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * len(works)


def _run(url: str, start: Any, work: Work) -> None:
    database = Database(url)
    watch(database)
    start.wait()
    with suppress(DaftarError, StaleDataError):  # who comes too late is refused, and that is right
        work(database)
    database.dispose()


def test_first_deals_of_many_processes_make_one_default_pipeline(database: Database) -> None:
    def first_deal(opened: Database) -> None:
        with opened.write(SYSTEM) as session:
            service.create_deal(session, SYSTEM, DealDraft("First", "USD"))

    race(database, *[first_deal] * 4)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Pipeline)) == 1
        assert session.scalar(select(func.count()).select_from(Stage)) == 5
        assert queries.list_deals(session, SYSTEM, ListQuery()).total == 4


def test_of_many_who_name_a_default_pipeline_the_last_one_stays(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.root) as session:
        ids = [pipelines.create_pipeline(session, cast.root, f"P{n}").id for n in range(4)]

    def make_default(pipeline_id: int) -> Work:
        def work(opened: Database) -> None:
            with opened.write(cast.root) as session:
                change = PipelineChange(is_default=True)
                pipelines.change_pipeline(session, cast.root, pipeline_id, change)

        return work

    race(database, *(make_default(pipeline_id) for pipeline_id in ids))

    with database.read() as session:
        chosen = session.scalars(select(Pipeline.id).where(Pipeline.is_default)).all()
    assert len(chosen) == 1
    assert chosen[0] in ids


def test_however_many_delete_stages_one_open_stage_remains(
    database: Database, cast: Cast, selling: Selling
) -> None:
    def delete(stage_id: int) -> Work:
        def work(opened: Database) -> None:
            with opened.write(cast.root) as session:
                pipelines.delete_stage(session, cast.root, stage_id)

        return work

    race(database, *map(delete, (selling.prospecting, selling.engaging, selling.proposal)))

    with database.read() as session:
        left = queries.stages_of(session, cast.root, selling.pipeline_id)
    assert [stage.type for stage in left] == [StageType.OPEN, StageType.WON, StageType.LOST]


def test_no_deal_is_left_in_a_stage_that_goes_at_the_same_moment(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deals = [new_deal(database, cast.anna) for _n in range(3)]

    def move(deal_id: int) -> Work:
        def work(opened: Database) -> None:
            with opened.write(cast.anna) as session:
                service.move_deal(session, cast.anna, deal_id, Step(selling.engaging))

        return work

    def delete(opened: Database) -> None:
        with opened.write(cast.root) as session:
            pipelines.delete_stage(session, cast.root, selling.engaging, move_to=selling.proposal)

    race(database, *map(move, deals), delete)

    with database.read() as session:
        lost = select(Deal.id).join(Stage, Stage.id == Deal.stage_id)
        assert session.scalars(lost.where(Stage.deleted_at.is_not(None))).all() == []


def test_two_who_close_one_deal_the_same_moment_cannot_both_win(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)

    def won(opened: Database) -> None:
        with opened.write(cast.anna) as session:
            service.win_deal(session, cast.anna, deal_id, version=1)

    def lost(opened: Database) -> None:
        with opened.write(cast.root) as session:
            service.lose_deal(session, cast.root, deal_id, "Too dear", version=1)

    race(database, won, lost, won, lost)

    with database.read() as session:
        deal = queries.get_deal(session, cast.anna, deal_id)
        moves = queries.history(session, cast.anna, deal_id)
    assert (deal.version, len(moves)) == (2, 2)
    assert (deal.status is DealStatus.LOST) == (deal.lost_reason == "Too dear")


def test_one_external_id_is_written_once_whoever_imports_it(
    database: Database, cast: Cast, selling: Selling
) -> None:
    def write(opened: Database) -> None:
        from sqlalchemy.exc import IntegrityError

        draft = DealDraft("Deal", "USD", external_source="csv", external_id="X1")
        with suppress(IntegrityError), opened.write(cast.root) as session:
            service.create_deal(session, cast.root, draft)

    race(database, *[write] * 3)

    with database.read() as session:
        assert queries.list_deals(session, cast.root, ListQuery()).total == 1
