"""Writing down companies: links, look-alikes, external ids, families, many at once."""

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from server.audit.queries import history_of
from server.companies import queries, service
from server.companies.models import Company, CompanyContactKey
from server.companies.rules import CompanyDraft
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Conflict, Invalid, NotAllowed, NotFound
from server.core.listing import Filter, ListQuery
from tests.server.conftest import Cast
from tests.support.racing import race


def create(database: Database, name: str = "Pars", **fields: object) -> int:
    with database.write(SYSTEM) as session:
        draft = CompanyDraft(name=name, **fields)  # type: ignore[arg-type] # tests name fields
        return service.create_company(session, SYSTEM, draft).id


def change(database: Database, company_id: int, **fields: object) -> None:
    with database.write(SYSTEM) as session:
        before = service.draft_of(queries.get_company(session, SYSTEM, company_id))
        service.change_company(session, SYSTEM, company_id, replace(before, **fields))  # type: ignore[arg-type]


def test_who_may_do_what(database: Database, cast: Cast) -> None:
    company_id = create(database)
    refused = (
        (cast.guest, service.create_company, CompanyDraft(name="X")),
        (cast.guest, service.change_company, company_id, CompanyDraft(name="X")),
        (cast.anna, service.delete_company, company_id),
        (cast.anna, service.restore_company, company_id),
    )

    for actor, act, *arguments in refused:
        with pytest.raises(NotAllowed), database.write(actor) as session:
            act(session, actor, *arguments)


def test_keys_follow_the_numbers_and_addresses(database: Database) -> None:
    company_id = create(database, phones=("021 8888 7777",), emails=("a@pars.example",))
    change(database, company_id, phones=("021 8888 0000",), emails=())

    with database.read() as session:
        kept = session.scalars(select(CompanyContactKey.key)).all()
        by_phone = queries.list_companies(
            session, SYSTEM, ListQuery(filters=(Filter("phone", "eq", "۰۲۱۸۸۸۸۰۰۰۰"),))
        )
    assert list(kept) == ["+982188880000"]
    assert [one.id for one in by_phone.items] == [company_id]


def test_an_external_id_belongs_to_one_living_company(database: Database) -> None:
    first = create(database, external_source="crm", external_id="7")
    with pytest.raises(Conflict):
        create(database, "Other", external_source="crm", external_id="7")
    create(database, "Elsewhere", external_source="erp", external_id="7")
    with database.write(SYSTEM) as session:
        service.delete_company(session, SYSTEM, first)
    create(database, "Other", external_source="crm", external_id="7")

    with pytest.raises(Conflict), database.write(SYSTEM) as session:
        service.restore_company(session, SYSTEM, first)


def _claim(url: str, number: int) -> bool:
    opened = Database(url)
    try:
        create(opened, f"Racer {number}", external_source="crm", external_id="7")
    except (Conflict, IntegrityError):
        return False
    else:
        return True
    finally:
        opened.dispose()


def test_racing_processes_give_an_external_id_once(database: Database) -> None:
    won = race(database, _claim, [(database.url, number) for number in range(4)])

    assert won.count(True) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Company)) == 1


def _hang_below(url: str, company_id: int, parent_id: int) -> None:
    opened = Database(url)
    with suppress(Invalid):
        change(opened, company_id, parent_company_id=parent_id)
    opened.dispose()


def test_two_who_hang_each_others_company_below_their_own_make_no_circle(
    database: Database,
) -> None:
    one, other = create(database, "One"), create(database, "Other")

    race(database, _hang_below, [(database.url, one, other), (database.url, other, one)])

    with database.read() as session:
        parents = dict(session.execute(select(Company.id, Company.parent_company_id)).all())
    assert sorted(parent is None for parent in parents.values()) == [False, True]


def test_a_company_cannot_stand_below_its_own_daughter(database: Database) -> None:
    top = create(database, "Top")
    middle = create(database, "Middle", parent_company_id=top)
    bottom = create(database, "Bottom", parent_company_id=middle)

    for parent in (top, middle, bottom):
        with pytest.raises(Invalid, match="cannot belong to itself"):
            change(database, top, parent_company_id=parent)


def test_many_are_written_down_with_keys_and_a_trail(database: Database, cast: Cast) -> None:
    drafts = [
        CompanyDraft(name=f"Shop {n}", phones=("021 8888 7777",), owner_id=cast.anna.user_id)
        for n in range(30)
    ]
    with database.write(cast.root) as session:
        ids = service.create_companies(session, cast.root, drafts)

    with database.read() as session:
        assert session.get_one(Company, ids[7]).name == "Shop 7"
        assert session.scalar(select(func.count()).select_from(CompanyContactKey)) == 30
        (noted,) = history_of(session, "company", ids[7])
        assert (noted.action, noted.user_name) == ("create", "Root")
    with database.write(cast.root) as session:
        assert service.delete_companies(session, cast.root, [*ids, 999]) == 30
    with database.read() as session:
        assert queries.list_companies(session, SYSTEM, ListQuery()).total == 0
        assert queries.list_binned_companies(session, SYSTEM, ListQuery()).total == 30


def test_many_with_one_that_does_not_fit_leave_nothing(database: Database) -> None:
    drafts = [CompanyDraft(name="Good"), CompanyDraft(name="", employees=-1)]

    with pytest.raises(Invalid), database.write(SYSTEM) as session:
        service.create_companies(session, SYSTEM, drafts)
    with pytest.raises(Invalid), database.write(SYSTEM) as session:
        service.create_companies(session, SYSTEM, [CompanyDraft(name="Good", owner_id=99)])

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Company)) == 0


def test_names_that_look_the_same_are_one_company(database: Database) -> None:
    known = create(database, "شرکت پارس")

    with database.write(SYSTEM) as session:
        found = service.find_or_create_companies(
            session, SYSTEM, ["شركت‌پارس", "Cancity", "CANCITY", " "]
        )

    assert found["شركت‌پارس"] == known
    assert found["Cancity"] == found["CANCITY"] != known
    assert " " not in found


def test_parents_are_set_together_or_not_at_all(database: Database) -> None:
    one, other = create(database, "One"), create(database, "Other")

    with pytest.raises(Invalid), database.write(SYSTEM) as session:
        service.set_parents(session, SYSTEM, {one: other, other: one})
    with pytest.raises(NotFound), database.write(SYSTEM) as session:
        service.set_parents(session, SYSTEM, {one: 99})
    with database.write(SYSTEM) as session:
        service.set_parents(session, SYSTEM, {one: other})

    with database.read() as session:
        assert [each.name for each in queries.subsidiaries_of(session, SYSTEM, other)] == ["One"]
        assert queries.parents_above(session, one) == {one: other, other: None}
