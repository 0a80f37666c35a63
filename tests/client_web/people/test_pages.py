"""Pages of people without a browser: who may see what, forms that do not fit, and the bin."""

import pytest

from server.companies.models import Company
from server.companies.rules import CompanyDraft
from server.companies.service import create_companies
from server.core.actor import SYSTEM
from server.core.db import Database
from server.people import service
from server.people.models import Person
from server.people.rules import PersonDraft
from tests.client_web.conftest import Visit, Visitor, counted
from tests.server.conftest import Cast


def written(database: Database, *names: str, **fields: object) -> list[int]:
    drafts = [PersonDraft(**{"last_name": name} | fields) for name in names]  # type: ignore[arg-type] # tests name fields
    with database.write(SYSTEM) as session:
        return service.create_people(session, SYSTEM, drafts)


def company(database: Database, name: str) -> int:
    with database.write(SYSTEM) as session:
        return create_companies(session, SYSTEM, [CompanyDraft(name=name)])[0]


def kept(database: Database, person_id: int) -> Person:
    with database.read() as session:
        return session.get_one(Person, person_id)


def made(answer: object) -> int:
    location: str = answer.headers["Location"]  # type: ignore[attr-defined] # a response
    return int(location.rsplit("/", 1)[1])


@pytest.fixture
def anna(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.anna)


def test_an_empty_house_says_what_to_do(anna: Visitor) -> None:
    assert "No people yet" in anna.read("/people")


def test_a_person_is_written_down_with_several_numbers_in_persian_digits(
    anna: Visitor, database: Database
) -> None:
    answer = anna.post(
        "/people/new",
        first_name="سارا",
        last_name="احمدی",
        job_title="مدیر خرید",
        phones="۰۹۱۲ ۳۴۵ ۶۷۸۹\n021 8888 7777",
        emails="sara@pars.example\nahmadi@pars.example",
    )

    person = kept(database, made(answer))
    assert person.display_name == "سارا احمدی"
    assert person.phones == ["+989123456789", "+982188887777"]
    assert person.emails == ["sara@pars.example", "ahmadi@pars.example"]
    page = anna.read(f"/people/{person.id}")
    for words in ("سارا احمدی", "مدیر خرید", "+98 912 345 6789", "ahmadi@pars.example"):
        assert words in page


def test_a_company_that_is_only_typed_is_written_down_once(
    anna: Visitor, database: Database
) -> None:
    first = made(anna.post("/people/new", last_name="Frase", company_id="new:118"))
    second = made(anna.post("/people/new", last_name="Owen", company_id="new: 118 "))

    with database.read() as session:
        (only,) = session.query(Company).all()
    assert only.name == "118"
    assert kept(database, first).company_id == kept(database, second).company_id == only.id


def test_a_refused_form_leaves_no_company_behind(anna: Visitor, database: Database) -> None:
    answer = anna.post("/people/new", last_name="Frase", company_id="new:Cancity", phones="12")

    assert answer.status_code == 422
    assert 'value="new:Cancity" selected' in answer.get_data(as_text=True)
    with database.read() as session:
        assert session.query(Company).count() == 0


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("last_name", "", "A person needs a name"),
        ("phones", "12", "“\u206612\u2069” is no telephone number"),
        ("emails", "nobody", "“nobody” is no email address"),
        ("company_id", "x", "“x” is no whole number"),
        ("company_id", "99", "There is no company 99"),
        ("company_id", "new:" + "x" * 201, "This text is too long"),
        ("company_id", "new: ", "A company needs a name"),
        ("owner_id", "99", "There is no user 99"),
        ("first_name", "x" * 101, "This text is too long"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(
    anna: Visitor, database: Database, field: str, typed: str, sentence: str
) -> None:
    answer = anna.post("/people/new", **{"last_name": "Frase", "notes": "A note", field: typed})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert f'id="f-{field}-error"' in page
    assert "A note" in page
    with database.read() as session:
        assert session.query(Person).count() == 0


def test_a_name_that_was_made_follows_and_one_that_was_given_stays(
    anna: Visitor, database: Database
) -> None:
    (person_id,) = written(database, "Frase", first_name="Darcel")
    form = {"first_name": "Moses", "last_name": "Frase"}

    anna.post(f"/people/{person_id}/edit", **form, version=1)
    assert kept(database, person_id).display_name == "Moses Frase"
    anna.post(f"/people/{person_id}/edit", **form, display_name="Dr. Frase", version=2)

    assert kept(database, person_id).display_name == "Dr. Frase"
    assert 'value="Dr. Frase"' in anna.read(f"/people/{person_id}/edit")


def test_whoever_saves_second_is_shown_what_the_first_one_changed(
    anna: Visitor, visit: Visit, cast: Cast, database: Database
) -> None:
    (person_id,) = written(database, "Frase", job_title="Buyer")
    ben = visit(cast.ben)
    ben.post(f"/people/{person_id}/edit", last_name="Frase", job_title="Chief", version=1)

    late = anna.post(f"/people/{person_id}/edit", last_name="Owen", job_title="Buyer", version=1)

    page = late.get_data(as_text=True)
    assert late.status_code == 412
    assert "Somebody else changed this person" in page
    assert "<ins><bdi>Chief</bdi></ins>" in page
    assert 'value="Owen"' in page
    assert kept(database, person_id).last_name == "Frase"


def test_somebody_known_already_is_warned_of_by_number_address_and_name(
    anna: Visitor, database: Database
) -> None:
    (person_id,) = written(
        database, "Frase", first_name="Moses", phones=("09123456789",), emails=("m@x.example",)
    )

    for query in ("phones=۰۹۱۲-۳۴۵۶۷۸۹", "emails=M@X.example", "first_name=moses&last_name=FRASE"):
        assert "Moses Frase" in anna.read(f"/people/similar?{query}"), query
    for query in ("phones=12&emails=nobody", "", f"emails=m@x.example&besides={person_id}"):
        assert "Moses Frase" not in anna.read(f"/people/similar?{query}"), query


def test_a_deleted_person_is_undone_from_the_toast_and_from_the_bin(
    visit: Visit, cast: Cast, database: Database
) -> None:
    (person_id,) = written(database, "Frase")
    root = visit(cast.root)

    root.post(f"/people/{person_id}/delete")
    assert f'action="/people/{person_id}/restore"' in root.read("/people")
    assert "Frase" in root.read("/people/bin")
    root.post(f"/people/{person_id}/restore")

    assert "Frase is back" in root.read(f"/people/{person_id}")


def test_a_guest_looks_and_changes_nothing(visit: Visit, cast: Cast, database: Database) -> None:
    (person_id,) = written(database, "Frase")
    guest = visit(cast.guest)

    page = guest.read(f"/people/{person_id}")

    assert f"/people/{person_id}/edit" not in page
    assert 'id="history"' not in page
    for address in ("/people/new", f"/people/{person_id}/edit"):
        assert guest.get(address).status_code == 403
        assert guest.post(address, last_name="Owen", version=1).status_code == 403
    assert guest.get("/people/bin").status_code == 403
    assert guest.post(f"/people/{person_id}/delete").status_code == 403
    assert kept(database, person_id).version == 1


def test_the_people_of_a_company_are_a_list_of_their_own(anna: Visitor, database: Database) -> None:
    cancity = company(database, "Cancity")
    written(database, "Frase", company_id=cancity)
    written(database, "Owen")

    page = anna.read(f"/people?filter[company_id]={cancity}")

    assert "Frase" in page
    assert "Owen" not in page
    assert "Cancity" in page
    without = anna.read("/people?filter[company_id][empty]=1")
    assert "Owen" in without
    assert "Frase" not in without


def test_a_picker_says_where_somebody_works(anna: Visitor, database: Database) -> None:
    written(database, "Frase", company_id=company(database, "Cancity"))

    found = anna.get("/people/options?q=fra").json

    assert found == [{"value": "1", "text": "Frase", "hint": "Cancity"}]


def test_a_list_asks_the_database_as_often_for_60_people_as_for_10(
    anna: Visitor, cast: Cast, database: Database
) -> None:
    asked: list[int] = []
    for count in (10, 50):
        for n in range(count):
            written(
                database,
                f"Frase {n}",
                company_id=company(database, f"Shop {n}"),
                owner_id=(cast.ben if n % 2 else cast.anna).user_id,
                phones=("09123456789",),
            )
        anna.read("/people")
        with counted(database) as statements:
            anna.read("/people")
        asked.append(len(statements))

    assert asked[0] == asked[1]


def test_everything_that_does_not_fit_is_told_in_one_round(anna: Visitor) -> None:
    wrong = {"owner_id": "x", "emails": "nobody", "phones": "12"}

    page = anna.post("/people/new", first_name="Sara", **wrong).get_data(as_text=True)

    assert [field for field in wrong if f'id="f-{field}-error"' not in page] == []
