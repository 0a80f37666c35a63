"""Writing many deals at once and taking them back."""

from datetime import date, timedelta

import pytest

from server.audit.queries import history_of
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.errors import Invalid, NotAllowed
from server.core.listing import Filter, ListQuery
from server.deals import queries, service
from server.deals.board import Wish, board
from server.deals.rules import DealDraft
from server.users.rules import UserDraft, UserStatus
from server.users.service import create_user
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, new_company, new_deal


def drafts(count: int, **wishes: object) -> list[DealDraft]:
    return [
        DealDraft(
            **{  # type: ignore[arg-type] # tests name fields
                "title": f"Deal {n}",
                "currency": "USD",
                "amount": n,
                "external_source": "csv",
                "external_id": f"D{n}",
            }
            | wishes
        )
        for n in range(count)
    ]


def test_many_deals_get_their_ids_history_owners_people_and_trail(
    database: Database, cast: Cast, selling: Selling
) -> None:
    company = new_company(database, "Cancity")
    won_on, began_on = date(2017, 3, 1), date(2016, 10, 20)
    open_ones = drafts(3, company_id=company, stage_id=selling.engaging, owner_id=cast.anna.user_id)
    won = DealDraft(
        "Won one", "USD", stage_id=selling.won, engaged_on=began_on, closed_on=won_on, amount=7
    )

    with database.write(cast.root) as session:
        ids = service.create_deals(session, cast.root, [*open_ones, won])

    with database.read() as session:
        made = [queries.get_deal(session, cast.root, deal_id) for deal_id in ids]
        moves = [queries.history(session, cast.root, deal_id) for deal_id in ids]
        trail = [history_of(session, "deal", deal_id) for deal_id in ids]
        found = queries.list_deals(session, cast.root, ListQuery(q="canc deal 2"))
    assert [deal.title for deal in made] == ["Deal 0", "Deal 1", "Deal 2", "Won one"]
    assert [(deal.status, deal.probability) for deal in made] == [("open", 30)] * 3 + [("won", 100)]
    assert [deal.owner_id for deal in made] == [cast.anna.user_id] * 3 + [cast.root.user_id]
    assert made[3].closed_on == won_on
    assert [move.to_stage for steps in moves for move in steps] == ["Engaging"] * 3 + ["Won"]
    assert moves[3][0].at.date() == won_on
    assert [(entry.action, entry.user_name) for one in trail for entry in one] == [
        ("create", "Root")
    ] * 4
    assert [deal.id for deal in found.items] == [ids[2]]


def test_the_newest_of_many_stands_on_top_of_its_column(
    database: Database, cast: Cast, selling: Selling
) -> None:
    before = new_deal(database, cast.root)
    days = [date(2026, 1, 1) + timedelta(days=n) for n in (5, 9, 1)]
    many = [DealDraft(f"D{day}", "USD", engaged_on=day) for day in days]

    with database.write(cast.root) as session:
        ids = service.create_deals(session, cast.root, many)

    with database.read() as session:
        column = board(session, cast.root, Wish(selling.pipeline_id))[0]
    assert [deal.id for deal in column.deals] == [ids[1], ids[0], ids[2], before]


def test_every_draft_that_cannot_be_right_is_named_and_none_is_written(
    database: Database, cast: Cast, selling: Selling
) -> None:
    new_deal(database, cast.root, external_source="csv", external_id="D4")
    many = drafts(9)
    wrong: dict[int, tuple[str, dict[str, object]]] = {
        1: ("title", {"title": ""}),
        2: ("stage_id", {"stage_id": 999}),
        3: ("owner_id", {"owner_id": 999}),
        4: ("external_id", {}),
        5: ("company_id", {"company_id": 999}),
        6: ("person_ids", {"person_ids": (999,)}),
        7: ("external_id", {"external_id": "D0"}),
    }
    for place, (_field, wish) in wrong.items():
        many[place] = drafts(place + 1, **wish)[place]

    with database.read() as session:
        refusals = service.check_deals(session, cast.root, many)
    with pytest.raises(Invalid, match="Deal 2 of the list"), database.write(cast.root) as session:
        service.create_deals(session, cast.root, many)

    assert {place: errors[0].field for place, errors in refusals.items()} == {
        place: field for place, (field, _wish) in wrong.items()
    }
    with database.read() as session:
        assert queries.list_deals(session, cast.root, ListQuery()).total == 1


def test_deals_may_belong_to_people_who_are_gone(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(SYSTEM) as session:
        draft = UserDraft("moses@example.com", "Moses", status=UserStatus.FORMER)
        former = create_user(session, SYSTEM, draft).id

    with database.write(cast.root) as session:
        service.create_deals(session, cast.root, drafts(2, owner_id=former))

    with database.read() as session:
        wish = ListQuery(filters=(Filter("owner_id", "eq", str(former)),))
        assert queries.list_deals(session, cast.root, wish).total == 2


def test_sellers_write_down_many_deals_of_their_own_only(
    database: Database, cast: Cast, selling: Selling
) -> None:
    with database.write(cast.anna) as session:
        service.create_deals(session, cast.anna, drafts(2))
    with pytest.raises(Invalid, match="yourself only"), database.write(cast.anna) as session:
        service.create_deals(session, cast.anna, drafts(1, owner_id=cast.ben.user_id))
    with pytest.raises(NotAllowed), database.write(cast.guest) as session:
        service.create_deals(session, cast.guest, drafts(1))

    with database.read() as session:
        assert queries.list_deals(session, cast.anna, ListQuery()).total == 2


def test_many_first_deals_make_the_first_pipeline(database: Database, cast: Cast) -> None:
    with database.read() as session:
        assert service.check_deals(session, cast.root, drafts(2)) == {}
    with database.write(cast.root) as session:
        ids = service.create_deals(session, cast.root, drafts(2))

    with database.read() as session:
        home = queries.default_pipeline(session, cast.root)
        made = queries.get_deal(session, cast.root, ids[0])
    assert home is not None
    assert made.pipeline_id == home.id


def test_many_deals_go_into_the_bin_and_their_external_ids_are_free_again(
    database: Database, cast: Cast, selling: Selling
) -> None:
    kept = new_deal(database, cast.anna)
    with database.write(cast.root) as session:
        ids = service.create_deals(session, cast.root, drafts(3))
    with database.read() as session:
        known = queries.deals_by_external_id(session, cast.root, "csv", ["D0", "D2", "X"])
    assert known == {"D0": ids[0], "D2": ids[2]}

    with database.write(cast.root) as session:
        assert service.delete_deals(session, cast.root, [*ids, 9_999]) == 3
    with database.write(cast.root) as session:
        assert service.delete_deals(session, cast.root, ids) == 0
        again = service.create_deals(session, cast.root, drafts(3))

    with database.read() as session:
        assert {d.id for d in queries.list_deals(session, cast.root, ListQuery()).items} == {
            kept,
            *again,
        }
        actions = [entry.action for entry in history_of(session, "deal", ids[0])]
    assert actions == ["delete", "create"]


def test_only_who_may_delete_takes_many_deals_back(
    database: Database, cast: Cast, selling: Selling
) -> None:
    mine = new_deal(database, cast.anna)

    with pytest.raises(NotAllowed), database.write(cast.anna) as session:
        service.delete_deals(session, cast.anna, [mine])
