"""What becomes of single rows: keys, words, amounts, refusals. One database says it all."""

from dataclasses import replace

import pytest
from sqlalchemy import delete
from sqlalchemy import table as sql_table

from server.core.actor import Actor
from server.core.errors import Conflict, Invalid, NotAllowed
from server.core.i18n import use_locale
from server.exchange.rules import ImportStatus, Mode
from tests.server.conftest import Cast
from tests.server.exchange.conftest import Desk, outcomes


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Run on one database: what is tested here decides before either is asked."""
    return sqlite_url


COMPANIES = "name,industry\nPars,energy\nTamin,holding\n"


def test_a_circle_of_parents_is_left_open_and_told(desk: Desk) -> None:
    done = desk.bring("companies", "name,parent\nA,B\nB,A\nC,C\n")

    rows = desk.rows(done.id)
    assert [row.outcome.value for row in rows] == ["created", "created", "refused"]
    assert [bool(row.message) for row in rows] == [False, True, True]
    assert desk.ask("SELECT count(*) FROM companies WHERE parent_company_id IS NOT NULL") == [(1,)]


def test_equal_rows_without_a_key_are_records_of_their_own(desk: Desk) -> None:
    done = desk.bring("deals", "title,amount\nTwin,5\nTwin,5\n")

    assert done.counts == {"created": 2}


def test_the_mode_says_what_an_import_may_do(desk: Desk) -> None:
    desk.bring("companies", "name,city\nPars,Tehran\n")
    text = "name,city\nPars,Shiraz\nFars,Shiraz\n"

    created = desk.bring("companies", text, mode=Mode.CREATE)
    changed = desk.bring("companies", text.replace("Shiraz", "Qom"), mode=Mode.UPDATE)

    assert outcomes(desk.rows(created.id)) == [(2, "skipped"), (3, "created")]
    assert outcomes(desk.rows(changed.id)) == [(2, "updated"), (3, "updated")]
    assert desk.bring("companies", "name\nKish\n", mode=Mode.UPDATE).counts == {"skipped": 1}
    assert desk.ask("SELECT DISTINCT city FROM companies") == [("Qom",)]


def test_ids_of_two_sources_are_not_the_same(desk: Desk) -> None:
    desk.bring("companies", "id,name\n1,Pars\n", source="shop")

    done = desk.bring("companies", "id,name\n1,Fars\n", source="books")

    assert done.counts == {"created": 1}


def test_unknown_companies_can_be_left_out(desk: Desk) -> None:
    done = desk.bring("people", "name,company\nAli,Pars\n", create_companies=False)

    (row,) = desk.rows(done.id)
    assert row.outcome.value == "created"
    assert "Pars" in row.message
    assert done.counts == {"created": 1, "noted": 1}
    assert desk.ask("SELECT count(*) FROM companies") == [(0,)]


def test_words_are_replaced_as_the_mapping_says(desk: Desk) -> None:
    values = {"stage": {"in talks": "Proposal"}, "owner": {"M. F.": "anna@example.com"}}
    done = desk.bring("deals", "title,stage,owner\nPump,In Talks,m. f.\n", values=values)

    assert done.counts == {"created": 1}
    found = desk.ask(
        "SELECT s.name, u.display_name FROM deals d JOIN stages s ON s.id = d.stage_id "
        "JOIN users u ON u.id = d.owner_id"
    )
    assert found == [("Proposal", "Anna")]


def test_an_amount_that_is_no_whole_coin_is_rounded_and_told(desk: Desk) -> None:
    done = desk.bring("companies", "name,revenue\nPars,1100.04\n", currency="IRR")

    (row,) = desk.rows(done.id)
    assert "1100.04" in row.message
    assert desk.ask("SELECT annual_revenue, revenue_currency FROM companies") == [(1100, "IRR")]


def test_toman_are_kept_in_rials(desk: Desk) -> None:
    desk.bring("deals", "title,amount\nPump,12000\n", currency="IRT")

    assert desk.ask("SELECT amount, currency FROM deals") == [(120_000, "IRR")]


def test_a_refused_row_does_not_take_the_key_from_a_later_good_one(desk: Desk) -> None:
    done = desk.bring("deals", "id,title,amount\n1,Pump,much\n1,Pump,5\n")

    assert outcomes(desk.rows(done.id)) == [(2, "refused"), (3, "created")]


def test_a_wrong_column_for_the_stage_does_not_fill_the_pipeline(desk: Desk) -> None:
    text = "title,stage\n" + "".join(f"Deal {number},Word {number}\n" for number in range(40))

    done = desk.bring("deals", text)

    assert done.counts == {"created": 20, "refused": 20, "stage": 20}


def test_only_who_edits_pipelines_adds_stages(desk: Desk, cast: Cast) -> None:
    manager = replace(cast.root, permissions=cast.root.permissions - {"pipelines.edit"})

    done = replace(desk, actor=manager).bring("deals", "title,stage\nPump,Won\nValve,Elsewhere\n")

    assert outcomes(desk.rows(done.id)) == [(2, "created"), (3, "refused")]


def test_a_trial_before_the_first_pipeline_knows_the_standard_stages(
    desk: Desk, cast: Cast
) -> None:
    with desk.database.write(cast.root) as session:
        for table in ("stages", "pipelines"):
            session.execute(delete(sql_table(table)))

    tried = desk.attempt(desk.upload("deals", "title,stage\nPump,Won\nValve,Engaging\n"))
    done = desk.run(tried.id)

    assert tried.counts == {"created": 2} == done.counts


def test_who_may_not_import_is_refused(desk: Desk, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        replace(desk, actor=cast.ben).upload("companies", COMPANIES)


def test_an_import_runs_once(desk: Desk) -> None:
    done = desk.bring("companies", COMPANIES)

    with pytest.raises(Conflict):
        desk.run(done.id)


def test_a_mapping_without_a_name_is_refused_before_the_run(desk: Desk) -> None:
    with pytest.raises(Invalid):
        desk.bring("companies", "colour,size\nred,5\n")


def test_remarks_are_written_in_the_language_of_who_imports(desk: Desk, cast: Cast) -> None:
    actor: Actor = replace(cast.root, locale="fr")

    with use_locale("en"):
        done = replace(desk, actor=actor).bring("companies", "name,employees\nPars,many\n")

    assert done.status is ImportStatus.DONE
    assert desk.rows(done.id)[0].outcome.value == "refused"
