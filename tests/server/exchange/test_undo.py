"""Taking an import back: new records to the bin, changed ones as before, what others touched stays."""

from dataclasses import replace

import pytest

from server.companies import service as companies
from server.companies.queries import get_company
from server.core.errors import Conflict
from server.exchange.rules import ImportStatus
from tests.server.conftest import Cast
from tests.server.exchange.conftest import Desk

PEOPLE = "id,last name,email,company\n1,Rezaei,r@example.com,Pars\n2,Karimi,k@example.com,Pars\n"


def rename(desk: Desk, cast: Cast, name: str, **changes: object) -> None:
    (company_id,) = desk.ask("SELECT id FROM companies WHERE name = :name", name=name)[0]
    with desk.database.write(cast.anna) as session:
        company = get_company(session, cast.anna, company_id)
        draft = replace(companies.draft_of(company), **changes)  # type: ignore[arg-type] # fields
        companies.change_company(session, cast.anna, company_id, draft)


def test_new_records_go_to_the_bin_with_what_came_on_the_side(desk: Desk) -> None:
    done = desk.bring("people", PEOPLE)

    undone = desk.undo(done.id)

    assert undone.status is ImportStatus.UNDONE
    assert undone.undo_counts == {"removed": 2}
    assert (desk.living("people"), desk.living("companies")) == (0, 0)


def test_undone_deals_keep_their_history(desk: Desk) -> None:
    done = desk.bring("deals", "id,title,stage\n1,Pump,Won\n")
    moves = desk.ask("SELECT count(*) FROM stage_moves")

    desk.undo(done.id)

    assert desk.living("deals") == 0
    assert desk.ask("SELECT count(*) FROM stage_moves") == moves


def test_parents_set_by_the_import_itself_are_no_change_of_somebody_else(desk: Desk) -> None:
    done = desk.bring("companies", "name,parent\nPars,Tamin\nTamin,\n")

    assert desk.undo(done.id).undo_counts == {"removed": 2}


def test_what_somebody_changed_since_is_kept_and_told(desk: Desk, cast: Cast) -> None:
    done = desk.bring("companies", "name\nPars\nFars\n")
    rename(desk, cast, "Pars", city="Tehran")

    undone = desk.undo(done.id)

    assert undone.undo_counts == {"removed": 1, "kept": 1}
    kept = next(row for row in desk.rows(done.id) if row.undo_message)
    assert kept.raw == ["Pars"]
    assert desk.ask("SELECT name FROM companies WHERE deleted_at IS NULL") == [("Pars",)]


def test_companies_to_which_deals_or_people_belong_are_kept(desk: Desk) -> None:
    done = desk.bring("companies", "name\nPars\nFars\n")
    people = desk.bring("people", "name,company\nAli,Pars\n")

    assert desk.undo(done.id).undo_counts == {"removed": 1, "kept": 1}
    desk.undo(people.id)
    assert desk.living("companies") == 1


def test_changed_records_are_as_before_unless_changed_since(desk: Desk, cast: Cast) -> None:
    desk.bring("companies", "name,city,industry\nPars,Tehran,energy\nFars,Shiraz,retail\n")
    done = desk.bring("companies", "name,city,industry\nPars,Qom,oil\nFars,Fasa,food\n")
    rename(desk, cast, "Pars", city="Ahvaz")

    undone = desk.undo(done.id)

    assert undone.undo_counts == {"restored": 2}
    assert desk.ask("SELECT name, city, industry FROM companies ORDER BY id") == [
        ("Pars", "Ahvaz", "energy"),
        ("Fars", "Shiraz", "retail"),
    ]
    messages = {row.raw[0]: row.undo_message for row in desk.rows(done.id)}
    assert "city" in messages["Pars"]
    assert messages["Fars"] == ""


def test_a_moved_deal_goes_back_to_its_stage_and_dates(desk: Desk) -> None:
    desk.bring("deals", "id,title,stage,amount\n1,Pump,Engaging,5\n")
    done = desk.bring("deals", "id,title,stage,amount,closed on\n1,Pump,Won,7,2026-02-01\n")
    assert desk.ask("SELECT status, amount FROM deals") == [("won", 700)]

    desk.undo(done.id)

    found = desk.ask(
        "SELECT d.status, d.amount, d.closed_on, s.name FROM deals d JOIN stages s ON s.id = d.stage_id"
    )
    assert found == [("open", 500, None, "Engaging")]


def test_an_undone_import_can_be_run_again(desk: Desk) -> None:
    done = desk.bring("people", PEOPLE)
    desk.undo(done.id)

    again = desk.bring("people", PEOPLE)

    assert again.counts == {"created": 2, "company": 1}


def test_rows_without_a_key_can_be_imported_again_after_the_undo(desk: Desk) -> None:
    done = desk.bring("deals", "title\nTwin\nTwin\n")
    desk.undo(done.id)

    assert desk.bring("deals", "title\nTwin\nTwin\n").counts == {"created": 2}


def test_an_import_is_undone_once_and_only_after_it_ran(desk: Desk) -> None:
    import_id = desk.upload("people", PEOPLE)
    with pytest.raises(Conflict):
        desk.undo(import_id)
    desk.run(import_id)
    desk.undo(import_id)

    with pytest.raises(Conflict):
        desk.undo(import_id)


def test_both_are_in_the_trail(desk: Desk, cast: Cast) -> None:
    done = desk.bring("people", PEOPLE)
    desk.undo(done.id)

    found = desk.ask(
        "SELECT action, user_id, record_id FROM audit_entries WHERE kind = 'import' ORDER BY id"
    )
    who = cast.root.user_id
    assert found == [("import", who, done.id), ("undo_import", who, done.id)]
    assert desk.ask(
        "SELECT count(*) FROM audit_entries WHERE kind = 'person' AND action = 'delete'"
    ) == [(2,)]
