"""Who may see and change which activity, and what a timeline shows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from server.activities import queries, service
from server.activities.models import Activity
from server.activities.rules import ActivityDraft, ActivityKind, Target
from server.audit.models import AuditEntry
from server.audit.queries import history_of
from server.companies.rules import CompanyDraft
from server.companies.service import create_company, delete_company
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Invalid, NotAllowed, NotFound, Stale
from server.core.listing import Filter, ListQuery
from tests.server.activities.conftest import DAY, NOON, Writing
from tests.server.conftest import Cast, people


def test_a_list_has_ones_own_and_a_records_timeline_has_everybodys(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    of_ben = write_down(cast.ben, company)
    for_anna = write_down(cast.ben, owner_id=cast.anna.user_id)
    of_anna = write_down(cast.anna)

    with database.read() as session:
        found = queries.list_activities(session, cast.anna, ListQuery(sort="id"))
        at_company = ListQuery(filters=(Filter("link", "eq", f"company:{company.record_id}"),))
        here = queries.list_activities(session, cast.anna, at_company)
        timeline = queries.timeline_of(session, cast.anna, "company", company.record_id)
        everything = queries.list_activities(session, cast.guest, ListQuery())

        assert [one.id for one in found.items] == [for_anna, of_anna]
        assert [one.id for one in here.items] == [of_ben]
        assert [one.id for one in timeline.planned] == [of_ben]
        assert everything.total == 3
        assert queries.get_activity(session, cast.anna, of_ben).id == of_ben


def test_a_hidden_record_hides_its_activities_and_never_its_title_leaks(
    database: Database, cast: Cast, company: Target, bens_deal: Target, write_down: Writing
) -> None:
    at_deal = write_down(cast.ben, bens_deal)
    at_both = write_down(cast.ben, bens_deal, company)

    with database.read() as session:
        with pytest.raises(NotFound):
            queries.get_activity(session, cast.anna, at_deal)
        with pytest.raises(NotFound):
            queries.timeline_of(session, cast.anna, "deal", bens_deal.record_id)
        wish = ListQuery(filters=(Filter("link", "eq", f"deal:{bens_deal.record_id}"),))
        with pytest.raises(NotFound):
            queries.list_activities(session, cast.anna, wish)
        annas = queries.links_of(session, cast.anna, [at_both])[at_both]
        bens = queries.links_of(session, cast.ben, [at_both])[at_both]

    assert [link.title for link in annas] == ["Pars"]
    assert {link.title for link in bens} == {"Pars", "Secret pumps"}


def test_a_change_keeps_links_its_author_cannot_see(
    database: Database, cast: Cast, company: Target, bens_deal: Target, write_down: Writing
) -> None:
    task = write_down(cast.ben, bens_deal, company, owner_id=cast.anna.user_id)

    with database.write(cast.anna) as session:
        draft = service.draft_of(session, queries.get_activity(session, cast.anna, task))
        service.change_activity(session, cast.anna, task, replace(draft, subject="New", links=()))

    with database.read() as session:
        assert queries.targets_of(session, [task])[task] == (bens_deal,)


def test_nobody_links_to_a_record_that_is_hidden_missing_or_of_no_kind(
    database: Database, cast: Cast, company: Target, bens_deal: Target, write_down: Writing
) -> None:
    with database.write(SYSTEM) as session:
        delete_company(session, SYSTEM, company.record_id)
    for target in (bens_deal, company, Target("planet", 3), Target("activity", 1)):
        with pytest.raises(Invalid):
            write_down(cast.anna, target)


def test_writer_owner_and_manager_may_tick_and_nobody_else(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    for actor in (cast.anna, cast.ben, cast.root):
        task = write_down(cast.anna, company, owner_id=cast.ben.user_id)
        with database.write(actor) as session:
            assert service.set_done(session, actor, task, done=True).done_by_id == actor.user_id
    task = write_down(cast.anna, company, owner_id=cast.ben.user_id)
    with database.write(cast.guest) as session, pytest.raises(NotAllowed):
        service.set_done(session, cast.guest, task, done=True)


def test_a_colleague_sees_a_task_on_the_timeline_but_cannot_change_it(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    task = write_down(cast.ben, company)

    with database.write(cast.anna) as session:
        draft = service.draft_of(session, queries.get_activity(session, cast.anna, task))
        with pytest.raises(NotAllowed):
            service.set_done(session, cast.anna, task, done=True)
        with pytest.raises(NotAllowed):
            service.change_activity(session, cast.anna, task, draft)
        with pytest.raises(NotAllowed):
            service.delete_activity(session, cast.anna, task)


def test_only_active_users_of_a_role_that_writes_can_be_given_an_activity(
    database: Database, cast: Cast, write_down: Writing
) -> None:
    with pytest.raises(Invalid):
        write_down(cast.anna, owner_id=999)
    with pytest.raises(NotAllowed):
        write_down(cast.guest)


def test_a_ticked_task_moves_from_the_planned_to_the_past_and_back(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    later = write_down(cast.anna, company, due_at=NOON + DAY)
    sooner = write_down(cast.anna, company, due_at=NOON)
    undated = write_down(cast.anna, company)
    note = write_down(cast.anna, company, kind=ActivityKind.NOTE, body="They liked it")

    def ids() -> tuple[list[int], list[int]]:
        with database.read() as session:
            seen = queries.timeline_of(session, cast.anna, "company", company.record_id)
            return [one.id for one in seen.planned], [one.id for one in seen.past]

    assert ids() == ([sooner, later, undated], [note])
    with database.write(cast.anna) as session:
        service.set_done(session, cast.anna, sooner, done=True)
    assert ids() == ([later, undated], [sooner, note])
    with database.write(cast.anna) as session:
        service.set_done(session, cast.anna, sooner, done=False)
    assert ids() == ([sooner, later, undated], [note])


def test_a_note_cannot_be_ticked(database: Database, cast: Cast, write_down: Writing) -> None:
    note = write_down(cast.anna, kind=ActivityKind.NOTE)
    with database.write(cast.anna) as session, pytest.raises(Invalid):
        service.set_done(session, cast.anna, note, done=True)


def test_a_timeline_is_read_in_pages_without_gaps_or_doubles(
    database: Database, cast: Cast, company: Target
) -> None:
    drafts = [
        ActivityDraft(
            kind=ActivityKind.CALL,
            subject=str(number),
            done_at=NOON + DAY * (number // 3),  # three at the very same moment
            links=(company,),
        )
        for number in range(25)
    ]
    with database.write(cast.anna) as session:
        ids = service.create_activities(session, cast.anna, drafts)

    seen: list[int] = []
    cursor: str | None = None
    with database.read() as session:
        for _page in range(4):
            page = queries.timeline_of(
                session, cast.anna, "company", company.record_id, cursor=cursor, limit=7
            )
            seen += [one.id for one in page.past]
            cursor = page.next_cursor

    assert cursor is None
    assert seen == ids[::-1]


def plans_of(database: Database, read: Callable[[Session], object]) -> list[str]:
    """Return how SQLite would find each thing that `read` asks for."""
    asked: list[tuple[str, object]] = []

    def hear(*said: Any) -> None:
        asked.append((said[2], said[3]))

    with database.read() as session:
        event.listen(database.engine, "before_cursor_execute", hear)
        read(session)
        event.remove(database.engine, "before_cursor_execute", hear)
    with database.engine.connect() as connection:
        return [
            " ".join(
                str(row[3])
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type] # as heard
            )
            for statement, values in asked
            if statement.startswith("SELECT")
        ]


def test_a_timeline_is_one_index(sqlite_database: Database) -> None:
    cast = people(sqlite_database)
    with sqlite_database.write(SYSTEM) as session:
        pars = create_company(session, SYSTEM, CompanyDraft(name="Pars")).id

    _record, *timeline = plans_of(
        sqlite_database,
        lambda session: queries.timeline_of(session, cast.anna, "company", pars),
    )

    assert len(timeline) == 3
    for plan in timeline:
        assert "ix_activity_links_timeline" in plan
        assert "TEMP B-TREE FOR ORDER BY" not in plan


def test_a_week_is_one_index_for_everybody(sqlite_database: Database) -> None:
    cast = people(sqlite_database)
    week = (NOON, NOON + 7 * DAY)

    (mine,) = plans_of(
        sqlite_database,
        lambda session: queries.due_between(session, cast.anna, *week, mine=True),
    )
    (everybodys,) = plans_of(
        sqlite_database,
        lambda session: queries.due_between(session, cast.root, *week, mine=False),
    )

    assert "ix_activities_my_due" in mine
    assert "ix_activities_due_at" in everybodys
    assert "TEMP B-TREE" not in mine + everybodys


def test_a_deleted_activity_leaves_the_timeline_and_comes_back(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    task = write_down(cast.anna, company)

    with database.write(cast.anna) as session:
        service.delete_activity(session, cast.anna, task)
    with database.read() as session:
        assert not queries.timeline_of(session, cast.ben, "company", company.record_id).activities
        assert queries.list_binned_activities(session, cast.ben, ListQuery()).total == 0
        assert queries.list_binned_activities(session, cast.root, ListQuery()).total == 1
    with database.write(cast.anna) as session:
        service.restore_activity(session, cast.anna, task)
    with database.read() as session:
        shown = queries.timeline_of(session, cast.ben, "company", company.record_id)
        assert [one.id for one in shown.planned] == [task]


def test_every_change_is_in_the_trail_before_and_after(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    task = write_down(cast.anna)
    with database.write(cast.anna) as session:
        draft = service.draft_of(session, queries.get_activity(session, cast.anna, task))
        changed = replace(draft, subject="Write back", links=(company,))
        service.change_activity(session, cast.anna, task, changed)
    with database.write(cast.root) as session:
        service.set_done(session, cast.root, task, done=True)
        service.delete_activity(session, cast.root, task)

    with database.read() as session:
        trail: list[AuditEntry] = history_of(session, "activity", task)[::-1]

    assert [(one.user_name, one.action) for one in trail] == [
        ("Anna", "create"),
        ("Anna", "update"),
        ("Anna", "link"),
        ("Root", "update"),
        ("Root", "delete"),
    ]
    assert trail[1].changes == {"subject": ["Call back", "Write back"]}
    assert trail[2].changes == {"links": [[], [f"company:{company.record_id}"]]}
    assert trail[3].changes["done_by_id"] == [None, cast.root.user_id]


def test_a_change_of_an_old_version_is_refused(
    database: Database, cast: Cast, write_down: Writing
) -> None:
    task = write_down(cast.anna)
    with database.write(cast.anna) as session:
        activity = queries.get_activity(session, cast.anna, task)
        draft = service.draft_of(session, activity)
        first = activity.version
        service.change_activity(
            session, cast.anna, task, replace(draft, subject="New"), version=first
        )
    with database.write(cast.anna) as session, pytest.raises(Stale):
        service.change_activity(session, cast.anna, task, draft, version=first)


def test_many_at_once_are_written_like_one(
    database: Database, cast: Cast, company: Target, write_down: Writing
) -> None:
    draft = ActivityDraft(
        kind=ActivityKind.MEETING, subject="Visit", due_at=NOON, links=(company,), body="At ten"
    )
    alone = write_down(
        cast.anna, company, kind=draft.kind, subject="Visit", due_at=NOON, body="At ten"
    )
    with database.write(cast.anna) as session:
        (many,) = service.create_activities(session, cast.anna, [draft])

    with database.read() as session:
        one, other = session.get_one(Activity, alone), session.get_one(Activity, many)
        skip = {"id", "created_at", "updated_at"}
        names = [column.key for column in Activity.__table__.columns if column.key not in skip]
        assert {name: getattr(one, name) for name in names} == {
            name: getattr(other, name) for name in names
        }
        seen = queries.timeline_of(session, cast.anna, "company", company.record_id)
        assert [activity.id for activity in seen.planned] == [alone, many]


def test_an_external_id_is_given_once(database: Database, cast: Cast, write_down: Writing) -> None:
    first = write_down(cast.anna, external_source="old", external_id="7")
    with pytest.raises(Exception, match="already"):
        write_down(cast.anna, external_source="old", external_id="7")
    with database.read() as session:
        found = queries.activities_by_external_id(session, cast.anna, "old", ["7", "8"])
    assert found == {"7": first}
