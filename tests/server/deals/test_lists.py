"""Lists of deals: every filter and sort stands on an index, and a page costs the same however long it is."""

from typing import Any
from typing import cast as cast_to

import pytest
from sqlalchemy import event, select

from server.core.db import Database
from server.core.errors import Invalid
from server.core.listing import Filter, ListQuery
from server.deals import queries
from server.deals.board import Wish, board, more_cards
from server.deals.models import Deal
from server.deals.rules import CARDS_SHOWN
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, many_deals, new_company, new_deal


def test_every_filter_and_sort_of_deals_has_an_index() -> None:
    indexes = Deal.metadata.tables["deals"].indexes
    leading = [cast_to(Any, next(iter(index.expressions))) for index in indexes]
    indexed = {str(select(column)) for column in leading}
    fields = [*queries.DEALS.filters.values(), *queries.DEALS.sorts.values()]

    asked = {str(select(field.column)) for field in fields} - {str(select(Deal.id))}

    assert asked - indexed == set()


def test_pages_of_a_list_meet_without_a_gap(
    database: Database, cast: Cast, selling: Selling
) -> None:
    ids = many_deals(database, 45, amount=5)
    seen: list[int] = []
    cursor = None

    with database.read() as session:
        for _page in range(3):
            wish = ListQuery(sort="-amount", limit=20, cursor=cursor)
            page = queries.list_deals(session, cast.root, wish)
            seen += [deal.id for deal in page.items]
            cursor = page.next_cursor

    assert seen == sorted(ids, reverse=True)
    assert cursor is None


def test_a_page_and_a_board_cost_the_same_queries_for_10_and_for_100_deals(
    database: Database, cast: Cast, selling: Selling
) -> None:
    asked: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _u, sql, *_rest: asked.append(sql)
    )

    def cost() -> int:
        asked.clear()
        with database.read() as session:
            queries.list_deals(session, cast.root, ListQuery(q="deal"))
            queries.totals(session, cast.root, ListQuery(q="deal"))
            board(session, cast.root, Wish(selling.pipeline_id))
            return sum(sql.startswith(("SELECT", "WITH")) for sql in asked)

    many_deals(database, 10)
    few = cost()
    many_deals(database, 90)

    assert cost() == few == 7


def test_a_long_column_is_shown_in_parts_but_counted_whole(
    database: Database, cast: Cast, selling: Selling
) -> None:
    ids = many_deals(database, CARDS_SHOWN + 20)
    many_deals(database, 3, currency="EUR", stage_id=selling.won)
    wish = Wish(selling.pipeline_id)

    with database.read() as session:
        columns = board(session, cast.root, wish)
        rest, beyond = more_cards(
            session, cast.root, wish, selling.prospecting, columns[0].next_id or 0
        )

    assert [column.count for column in columns] == [CARDS_SHOWN + 20, 0, 0, 3, 0]
    assert [total.currency for column in columns for total in column.totals] == ["USD", "EUR"]
    shown = [deal.id for deal in columns[0].deals] + [deal.id for deal in rest]
    assert (len(columns[0].deals), beyond) == (CARDS_SHOWN, None)
    assert sorted(shown) == ids


def test_a_board_shows_sellers_their_own_and_others_whom_they_choose(
    database: Database, cast: Cast, selling: Selling
) -> None:
    mine, theirs = new_deal(database, cast.anna), new_deal(database, cast.ben)

    def shown(actor: object, owner_id: int | None = None) -> list[int]:
        with database.read() as session:
            columns = board(session, actor, Wish(selling.pipeline_id, owner_id))  # type: ignore[arg-type] # one of the cast
            assert columns[0].count == len(columns[0].deals)
            return [deal.id for deal in columns[0].deals]

    assert shown(cast.anna) == [mine]
    assert shown(cast.anna, cast.ben.user_id) == []
    assert shown(cast.guest) == [theirs, mine]
    assert shown(cast.guest, cast.ben.user_id) == [theirs]


def test_deals_are_found_by_person_company_and_by_what_is_empty(
    database: Database, cast: Cast, selling: Selling
) -> None:
    company = new_company(database, "Cancity")
    with_company = new_deal(database, cast.anna, company_id=company)
    without = new_deal(database, cast.anna)

    def found(name: str, operator: str, value: str) -> list[int]:
        with database.read() as session:
            wish = ListQuery(filters=(Filter(name, operator, value),))
            return [deal.id for deal in queries.list_deals(session, cast.anna, wish).items]

    assert found("company_id", "eq", str(company)) == [with_company]
    assert found("company_id", "empty", "1") == [without]
    assert found("person_id", "eq", "7") == []
    with pytest.raises(Invalid):
        found("person_id", "eq", "x")


def test_letters_and_digits_of_any_keyboard_find_a_deal_also_when_a_word_is_a_sign(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna, title="پمپ گازی ۵۰۰ کیلویی")

    for question, hits in (("گازي 500", 1), ("كيلويي", 1), ("%", 0), ("گازی ٪", 1)):
        with database.read() as session:
            found = queries.list_deals(session, cast.anna, ListQuery(q=question))
        assert [deal.id for deal in found.items] == [deal_id] * hits, question
