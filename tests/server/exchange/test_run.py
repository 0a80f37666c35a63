"""What becomes of the rows: every one is accounted for, and a second import brings nothing twice."""

from datetime import date

import pytest

from server.exchange.rules import ImportStatus
from tests.server.conftest import Cast
from tests.server.exchange.conftest import Desk, outcomes

COMPANIES = """name,industry,employees,office,subsidiary of,revenue
Pars,energy,"1,200",Tehran,Tamin,1000.50
Tamin,holding,5000,Tehran,,
Fars,retail,many,Shiraz,,
Kish Trading,retail,12,Kish,Nowhere Ltd,7
"""
DEALS = """opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value,memo
A1,Anna,Pump,Pars,Won,2026-01-05,2026-02-01,"1,054",first
A2,Moses Frase,Pump,,Lost,1404/10/20,۱۴۰۴/۱۱/۱۵,۵۰,second
A3,root@example.com,Valve,Fars,In talks,05.01.2026,,,third
A4,Moses Frase,Valve,pars,Prospecting,,2026-09-01,10,
A5,Anna,Pump,Pars,Won,2026-03-05,2026-02-01,1,
A1,Anna,Pump,Pars,Lost,,,,again
,,,,,,,,
"""


def test_companies_come_with_their_parents_wherever_these_stand(desk: Desk) -> None:
    done = desk.bring("companies", COMPANIES)

    assert done.status is ImportStatus.DONE
    assert outcomes(desk.rows(done.id)) == [
        (2, "created"),
        (3, "created"),
        (4, "refused"),
        (5, "created"),
    ]
    found = desk.ask(
        "SELECT c.name, c.employees, c.annual_revenue, c.revenue_currency, p.name FROM companies c "
        "LEFT JOIN companies p ON p.id = c.parent_company_id ORDER BY c.id"
    )
    assert found == [
        ("Pars", 1200, 100_050, "USD", "Tamin"),
        ("Tamin", 5000, None, None, None),
        ("Kish Trading", 12, 700, "USD", "Nowhere Ltd"),
        ("Nowhere Ltd", None, None, None, None),
    ]
    assert desk.extras(done.id) == {("company", "Nowhere Ltd")}
    assert done.counts == {"created": 3, "refused": 1, "company": 1}


def test_deals_come_with_their_owners_stages_and_dates(desk: Desk, cast: Cast) -> None:
    desk.bring("companies", COMPANIES)

    done = desk.bring("deals", DEALS)

    found = desk.ask(
        "SELECT d.external_id, d.title, s.name, d.status, d.amount, d.engaged_on, d.closed_on, "
        "d.expected_close_on, u.display_name FROM deals d JOIN stages s ON s.id = d.stage_id "
        "JOIN users u ON u.id = d.owner_id ORDER BY d.external_id"
    )
    plain = [tuple(str(cell) if isinstance(cell, date) else cell for cell in row) for row in found]
    assert plain == [
        ("A1", "Pump – Pars", "Won", "won", 105_400, "2026-01-05", "2026-02-01", None, "Anna"),
        ("A2", "Pump", "Lost", "lost", 5_000, "2026-01-10", "2026-02-04", None, "Moses Frase"),
        ("A3", "Valve – Fars", "In talks", "open", 0, "2026-01-05", None, None, "Root"),
        (
            "A4",
            "Valve – pars",
            "Prospecting",
            "open",
            1_000,
            None,
            None,
            "2026-09-01",
            "Moses Frase",
        ),
    ]
    assert outcomes(desk.rows(done.id)) == [
        (2, "created"),
        (3, "created"),
        (4, "created"),
        (5, "created"),
        (6, "refused"),
        (7, "skipped"),
    ]
    assert desk.extras(done.id) == {
        ("user", "Moses Frase"),
        ("stage", "In talks"),
        ("company", "Fars"),
    }
    assert desk.ask("SELECT status FROM users WHERE display_name = 'Moses Frase'") == [("former",)]
    assert desk.ask("SELECT used FROM seat_counters WHERE kind = 'human'") == [(4,)]
    assert desk.ask("SELECT count(*) FROM companies WHERE name = 'pars'") == [(0,)]


def test_a_new_stage_stands_before_the_won_one(desk: Desk) -> None:
    desk.bring("deals", "title,stage\nA,Second look\nB,Third look\nC,برنده\n")

    names = desk.ask("SELECT name, type FROM stages WHERE type = 'open' ORDER BY position")
    assert [name for name, _type in names][-2:] == ["Second look", "Third look"]
    assert desk.ask("SELECT status FROM deals WHERE title = 'C'") == [("won",)]


def test_the_log_tells_how_many_rows_and_nothing_of_what_stands_in_them(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        done = desk.bring("deals", DEALS)
        undone = desk.undo(done.id)

    assert (done.status, undone.status) == (ImportStatus.DONE, ImportStatus.UNDONE)
    told = [record for record in caplog.records if record.name == "server.exchange.run"]
    assert [vars(record)["counts"] for record in told] == [done.counts, undone.undo_counts]
    assert "Moses" not in caplog.text


def test_every_cell_stays_readable(desk: Desk) -> None:
    done = desk.bring("deals", DEALS)

    memos = [row.raw[-1] for row in desk.rows(done.id)]
    assert memos == ["first", "second", "third", "", "", "again"]


def test_a_second_import_of_the_same_file_brings_nothing_twice(desk: Desk) -> None:
    files = [
        ("companies", COMPANIES),
        ("deals", DEALS),
        ("people", "last name,email\nRezaei,r@example.com\n"),
        ("people", "last name,note\nRezaei,a\nRezaei,a\nKarimi,b\n"),
        ("deals", "title,amount\nTwin,5\nTwin,5\n"),
    ]
    for kind, text in files:
        first = desk.bring(kind, text)
        assert first.counts["created"] > 0
        counted = desk.count(kind)

        again = desk.bring(kind, text)

        assert "created" not in again.counts
        assert "updated" not in again.counts
        assert desk.count(kind) == counted


def test_a_known_record_takes_over_what_the_row_says_and_keeps_the_rest(desk: Desk) -> None:
    desk.bring("people", "id,last name,email,job title\n7,Rezaei,r@example.com,Buyer\n")

    done = desk.bring("people", "id,last name,email,job title\n7,Rezaei,new@example.com,\n")

    (row,) = desk.rows(done.id)
    assert row.outcome.value == "updated"
    assert row.changes == {
        "emails": [["r@example.com"], ["r@example.com", "new@example.com"]],
    }
    assert desk.ask("SELECT job_title, version FROM people") == [("Buyer", 2)]


def test_a_trial_tells_the_same_and_writes_no_record(desk: Desk) -> None:
    for kind, text in (("companies", COMPANIES), ("deals", DEALS)):
        import_id = desk.upload(kind, text)
        before = desk.ask("SELECT count(*) FROM audit_entries")

        tried = desk.attempt(import_id)

        assert tried.status is ImportStatus.CHECKED
        assert desk.ask("SELECT count(*) FROM audit_entries") == before
        told = [(row.line, row.outcome, row.message) for row in desk.rows(import_id)]
        counts = dict(tried.counts)
        done = desk.run(import_id)
        assert [(row.line, row.outcome, row.message) for row in desk.rows(import_id)] == told
        for word in ("created", "updated", "skipped", "refused", "user", "stage"):
            assert done.counts.get(word) == counts.get(word)
