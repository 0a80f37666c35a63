"""Pages of companies without a browser: who may see what, forms that do not fit, and the bin."""

import pytest

from server.audit.queries import history_of
from server.companies import service
from server.companies.models import Company
from server.companies.rules import CompanyDraft
from server.core.actor import SYSTEM
from server.core.db import Database
from tests.client_web.conftest import Visit, Visitor, counted
from tests.server.conftest import Cast


def written(database: Database, *names: str, **fields: object) -> list[int]:
    drafts = [CompanyDraft(**{"name": name} | fields) for name in names]  # type: ignore[arg-type] # tests name fields
    with database.write(SYSTEM) as session:
        return service.create_companies(session, SYSTEM, drafts)


def kept(database: Database, company_id: int) -> Company:
    with database.read() as session:
        return session.get_one(Company, company_id)


def fields_of(**changes: object) -> dict[str, object]:
    return {"name": "Pars", "revenue_currency": "USD", **changes}


@pytest.fixture
def anna(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.anna)


def test_an_empty_house_says_what_to_do(anna: Visitor) -> None:
    page = anna.read("/companies")

    assert "No companies yet" in page
    assert "/companies/new" in page


def test_a_company_is_written_down_in_persian_digits(anna: Visitor, database: Database) -> None:
    answer = anna.post(
        "/companies/new",
        **fields_of(
            name="شرکت پارس",
            phones="۰۲۱ ۸۸۸۸ ۷۷۷۷\n0912 345 6789",
            emails="Anna@pars.example، sales@pars.example",
            employees="۱٬۲۰۰",
            founded_year="۱۹۸۰",
            annual_revenue="۱۲۳۴٫۵",
            website="pars.example",
        ),
    )

    assert answer.status_code == 302
    company = kept(database, int(answer.headers["Location"].rsplit("/", 1)[1]))
    assert company.phones == ["+982188887777", "+989123456789"]
    assert company.emails == ["Anna@pars.example", "sales@pars.example"]
    assert (company.employees, company.founded_year) == (1200, 1980)
    assert (company.annual_revenue, company.revenue_currency) == (123450, "USD")
    shown = anna.read(f"/companies/{company.id}")
    assert "شرکت پارس" in shown
    assert "+98 21 8888 7777" in shown
    assert "is written down" in shown


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "A company needs a name"),
        ("phones", "12", "“\u206612\u2069” is no telephone number"),
        ("emails", "nobody", "“nobody” is no email address"),
        ("founded_year", "x", "“x” is no whole number"),
        ("founded_year", "3000", "This number lies between"),
        ("employees", "9" * 40, "This number lies between"),
        ("annual_revenue", "1.234", "USD has no coins that small"),
        ("annual_revenue", "1e999999", "no amount"),
        ("website", "http://", "is no web address"),
        ("parent_company_id", "99", "There is no company 99"),
        ("owner_id", "99", "There is no user 99"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(
    anna: Visitor, database: Database, field: str, typed: str, sentence: str
) -> None:
    answer = anna.post("/companies/new", **fields_of(**{"city": "Shiraz", field: typed}))

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert f'id="f-{field}-error"' in page
    assert "Shiraz" in page
    with database.read() as session:
        assert session.query(Company).count() == 0


def test_whoever_saves_second_is_shown_what_the_first_one_changed(
    anna: Visitor, visit: Visit, cast: Cast, database: Database
) -> None:
    (company_id,) = written(database, "Pars", city="Tehran")
    address = f"/companies/{company_id}/edit"
    ben = visit(cast.ben)
    assert ben.post(address, **fields_of(city="Shiraz", version=1)).status_code == 302

    late = anna.post(address, **fields_of(city="Tabriz", version=1))

    page = late.get_data(as_text=True)
    assert late.status_code == 412
    assert "Somebody else changed this company" in page
    assert "Ben" in page
    assert "<del><bdi>Tehran</bdi></del>" in page
    assert "<ins><bdi>Shiraz</bdi></ins>" in page
    assert 'value="Tabriz"' in page
    assert kept(database, company_id).city == "Shiraz"
    assert anna.post(address, **fields_of(city="Tabriz", version=2)).status_code == 302
    assert kept(database, company_id).city == "Tabriz"


def test_a_deleted_company_is_undone_from_the_toast_and_from_the_bin(
    visit: Visit, cast: Cast, database: Database
) -> None:
    (company_id,) = written(database, "Pars")
    root = visit(cast.root)

    assert root.post(f"/companies/{company_id}/delete").headers["Location"] == "/companies"
    listed = root.read("/companies")
    assert f'action="/companies/{company_id}/restore"' in listed
    assert root.get(f"/companies/{company_id}").status_code == 404
    assert "Pars" in root.read("/companies/bin")

    root.post(f"/companies/{company_id}/restore")

    assert "Pars is back" in root.read(f"/companies/{company_id}")


def test_a_guest_looks_and_changes_nothing(visit: Visit, cast: Cast, database: Database) -> None:
    (company_id,) = written(database, "Pars")
    guest = visit(cast.guest)

    page = guest.read(f"/companies/{company_id}")

    assert f"/companies/{company_id}/edit" not in page
    assert f"/companies/{company_id}/delete" not in page
    assert 'id="history"' not in page
    for address in ("/companies/new", f"/companies/{company_id}/edit"):
        assert guest.get(address).status_code == 403
        assert guest.post(address, **fields_of(version=1)).status_code == 403
    assert guest.get("/companies/bin").status_code == 403
    assert guest.post(f"/companies/{company_id}/delete").status_code == 403
    assert guest.get(f"/history/company/{company_id}").status_code == 403
    assert kept(database, company_id).version == 1


def test_a_stranger_is_asked_to_sign_in(visit: Visit, cast: Cast) -> None:
    answer = visit().get("/companies?q=x")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/companies?q%3Dx"


def test_a_list_is_searched_filtered_and_walked(anna: Visitor, database: Database) -> None:
    written(database, *(f"Shop {n:03}" for n in range(60)), industry="Retail")
    written(database, "Bank of Pars", industry="Banking")

    first = anna.read("/companies?filter[industry]=Retail")
    assert "Shop 049" in first
    assert "Shop 050" not in first
    assert "Bank of Pars" not in first
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = anna.read(following)
    assert "Shop 050" in second
    assert "Shop 049" not in second
    assert 'rel="prev"' in second
    found = anna.read("/companies?q=bank+pars")
    assert "Bank of Pars" in found
    assert "Shop 000" not in found
    assert "Nothing found" in anna.read("/companies?q=nowhere")


@pytest.mark.parametrize(
    "query", ["sort=colour", "cursor=xyz", "limit=0", "filter[owner_id]=x", "filter[colour]=red"]
)
def test_a_list_that_is_asked_nonsense_says_so(anna: Visitor, query: str) -> None:
    assert anna.get(f"/companies?{query}").status_code == 422


def test_a_look_alike_is_warned_of(anna: Visitor, database: Database) -> None:
    (company_id,) = written(database, "شرکت پارس", city="Tehran")

    warned = anna.read("/companies/similar?name=شركت‌پارس")

    assert "exists already: شرکت پارس, Tehran" in warned
    assert "exists" not in anna.read(f"/companies/similar?name=شركت‌پارس&besides={company_id}")
    assert "exists" not in anna.read("/companies/similar?name=")


def test_a_picker_gets_what_begins_with_the_words_first(anna: Visitor, database: Database) -> None:
    written(database, "New Pars", "Pars")

    found = anna.get("/companies/options?q=par").json

    assert found is not None
    assert [one["text"] for one in found] == ["Pars", "New Pars"]


def test_the_page_of_a_company_shows_its_family(anna: Visitor, database: Database) -> None:
    (parent,) = written(database, "Holding")
    (child,) = written(database, "Daughter", parent_company_id=parent)

    assert f'href="/companies/{child}"' in anna.read(f"/companies/{parent}")
    assert f'href="/companies/{parent}"' in anna.read(f"/companies/{child}")


def test_the_history_names_who_changed_what(anna: Visitor, cast: Cast, database: Database) -> None:
    (parent,) = written(database, "Holding")
    made = anna.post("/companies/new", **fields_of(annual_revenue="10", phones="021 8888 7777"))
    company_id = int(made.headers["Location"].rsplit("/", 1)[1])
    anna.post(
        f"/companies/{company_id}/edit",
        **fields_of(
            annual_revenue="25.50",
            parent_company_id=parent,
            owner_id=cast.ben.user_id,
            phones="021 8888 7778",
            version=1,
        ),
    )

    page = anna.read(f"/history/company/{company_id}")

    for words in ("$10.00", "$25.50", "Holding", "Ben", "+98 21 8888 7777", "+98 21 8888 7778"):
        assert f"<bdi>{words}</bdi>" in page, words
    assert "Wrote this down" in page
    assert "name_key" not in page
    with database.read() as session:
        assert len(history_of(session, "company", company_id)) == 2


def test_a_history_is_only_of_records_that_can_be_seen(anna: Visitor, cast: Cast) -> None:
    for address in ("/history/company/99", "/history/user/1", "/history/colour/1"):
        assert anna.get(address).status_code == 404


def test_a_list_asks_the_database_as_often_for_60_companies_as_for_10(
    anna: Visitor, cast: Cast, database: Database
) -> None:
    asked: list[int] = []
    for _round in range(2):
        written(
            database,
            *(f"Shop {n}" for n in range(10 if not asked else 40)),
            industry="Retail",
            city="Shiraz",
            owner_id=cast.ben.user_id,
        )
        anna.read("/companies")
        with counted(database) as statements:
            anna.read("/companies")
        asked.append(len(statements))

    assert asked[0] == asked[1]


def test_a_record_asks_the_database_as_often_with_much_as_with_little(
    anna: Visitor, cast: Cast, database: Database
) -> None:
    (company_id,) = written(database, "Holding")
    asked: list[int] = []
    for count in (2, 30):
        written(database, *(f"Daughter {n}" for n in range(count)), parent_company_id=company_id)
        version = kept(database, company_id).version
        for step in range(count):
            anna.post(
                f"/companies/{company_id}/edit",
                **fields_of(
                    city=f"City {step}",
                    owner_id=(cast.ben if step % 2 else cast.anna).user_id,
                    version=version + step,
                ),
            )
        with counted(database) as statements:
            anna.read(f"/companies/{company_id}")
        asked.append(len(statements))

    assert asked[0] == asked[1]


def test_a_name_that_looks_like_a_date_is_shown_in_the_history(
    anna: Visitor, database: Database
) -> None:
    for name in ("2026-99-99", "2026-11-22T99:99"):
        company_id = written(database, name)[0]
        anna.post(f"/companies/{company_id}/edit", **fields_of(name="Pars", version=1))

        assert name in anna.read(f"/history/company/{company_id}")


def test_numbers_without_end_are_refused_beside_their_fields(anna: Visitor) -> None:
    long = "9" * 5_000

    refused = anna.post("/companies/new", **fields_of(owner_id=long, parent_company_id=long))
    assert refused.status_code == 422
    assert anna.post("/people/new", first_name="Sara", company_id=long).status_code == 422


def test_everything_that_does_not_fit_is_told_in_one_round(anna: Visitor) -> None:
    wrong = {"employees": "many", "emails": "nobody", "phones": "12"}

    page = anna.post("/companies/new", **fields_of(**wrong)).get_data(as_text=True)

    assert [field for field in wrong if f'id="f-{field}-error"' not in page] == []
