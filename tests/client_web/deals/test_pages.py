"""Pages of deals without a browser: what they show, to whom, and what their forms do."""

from datetime import date

from server.core.actor import SYSTEM
from server.core.db import Database
from server.deals import queries
from server.deals.models import Deal
from server.deals.rules import CARDS_SHOWN
from server.people.rules import PersonDraft
from server.people.service import create_person, delete_person
from tests.client_web.conftest import Visit, counted
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, many_deals, new_company, new_deal


def deal_of(database: Database, deal_id: int) -> Deal:
    with database.read() as session:
        return queries.get_deal(session, SYSTEM, deal_id)


def test_every_page_opens_in_an_empty_house(cast: Cast, visit: Visit) -> None:
    root = visit(cast.root)

    for address in ("/deals?view=list", "/deals/bin", "/deals/new"):
        root.read(address)
    assert "No deals yet" in root.read("/deals")
    assert "No pipeline yet" in root.read("/settings/pipelines")


def test_the_first_deal_brings_its_stages_along(
    database: Database, cast: Cast, visit: Visit
) -> None:
    anna = visit(cast.anna)
    made = anna.post("/deals/new", title="First", amount="1", currency="USD")

    assert made.status_code == 302
    assert "First" in anna.read(made.headers["Location"])
    assert "Prospecting" in anna.read("/deals")


def test_a_deal_is_written_down_and_changed(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    root, company = visit(cast.root), new_company(database, "Cancity")
    with database.write(SYSTEM) as session:
        person = create_person(session, SYSTEM, PersonDraft(first_name="Sara")).id

    made = root.post(
        "/deals/new",
        title="Ten pumps",
        amount="1250.50",
        currency="USD",
        stage_id=selling.engaging,
        company_id=company,
        person_ids=[person],
        owner_id=cast.anna.user_id,
        expected_close_on="2027-03-01",
    )
    address = made.headers["Location"]
    shown = root.read(address)
    for words in ("Ten pumps", "$1,250.50", "Cancity", "Anna", "Sara", "Mar 1, 2027", "$375.15"):
        assert words in shown, words

    form = {"title": "Nine pumps", "amount": "9", "currency": "EUR", "version": 1}
    changed = root.post(f"{address}/edit", stage_id=selling.proposal, probability="75", **form)
    assert changed.status_code == 302
    deal = deal_of(database, int(address.rsplit("/", 1)[1]))
    assert (deal.title, deal.amount, deal.currency) == ("Nine pumps", 900, "EUR")
    assert (deal.stage_id, deal.probability, deal.company_id) == (selling.proposal, 75, None)
    assert 'value="75"' in root.read(f"{address}/edit")


def test_amounts_are_typed_in_toman_and_kept_in_rials(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    anna = visit(cast.anna)
    made = anna.post("/deals/new", title="پمپ", amount="۱۲۵۰۰", currency="IRT")
    address = made.headers["Location"]

    deal = deal_of(database, int(address.rsplit("/", 1)[1]))
    assert (deal.amount, deal.currency) == (125_000, "IRR")
    form = anna.read(f"{address}/edit")
    assert 'value="12500"' in form
    assert '<option value="IRT" selected>' in form


def test_what_does_not_fit_stays_beside_its_field(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    anna = visit(cast.anna)

    answer = anna.post(
        "/deals/new",
        title="",
        amount="many",
        currency="USD",
        expected_close_on="soon",
        probability="x",
        company_id="999",
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in (
        "“many” is no amount.",
        "“soon” is no date.",
        "“x” is no whole number.",
        "A deal needs a title.",
    ):
        assert words in page, words
    assert 'value="soon"' in page


def test_of_two_who_write_at_once_the_second_hears_of_it_and_keeps_the_words(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    deal_id = new_deal(database, cast.anna, title="Pumps")
    anna, root = visit(cast.anna), visit(cast.root)
    address, usual = f"/deals/{deal_id}/edit", {"currency": "USD", "owner_id": cast.anna.user_id}
    root.post(address, title="Root's pumps", stage_id=selling.proposal, version=1, **usual)

    late = anna.post(address, title="Anna's pumps", version=1, **usual)

    page = late.get_data(as_text=True)
    assert late.status_code == 412
    for words in (
        "Root",
        "Root&#39;s pumps",
        "Anna&#39;s pumps",
        'name="version" value="2"',
        "<dt>Stage</dt>",
    ):
        assert words in page, words
    assert anna.post(address, title="Anna's pumps", version=2, **usual).status_code == 302
    assert deal_of(database, deal_id).title == "Anna's pumps"


def test_a_person_in_the_bin_stays_with_the_deal(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    with database.write(SYSTEM) as session:
        person = create_person(session, SYSTEM, PersonDraft(first_name="Sara")).id
    deal_id = new_deal(database, cast.anna, person_ids=(person,))
    with database.write(SYSTEM) as session:
        delete_person(session, SYSTEM, person)

    visit(cast.anna).post(f"/deals/{deal_id}/edit", title="Pumps", currency="USD", version=1)

    with database.read() as session:
        assert queries.people_of(session, [deal_id]) == {deal_id: (person,)}


def test_a_deal_is_won_opened_again_lost_and_explained(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    anna, deal_id = visit(cast.anna), new_deal(database, cast.anna)
    address = f"/deals/{deal_id}"

    anna.post(f"{address}/stage", stage_id=selling.proposal, version=1)
    assert deal_of(database, deal_id).stage_id == selling.proposal
    assert anna.post(f"{address}/win", version=1).status_code == 412
    anna.post(f"{address}/win", version=2)
    assert deal_of(database, deal_id).status == "won"
    anna.post(f"{address}/reopen", version=3)
    assert deal_of(database, deal_id).stage_id == selling.proposal
    anna.post(f"{address}/stage", stage_id=selling.lost)
    assert "Why was it lost?" in anna.read(address)
    anna.post(f"{address}/lose", lost_reason="Price")

    page = anna.read(address)
    assert "Why was it lost?" not in page
    assert deal_of(database, deal_id).lost_reason == "Price"
    assert page.count("after less than a day in") == 4


def test_the_bin_and_the_way_back(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    root, deal_id = visit(cast.root), new_deal(database, cast.anna, title="Pumps")

    gone = root.post(f"/deals/{deal_id}/delete")
    after = root.read(gone.headers["Location"])
    assert "Pumps is in the bin." in after
    assert f"/deals/{deal_id}/restore" in after
    assert root.get(f"/deals/{deal_id}").status_code == 404
    assert "Pumps" in root.read("/deals/bin")
    root.post(f"/deals/{deal_id}/restore")

    assert "Pumps" in root.read("/deals?view=list")


def test_sellers_reach_their_own_deals_only_and_lookers_change_nothing(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    deal_id = new_deal(database, cast.anna, title="Pumps")
    ben, guest, anna = visit(cast.ben), visit(cast.guest), visit(cast.anna)

    for address in ("/deals", "/deals?view=list"):
        assert "Pumps" not in ben.read(address)
        assert "Pumps" in guest.read(address)
    assert ben.get(f"/deals/{deal_id}").status_code == 404
    assert ben.post(f"/deals/{deal_id}/win").status_code == 404
    assert guest.post(f"/deals/{deal_id}/win").status_code == 403
    assert f"/deals/{deal_id}/stage" not in guest.read(f"/deals/{deal_id}")
    assert "data-fixed" in guest.read("/deals")
    assert anna.post(f"/deals/{deal_id}/delete").status_code == 403
    for refused in ("/deals/bin", "/settings/pipelines"):
        assert anna.get(refused).status_code == 403, refused
    assert deal_of(database, deal_id).status == "open"


def test_the_list_is_searched_filtered_sorted_and_summed(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    company = new_company(database, "فولاد كاوه")
    new_deal(database, cast.anna, title="پمپ ۵۰۰", company_id=company, amount=10_000)
    new_deal(
        database,
        cast.ben,
        title="Valve",
        amount=30_000,
        expected_close_on=date(2027, 1, 5),
        stage_id=selling.proposal,
    )
    root = visit(cast.root)

    def found(query: str) -> tuple[bool, bool]:
        page = root.read(f"/deals?view=list&{query}")
        return "پمپ ۵۰۰" in page, "Valve" in page

    assert found("q=كاوه 500") == (True, False)
    assert found(f"filter[owner_id]={cast.ben.user_id}") == (False, True)
    assert found(f"filter[stage_id]={selling.proposal}") == (False, True)
    assert found("filter[status]=won") == (False, False)
    assert found(f"filter[company_id]={company}") == (True, False)
    between = "filter[expected_close_on][gte]=2027-01-01&filter[expected_close_on][lte]=2027-01-31"
    assert found(between) == (False, True)
    page = root.read("/deals?view=list&sort=-amount")
    assert page.index("Valve") < page.index("پمپ ۵۰۰")
    assert "$400.00" in page
    assert "2 deals, by their probability $190.00" in page
    assert root.get("/deals?view=list&filter[colour]=red").status_code == 422


def test_long_lists_are_read_page_by_page(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    many_deals(database, 60)
    root = visit(cast.root)

    first = root.read("/deals?view=list&sort=amount")
    cursor = first.split("cursor=")[1].split('"')[0]

    assert "Deal 49<" in first
    assert "Deal 50<" not in first
    second = root.read(f"/deals?view=list&sort=amount&cursor={cursor}")
    assert "Deal 50<" in second
    assert "Deal 59<" in second


def test_board_and_list_ask_the_same_few_questions_for_10_and_for_100_deals(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    root = visit(cast.root)
    companies = [new_company(database, f"Company {n}") for n in range(5)]

    def costs() -> list[int]:
        found = []
        for address in ("/deals", "/deals?view=list", "/deals/bin"):
            root.read(address)
            with counted(database) as asked:
                root.read(address)
            found.append(len(asked))
        return found

    for n in range(10):
        many_deals(database, 1, company_id=companies[n % 5], owner_id=cast.anna.user_id)
    few = costs()
    for n in range(10):
        many_deals(database, 9, company_id=companies[n % 5], owner_id=cast.anna.user_id)

    assert costs() == few
    assert max(few) <= 24


def test_a_card_is_moved_and_its_heads_with_it(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    deal_id = new_deal(database, cast.anna, amount=500_00)
    below = new_deal(database, cast.anna, stage_id=selling.won)
    anna = visit(cast.anna)
    anna.get("/deals")

    def move(**fields: object) -> tuple[int, str, str]:
        answer = anna.client.post(
            f"/deals/{deal_id}/move",
            data={"csrf_token": anna.token, **fields},
            headers={"HX-Request": "true"},
        )
        said = answer.headers.get("HX-Trigger", "")
        return answer.status_code, answer.get_data(as_text=True), said

    status, body, _said = move(stage_id=selling.won, version=1, before_id=below)
    assert status == 200
    assert f'id="card-{deal_id}"' in body
    assert 'data-version="2"' in body
    for stage_id in (selling.prospecting, selling.won):
        assert f'id="board-head-{stage_id}" hx-swap-oob="true"' in body
    assert "$600.00" in body

    status, _body, said = move(stage_id=selling.proposal, version=1)
    assert status == 412
    assert "Anna changed this deal" in said
    assert move(stage_id="x")[0] == 422
    assert move()[0] == 422
    status, body, _said = move(stage_id=selling.lost, version=2)
    assert f"/deals/{deal_id}/lost" in body
    assert "Price" in anna.read(f"/deals/{deal_id}/lost")


def test_a_long_column_shows_more_when_asked(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    many_deals(database, CARDS_SHOWN + 5)
    root = visit(cast.root)

    page = root.read("/deals")
    more = "/deals/cards" + page.split("/deals/cards")[1].split('"')[0].replace("&amp;", "&")
    rest = root.read(more)

    assert page.count("data-card=") == CARDS_SHOWN
    assert rest.count("data-card=") == 5
    assert "k-column-more" not in rest


def test_pickers_and_links_of_other_pages(
    database: Database, cast: Cast, selling: Selling, visit: Visit
) -> None:
    company = new_company(database, "Cancity")
    with database.write(SYSTEM) as session:
        draft = PersonDraft(first_name="Sara", company_id=company)
        person = create_person(session, SYSTEM, draft).id
    new_deal(database, cast.anna, title="Pumps")
    anna = visit(cast.anna)

    options = anna.get("/deals/options?q=pum").json
    form = anna.read(f"/deals/new?person_id={person}&stage_id={selling.proposal}")

    assert options == [{"value": "1", "text": "Pumps", "hint": "$100.00"}]
    assert f'<option value="{company}" selected>Cancity</option>' in form
    assert f'<option value="{person}" selected>Sara</option>' in form
    assert f'<option value="{selling.proposal}" selected>Proposal</option>' in form
    assert anna.get("/deals/new?company_id=x").status_code == 422
