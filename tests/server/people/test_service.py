"""Writing down people: names, links, look-alikes, external ids, many at once."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from server.audit.queries import history_of
from server.companies.rules import CompanyDraft
from server.companies.service import create_company, delete_company
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Conflict, Invalid, NotAllowed
from server.core.listing import ListQuery
from server.people import queries, service
from server.people.models import Person, PersonContactKey
from server.people.rules import PersonDraft, renamed
from tests.server.conftest import Cast


def create(database: Database, last_name: str = "Frase", **fields: object) -> int:
    with database.write(SYSTEM) as session:
        draft = PersonDraft(last_name=last_name, **fields)  # type: ignore[arg-type] # tests name fields
        return service.create_person(session, SYSTEM, draft).id


def test_who_may_do_what(database: Database, cast: Cast) -> None:
    person_id = create(database)
    refused = (
        (cast.guest, service.create_person, PersonDraft(last_name="X")),
        (cast.guest, service.change_person, person_id, PersonDraft(last_name="X")),
        (cast.anna, service.delete_person, person_id),
        (cast.anna, service.restore_person, person_id),
    )

    for actor, act, *arguments in refused:
        with pytest.raises(NotAllowed), database.write(actor) as session:
            act(session, actor, *arguments)


def test_a_name_that_was_made_follows_its_parts() -> None:
    made = PersonDraft("Moses", "Frase", "Moses Frase")
    given = PersonDraft("Moses", "Frase", "Dr. Frase")

    assert renamed(made, replace(made, last_name="Owen")).display_name == ""
    assert renamed(given, replace(given, last_name="Owen")).display_name == "Dr. Frase"


def test_somebody_is_found_by_every_sign(database: Database) -> None:
    person_id = create(
        database, first_name="Moses", phones=("09123456789",), emails=("M@pars.example",)
    )
    create(database, "Owen")

    with database.read() as session:
        found = [
            queries.people_by_phone(session, SYSTEM, "۰۹۱۲ ۳۴۵ ۶۷۸۹"),
            queries.people_by_email(session, SYSTEM, "m@PARS.example"),
            queries.similar_people(session, SYSTEM, name="moses frase"),
            queries.similar_people(session, SYSTEM, phones=("+989123456789;ext=12",)),
        ]
        assert [[one.id for one in people] for people in found] == [[person_id]] * 4
        assert queries.people_by_phone(session, SYSTEM, "12") == []
        assert queries.similar_people(session, SYSTEM, name="Moses Frase", besides=person_id) == []
        assert queries.similar_people(session, SYSTEM) == []


def test_an_external_id_belongs_to_one_living_person(database: Database) -> None:
    first = create(database, external_source="crm", external_id="7")
    with pytest.raises(Conflict):
        create(database, "Other", external_source="crm", external_id="7")
    with database.write(SYSTEM) as session:
        service.delete_person(session, SYSTEM, first)
    create(database, "Other", external_source="crm", external_id="7")

    with pytest.raises(Conflict), database.write(SYSTEM) as session:
        service.restore_person(session, SYSTEM, first)


def test_somebody_cannot_be_sent_to_a_company_in_the_bin_but_stays_there(
    database: Database,
) -> None:
    with database.write(SYSTEM) as session:
        company_id = create_company(session, SYSTEM, CompanyDraft(name="Pars")).id
    person_id = create(database, company_id=company_id)
    with database.write(SYSTEM) as session:
        delete_company(session, SYSTEM, company_id)

    with pytest.raises(Invalid) as refusal:
        create(database, "Owen", company_id=company_id)
    with database.write(SYSTEM) as session:
        before = service.draft_of(queries.get_person(session, SYSTEM, person_id))
        service.change_person(session, SYSTEM, person_id, replace(before, job_title="Buyer"))

    assert refusal.value.errors[0].field == "company_id"
    with database.read() as session:
        assert session.get_one(Person, person_id).company_id == company_id


def test_many_are_written_down_with_keys_and_a_trail(database: Database, cast: Cast) -> None:
    drafts = [PersonDraft(last_name=f"Frase {n}", emails=(f"{n}@x.example",)) for n in range(30)]
    with database.write(cast.root) as session:
        ids = service.create_people(session, cast.root, drafts)

    with database.read() as session:
        assert session.get_one(Person, ids[7]).display_name == "Frase 7"
        assert session.scalar(select(func.count()).select_from(PersonContactKey)) == 30
        (noted,) = history_of(session, "person", ids[7])
        assert (noted.action, noted.user_name) == ("create", "Root")
    with database.write(cast.root) as session:
        assert service.delete_people(session, cast.root, [*ids, 999]) == 30
    with database.read() as session:
        assert queries.list_binned_people(session, SYSTEM, ListQuery()).total == 30


def test_a_picker_offers_those_that_begin_with_the_words_first(database: Database) -> None:
    create(database, "Old Frase")
    first = create(database, "Frase")

    with database.read() as session:
        found = queries.person_options(session, SYSTEM, "fra")
    assert [one.display_name for one in found] == ["Frase", "Old Frase"]
    assert found[0].id == first
