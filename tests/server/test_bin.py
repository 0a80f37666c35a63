"""What was deleted waits in the bin for 30 full days, then it is removed for good, if nothing needs it."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from server.activities.models import Activity, ActivityLink
from server.activities.rules import ActivityDraft, ActivityKind, Target
from server.activities.service import create_activity, delete_activity
from server.audit.models import AuditEntry
from server.companies.models import Company, CompanyContactKey
from server.companies.rules import CompanyDraft
from server.companies.service import create_company, delete_company
from server.core import bin as bin_of_all
from server.core.actor import SYSTEM
from server.core.db import Base, Database
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.core.errors import NotFound
from server.core.listing import ListQuery
from server.deals import pipelines, queries
from server.deals.models import Deal, DealPerson, StageMove
from server.deals.rules import DealDraft, StageDraft
from server.deals.service import (
    Step,
    create_deal,
    create_deals,
    delete_deal,
    delete_deals,
    move_deal,
    purge_deals,
    restore_deal,
)
from server.exchange.models import Import, ImportRow
from server.exchange.queries import list_rows
from server.exchange.rules import ImportKind, ImportStatus, Outcome
from server.jobs import purge_bin
from server.people.models import Person, PersonContactKey
from server.people.rules import PersonDraft
from server.people.service import create_person, delete_person
from tests.server.conftest import Cast

DELETED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STAY = timedelta(days=30)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for writers that these tests do not have."""
    monkeypatch.setattr(bin_of_all, "PAUSE_S", 0)


@pytest.fixture
def day_of_deleting() -> Iterator[time_machine.Traveller]:
    """Stand at the moment at which the tests delete."""
    with time_machine.travel(DELETED, tick=False) as traveller:
        yield traveller


def a_deal(database: Database, **wishes: object) -> int:
    draft = DealDraft(**{"title": "Ten pumps", "currency": "USD"} | wishes)  # type: ignore[arg-type] # tests name fields
    with database.write(SYSTEM) as session:
        return create_deal(session, SYSTEM, draft).id


def a_company(database: Database, **wishes: object) -> int:
    draft = CompanyDraft(**{"name": "Pars", "emails": ("info@example.com",)} | wishes)  # type: ignore[arg-type] # tests name fields
    with database.write(SYSTEM) as session:
        return create_company(session, SYSTEM, draft).id


def a_person(database: Database, **wishes: object) -> int:
    draft = PersonDraft(**{"first_name": "Guest", "emails": ("g@example.com",)} | wishes)  # type: ignore[arg-type] # tests name fields
    with database.write(SYSTEM) as session:
        return create_person(session, SYSTEM, draft).id


def a_note(database: Database, *links: Target) -> int:
    draft = ActivityDraft(kind=ActivityKind.NOTE, body="Called", links=links)
    with database.write(SYSTEM) as session:
        return create_activity(session, SYSTEM, draft).id


def counted(database: Database, *tables: type[Base]) -> list[int]:
    with database.read() as session:
        return [session.scalar(select(func.count()).select_from(each)) or 0 for each in tables]


def purged(database: Database) -> list[tuple[str, int | None]]:
    """Return what the trail says was removed for good."""
    query = select(AuditEntry.kind, AuditEntry.record_id).where(AuditEntry.action == "purge")
    with database.read() as session:
        return [(kind, record_id) for kind, record_id in session.execute(query)]


def test_a_deal_goes_with_all_that_was_its_own_after_thirty_full_days(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    person = a_person(database)
    deal = a_deal(database, person_ids=(person,))
    other = a_deal(database)
    note = a_note(database, Target("deal", deal), Target("person", person))
    with database.write(SYSTEM) as session:
        delete_deal(session, SYSTEM, deal)

    day_of_deleting.move_to(DELETED + STAY - SECOND)
    purge_bin(database, board)
    assert counted(database, Deal, DealPerson, StageMove) == [2, 1, 2]

    day_of_deleting.move_to(DELETED + STAY)
    with caplog.at_level(logging.INFO, "server.jobs"):
        purge_bin(database, board)

    assert counted(database, Deal, DealPerson, StageMove) == [1, 0, 1]
    assert purged(database) == [("deal", deal)]
    assert "'deal': 1" in caplog.text
    with database.read() as session:
        assert queries.get_deal(session, SYSTEM, other).id == other
        links = session.scalars(select(ActivityLink).where(ActivityLink.activity_id == note))
        assert [link.kind for link in links] == ["person"]
    with database.write(SYSTEM) as session, pytest.raises(NotFound):
        restore_deal(session, SYSTEM, deal)


def test_one_night_removes_a_whole_family_and_keeps_who_is_alive(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
) -> None:
    parent = a_company(database, name="Parent")
    child = a_company(database, name="Child", parent_company_id=parent)
    person = a_person(database, company_id=child)
    deal = a_deal(database, company_id=child, person_ids=(person,))
    note = a_note(database, Target("company", parent))
    alive = a_note(database, Target("company", child), Target("person", person))
    with database.write(SYSTEM) as session:
        delete_activity(session, SYSTEM, note)
        delete_deal(session, SYSTEM, deal)
        delete_person(session, SYSTEM, person)
        delete_company(session, SYSTEM, child)
        delete_company(session, SYSTEM, parent)

    day_of_deleting.move_to(DELETED + STAY)
    purge_bin(database, board)

    gone = (Deal, Person, Company, CompanyContactKey, PersonContactKey, ActivityLink)
    assert counted(database, *gone) == [0] * len(gone)
    with database.read() as session:
        assert list(session.scalars(select(Activity.id))) == [alive]
    assert sorted(purged(database)) == sorted(
        [
            ("activity", note),
            ("company", child),
            ("company", parent),
            ("deal", deal),
            ("person", person),
        ]
    )


def test_whoever_is_still_needed_stays_until_nobody_needs_them(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
) -> None:
    company, parent = a_company(database), a_company(database, name="Parent")
    a_company(database, name="Child", parent_company_id=parent)
    employer = a_company(database, name="Employer")
    a_person(database, company_id=employer)
    person = a_person(database)
    deal = a_deal(database, company_id=company, person_ids=(person,))
    with database.write(SYSTEM) as session:
        for each in (company, parent, employer):
            delete_company(session, SYSTEM, each)
        delete_person(session, SYSTEM, person)

    day_of_deleting.move_to(DELETED + STAY)
    purge_bin(database, board)
    assert purged(database) == []
    with database.write(SYSTEM) as session:
        delete_deal(session, SYSTEM, deal)

    day_of_deleting.move_to(DELETED + STAY + STAY)
    purge_bin(database, board)

    assert sorted(purged(database)) == [("company", company), ("deal", deal), ("person", person)]
    assert counted(database, Company, Person) == [3, 1]


def test_a_stage_that_the_history_of_a_deal_names_stays(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
) -> None:
    deal = a_deal(database)
    with database.write(SYSTEM) as session:
        home = pipelines.ensure_default_pipeline(session, SYSTEM, "en").id
        used = pipelines.add_stage(session, SYSTEM, home, StageDraft("Used")).id
        unused = pipelines.add_stage(session, SYSTEM, home, StageDraft("Unused")).id
        began = queries.get_deal(session, SYSTEM, deal).stage_id
        move_deal(session, SYSTEM, deal, Step(used))
        move_deal(session, SYSTEM, deal, Step(began))
        for stage in (used, unused):
            pipelines.delete_stage(session, SYSTEM, stage)

    day_of_deleting.move_to(DELETED + STAY)
    purge_bin(database, board)

    assert purged(database) == [("stage", unused)]


def test_a_pipeline_goes_as_a_whole_or_not_at_all(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
) -> None:
    a_deal(database)  # in the default pipeline, which must be there first
    with database.write(SYSTEM) as session:
        free = pipelines.create_pipeline(session, SYSTEM, "Free").id
        visited = pipelines.create_pipeline(session, SYSTEM, "Visited").id
        stages = {
            pipeline: [stage.id for stage in queries.stages_of(session, SYSTEM, pipeline)]
            for pipeline in (free, visited)
        }
        draft = DealDraft("Ten pumps", "USD", stage_id=stages[visited][0])
        visitor = create_deal(session, SYSTEM, draft).id
        delete_deal(session, SYSTEM, visitor)
        for pipeline in (free, visited):
            pipelines.delete_pipeline(session, SYSTEM, pipeline)
    with database.write(SYSTEM) as session:
        restore_deal(session, SYSTEM, visitor)  # into the default pipeline; its first move stays

    day_of_deleting.move_to(DELETED + STAY)
    purge_bin(database, board)

    expected = [("pipeline", free), *(("stage", number) for number in stages[free])]
    assert sorted(purged(database)) == sorted(expected)
    with database.write(SYSTEM) as session:
        pipelines.restore_pipeline(session, SYSTEM, visited)
        back = [stage.id for stage in queries.stages_of(session, SYSTEM, visited)]
    assert back == stages[visited]


@pytest.mark.parametrize("mode", ["read_only", "locked", "setup"])
def test_a_licence_that_lapsed_never_costs_data(
    mode: str,
    sqlite_database: Database,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    company = a_company(sqlite_database)
    with sqlite_database.write(SYSTEM) as session:
        delete_company(session, SYSTEM, company)
    day_of_deleting.move_to(DELETED + STAY + STAY)
    good = board.verdict

    board.publish(Entitlements(mode=mode))
    purge_bin(sqlite_database, board)
    assert counted(sqlite_database, Company) == [1]
    assert "Nothing leaves the bin" in caplog.text

    board.publish(good)
    purge_bin(sqlite_database, board)
    assert counted(sqlite_database, Company) == [0]


def test_a_large_bin_is_emptied_in_short_steps(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bin_of_all, "BATCH", 4)
    with database.write(SYSTEM) as session:
        ids = create_deals(session, SYSTEM, [DealDraft(f"Deal {n}", "USD") for n in range(10)])
        delete_deals(session, SYSTEM, ids)
    day_of_deleting.move_to(DELETED + STAY)

    with database.write(SYSTEM) as session:
        assert purge_deals(session, DELETED + STAY) == 4
    assert counted(database, Deal) == [6]
    purge_bin(database, board)

    assert counted(database, Deal) == [0]
    assert sorted(purged(database)) == [("deal", number) for number in ids]


def test_the_number_of_a_removed_record_is_never_given_again(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
) -> None:
    company, deal = a_company(database), a_deal(database)
    with database.write(SYSTEM) as session:
        delete_deal(session, SYSTEM, deal)
        delete_company(session, SYSTEM, company)
    day_of_deleting.move_to(DELETED + STAY)
    purge_bin(database, board)

    with database.write(SYSTEM) as session:
        imported = create_deals(session, SYSTEM, [DealDraft("Next", "USD")])

    assert imported[0] > deal
    assert a_deal(database) > imported[0]
    assert a_company(database) > company


def test_every_table_of_records_gives_new_numbers_only() -> None:
    options = [
        table.dialect_options["sqlite"]["autoincrement"]
        for table in Base.metadata.tables.values()
        if "deleted_at" in table.columns
    ]

    assert options == [True] * 7


def test_the_rows_of_an_import_can_still_be_read(
    database: Database,
    cast: Cast,
    board: EntitlementsBoard,
    day_of_deleting: time_machine.Traveller,
) -> None:
    company = a_company(database)
    with database.write(SYSTEM) as session:
        made = Import(
            kind=ImportKind.COMPANIES,
            status=ImportStatus.DONE,
            file_name="companies.csv",
            sha256="0" * 64,
            size=5,
            profile={},
            mapping={},
            rows=1,
            created_by_name="Anna",
        )
        session.add(made)
        session.flush()
        session.add(
            ImportRow(
                import_id=made.id, line=2, outcome=Outcome.CREATED, record_id=company, raw=["Pars"]
            )
        )
        delete_company(session, SYSTEM, company)
        import_id = made.id
    day_of_deleting.move_to(DELETED + STAY)
    purge_bin(database, board)

    with database.read() as session:
        rows = list_rows(session, SYSTEM, import_id, ListQuery()).items

    assert purged(database) == [("company", company)]
    assert [(row.record_id, row.raw) for row in rows] == [(company, ["Pars"])]
