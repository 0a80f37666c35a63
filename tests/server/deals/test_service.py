"""Writing down, changing, moving and deleting deals."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.audit.queries import history_of
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.core.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from server.core.listing import Filter, ListQuery
from server.deals import queries, service
from server.deals.board import Place, Wish, board
from server.deals.models import Deal
from server.deals.service import Step
from tests.server.conftest import Cast
from tests.server.deals.conftest import Selling, new_company, new_deal


def move(database: Database, actor: Actor, deal_id: int, step: Step) -> Deal:
    with database.write(actor) as session:
        return service.move_deal(session, actor, deal_id, step)


def test_a_new_deal_begins_in_the_first_stage_with_its_probability(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)

    with database.read() as session:
        deal = queries.get_deal(session, cast.anna, deal_id)
        moves = queries.history(session, cast.anna, deal_id)

    assert (deal.stage_id, deal.probability, deal.status) == (selling.prospecting, 10, "open")
    assert (deal.owner_id, deal.pipeline_id) == (cast.anna.user_id, selling.pipeline_id)
    assert [(m.from_stage, m.to_stage) for m in moves] == [(None, "Prospecting")]


def test_the_first_deal_of_all_makes_the_first_pipeline(database: Database, cast: Cast) -> None:
    deal_id = new_deal(database, cast.anna)

    with database.read() as session:
        pipeline = queries.default_pipeline(session, cast.anna)
        deal = queries.get_deal(session, cast.anna, deal_id)
    assert pipeline is not None
    assert deal.pipeline_id == pipeline.id


def test_a_deal_that_cannot_be_right_is_refused_at_its_field(
    database: Database, cast: Cast, selling: Selling
) -> None:
    wrong: tuple[tuple[str, dict[str, object]], ...] = (
        ("title", {"title": "  "}),
        ("title", {"title": "x" * 251}),
        ("amount", {"amount": -1}),
        ("amount", {"amount": 9_000_000_000_000_001}),
        ("currency", {"currency": "BLA"}),
        ("probability", {"probability": 101}),
        ("company_id", {"company_id": 99}),
        ("person_ids", {"person_ids": (99,)}),
        ("stage_id", {"stage_id": 99}),
        ("pipeline_id", {"pipeline_id": 99}),
        ("owner_id", {"owner_id": 99}),
        ("closed_on", {"engaged_on": date(2026, 2, 1), "closed_on": date(2026, 1, 1)}),
    )
    for field, wishes in wrong:
        with pytest.raises(Invalid) as refusal:
            new_deal(database, cast.root, **wishes)

        assert field in {error.field for error in refusal.value.errors}, wishes


def test_people_see_their_own_deals_and_viewers_see_all(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)

    with database.read() as session:
        assert queries.get_deal(session, cast.guest, deal_id).id == deal_id
        with pytest.raises(NotFound):
            queries.get_deal(session, cast.ben, deal_id)


def test_a_colleague_may_not_change_what_only_managers_may(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)
    seeing_ben = replace(cast.ben, permissions=cast.ben.permissions | {"deals.see_all"})

    with pytest.raises(NotAllowed):
        move(database, seeing_ben, deal_id, Step(selling.won))
    with pytest.raises(NotAllowed):
        move(database, cast.guest, deal_id, Step(selling.won))
    with pytest.raises(NotAllowed):
        new_deal(database, cast.ben, owner_id=cast.anna.user_id)
    assert move(database, cast.root, deal_id, Step(selling.won)).status == "won"


def test_a_won_stage_closes_a_deal_and_an_open_one_opens_it_again(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)

    won = move(database, cast.anna, deal_id, Step(selling.won))
    assert (won.status, won.probability, won.closed_on is not None) == ("won", 100, True)

    opened = move(database, cast.anna, deal_id, Step(selling.engaging))
    assert (opened.status, opened.probability, opened.closed_on) == ("open", 30, None)

    with database.read() as session:
        moves = queries.history(session, cast.anna, deal_id)
    assert [m.to_stage for m in moves] == ["Engaging", "Won", "Prospecting"]
    assert all(m.seconds_in_from is not None for m in moves[:2])
    assert {m.by_id for m in moves} == {cast.anna.user_id}


def test_a_lost_deal_keeps_its_reason_until_it_is_opened_again(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna, stage_id=selling.proposal)

    with database.write(cast.anna) as session:
        lost = service.lose_deal(session, cast.anna, deal_id, "Too dear")
    assert (lost.status, lost.probability, lost.lost_reason) == ("lost", 0, "Too dear")

    with database.write(cast.anna) as session:
        again = service.reopen_deal(session, cast.anna, deal_id)
    assert (again.stage_id, again.lost_reason) == (selling.proposal, "")


def test_a_deal_stays_in_its_pipeline_unless_the_pipeline_is_changed(
    database: Database, cast: Cast, selling: Selling
) -> None:
    from server.deals.pipelines import create_pipeline

    deal_id = new_deal(database, cast.anna)
    with database.write(cast.root) as session:
        other = create_pipeline(session, cast.root, "Service contracts")
        first = queries.stages_of(session, cast.root, other.id)[0].id

    with pytest.raises(Invalid):
        move(database, cast.anna, deal_id, Step(first))

    with database.write(cast.anna) as session:
        draft = service.draft_of(session, queries.get_deal(session, cast.anna, deal_id))
        draft = replace(draft, pipeline_id=other.id, stage_id=None)
        changed = service.change_deal(session, cast.anna, deal_id, draft)
    assert (changed.pipeline_id, changed.stage_id) == (other.id, first)


def test_a_change_of_an_old_version_is_refused_and_names_who_was_faster(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)
    move(database, cast.root, deal_id, Step(selling.engaging, version=1))

    with pytest.raises(Stale, match="Root"):
        move(database, cast.anna, deal_id, Step(selling.proposal, version=1))


def test_changing_only_who_is_involved_moves_the_version_on(
    database: Database, cast: Cast, selling: Selling
) -> None:
    from server.people.rules import PersonDraft
    from server.people.service import create_person

    deal_id = new_deal(database, cast.anna)
    with database.write(SYSTEM) as session:
        person = create_person(session, SYSTEM, PersonDraft(first_name="Sara", last_name="Rad"))
    with database.write(cast.anna) as session:
        deal = queries.get_deal(session, cast.anna, deal_id)
        draft = replace(service.draft_of(session, deal), person_ids=(person.id,))
        changed = service.change_deal(session, cast.anna, deal_id, draft, version=1)

    assert changed.version == 2
    with database.read() as session:
        assert queries.people_of(session, [deal_id]) == {deal_id: (person.id,)}
        found = queries.deals_of_person(session, cast.anna, person.id)
    assert [deal.id for deal in found] == [deal_id]


def test_one_change_is_one_version_and_one_entry_of_the_trail(
    database: Database, cast: Cast, selling: Selling
) -> None:
    from server.people.rules import PersonDraft
    from server.people.service import create_person

    deal_id = new_deal(database, cast.anna)
    with database.write(SYSTEM) as session:
        person = create_person(session, SYSTEM, PersonDraft(first_name="Sara")).id
    with database.write(cast.anna) as session:
        before = service.draft_of(session, queries.get_deal(session, cast.anna, deal_id))
        wanted = replace(
            before, title="Nine pumps", stage_id=selling.won, person_ids=(person,), amount=7
        )
        service.change_deal(session, cast.anna, deal_id, wanted)

    with database.read() as session:
        assert queries.get_deal(session, cast.anna, deal_id).version == 2
        change = history_of(session, "deal", deal_id)[0].changes
        assert len(history_of(session, "deal", deal_id)) == 2
    assert change["title"] == ["Ten pumps", "Nine pumps"]
    assert change["stage_id"] == [selling.prospecting, selling.won]


def test_an_owner_may_hand_a_deal_over_and_then_sees_it_no_more(
    database: Database, cast: Cast, selling: Selling
) -> None:
    deal_id = new_deal(database, cast.anna)
    with database.write(cast.anna) as session:
        draft = service.draft_of(session, queries.get_deal(session, cast.anna, deal_id))
        service.change_deal(session, cast.anna, deal_id, replace(draft, owner_id=cast.ben.user_id))

    with database.read() as session:
        assert queries.get_deal(session, cast.ben, deal_id).owner_id == cast.ben.user_id
        with pytest.raises(NotFound):
            queries.get_deal(session, cast.anna, deal_id)


def test_an_external_id_belongs_to_one_living_deal(
    database: Database, cast: Cast, selling: Selling
) -> None:
    first = new_deal(database, cast.anna, external_id="A1")
    with pytest.raises(Conflict):
        new_deal(database, cast.anna, external_id="A1")

    with database.write(cast.root) as session:
        service.delete_deal(session, cast.root, first)
    new_deal(database, cast.anna, external_id="A1")

    with database.write(cast.root) as session, pytest.raises(Conflict):
        service.restore_deal(session, cast.root, first)


def test_the_bin_gives_a_deal_back(database: Database, cast: Cast, selling: Selling) -> None:
    deal_id = new_deal(database, cast.anna)
    with database.write(cast.root) as session:
        service.delete_deal(session, cast.root, deal_id)
    with database.read() as session, pytest.raises(NotFound):
        queries.get_deal(session, cast.anna, deal_id)

    with database.write(cast.root) as session:
        service.restore_deal(session, cast.root, deal_id)

    with database.read() as session:
        assert queries.get_deal(session, cast.anna, deal_id).deleted_at is None
        actions = [entry.action for entry in history_of(session, "deal", deal_id)]
    assert actions == ["restore", "delete", "create"]


def test_a_search_finds_words_of_the_deal_and_of_its_company(
    database: Database, cast: Cast, selling: Selling
) -> None:
    company = new_company(database, "فولاد كاوه")
    deal_id = new_deal(database, cast.anna, title="Pump GTX 500", company_id=company)
    new_deal(database, cast.anna, title="Pump MG")

    with database.read() as session:
        for question in ("gtx", "فولاد کاوه", "pump کاوه ۵۰۰"):
            found = queries.list_deals(session, cast.anna, ListQuery(q=question))
            assert [deal.id for deal in found.items] == [deal_id], question


def test_a_list_is_filtered_sorted_and_counted(
    database: Database, cast: Cast, selling: Selling
) -> None:
    small = new_deal(database, cast.anna, amount=500, expected_close_on=date(2027, 1, 1))
    large = new_deal(database, cast.anna, amount=5_000, stage_id=selling.engaging)
    other = new_deal(database, cast.anna, amount=2_000, expected_close_on=date(2026, 6, 1))

    def ids(**wishes: object) -> list[int]:
        with database.read() as session:
            wish = ListQuery(**wishes)  # type: ignore[arg-type] # tests name fields
            return [deal.id for deal in queries.list_deals(session, cast.anna, wish).items]

    assert ids(sort="-amount") == [large, other, small]
    assert ids(sort="expected_close_on") == [other, small, large]
    assert ids(sort="amount", filters=(Filter("amount", "gte", "۱۰۰۰"),)) == [other, large]
    assert ids(filters=(Filter("stage_id", "eq", str(selling.engaging)),)) == [large]
    assert ids(filters=(Filter("expected_close_on", "empty", "1"),)) == [large]
    with database.read() as session:
        first = queries.list_deals(session, cast.anna, ListQuery(sort="expected_close_on", limit=1))
        wish = ListQuery(sort="expected_close_on", limit=1, cursor=first.next_cursor)
        second = queries.list_deals(session, cast.anna, wish)
        total = queries.totals(session, cast.anna, ListQuery())
    assert [deal.id for deal in second.items] == [small]
    assert [(t.count, t.amount, t.weighted) for t in total] == [(3, 7_500, 50 + 1_500 + 200)]


def test_a_card_goes_exactly_where_it_was_dropped(
    database: Database, cast: Cast, selling: Selling
) -> None:
    third, second, first = (new_deal(database, cast.anna, title=f"D{n}") for n in range(3))

    def order() -> list[int]:
        with database.read() as session:
            column = board(session, cast.anna, Wish(selling.pipeline_id))[0]
            return [deal.id for deal in column.deals]

    assert order() == [first, second, third]
    move(database, cast.anna, third, Step(selling.prospecting, Place(before_id=second)))
    assert order() == [first, third, second]
    move(database, cast.anna, first, Step(selling.prospecting, Place()))
    assert order() == [third, second, first]


def test_a_column_makes_room_when_a_card_is_dropped_between_the_same_two_again_and_again(
    database: Database, cast: Cast, selling: Selling
) -> None:
    below = new_deal(database, cast.anna)
    cards = [new_deal(database, cast.anna) for _ in range(3)]

    for turn in range(50):
        move(
            database, cast.anna, cards[turn % 3], Step(selling.prospecting, Place(before_id=below))
        )

    with database.read() as session:
        column = board(session, cast.anna, Wish(selling.pipeline_id))[0]
    assert [deal.id for deal in column.deals] == [cards[2], cards[0], cards[1], below]


def test_a_stuck_deal_is_known_by_the_days_of_its_stage(
    database: Database, cast: Cast, selling: Selling
) -> None:
    from server.deals.rules import days_stuck

    deal_id = new_deal(database, cast.anna)
    with database.read() as session:
        deal = queries.get_deal(session, cast.anna, deal_id)
        stage = queries.get_stage(session, cast.anna, deal.stage_id)

    assert (
        days_stuck(deal.stage_since, deal.stage_since + timedelta(days=30), stage.rot_days) is None
    )
    assert days_stuck(deal.stage_since, deal.stage_since + timedelta(days=31), stage.rot_days) == 31


def test_only_own_open_deals_come_home(database: Database, cast: Cast, selling: Selling) -> None:
    mine = new_deal(database, cast.anna)
    new_deal(database, cast.anna, stage_id=selling.won)
    new_deal(database, cast.ben)

    with database.read() as session:
        found = queries.my_open_deals(session, cast.anna)
        totals = queries.my_open_totals(session, cast.anna)
    assert [deal.id for deal in found] == [mine]
    assert [(t.currency, t.count) for t in totals] == [("USD", 1)]
