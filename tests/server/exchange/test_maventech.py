"""A public B2B pipeline with real flaws, imported as it is: every number of it arrives."""

from pathlib import Path

import pytest

from tests.server.exchange.conftest import Desk
from tests.support.sources import ROOT

DATA = ROOT.parent / "shared" / "data" / "maventech"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"skipped: the data set is not at {DATA} on this machine"
)


def content(name: str) -> bytes:
    return Path(DATA / name).read_bytes()


def test_the_whole_pipeline_arrives_and_a_second_import_brings_nothing(desk: Desk) -> None:
    accounts = desk.bring("companies", content("accounts.csv"))
    deals = desk.bring("deals", content("sales_pipeline.csv"))

    assert (accounts.counts, deals.counts) == (
        {"created": 85},
        {"created": 8_800, "user": 30},
    )
    assert desk.ask("SELECT count(*), count(parent_company_id) FROM companies") == [(85, 15)]
    found = desk.ask(
        "SELECT s.name, count(*) FROM deals d JOIN stages s ON s.id = d.stage_id GROUP BY s.name"
    )
    assert dict(found) == {"Won": 4_238, "Lost": 2_473, "Engaging": 1_589, "Prospecting": 500}
    won = desk.ask("SELECT sum(amount), min(currency) FROM deals WHERE status = 'won'")
    assert [(int(amount), code) for amount, code in won] == [(1_000_553_400, "USD")]
    assert desk.ask("SELECT count(*) FROM deals WHERE company_id IS NULL") == [(1_425,)]
    assert desk.ask("SELECT industry FROM companies WHERE name = 'Acme Corporation'") == [
        ("technolgy",)
    ]
    check_owners(desk, deals.id)
    for kind, name in (("companies", "accounts.csv"), ("deals", "sales_pipeline.csv")):
        assert set(desk.bring(kind, content(name)).counts) == {"skipped"}


def check_owners(desk: Desk, import_id: int) -> None:
    """Every deal is owned by the agent in its row, and none of them takes a seat."""
    owners = dict(
        desk.ask("SELECT d.id, u.display_name FROM deals d JOIN users u ON u.id = d.owner_id")
    )
    assert {row.record_id: row.raw[1] for row in desk.rows(import_id)} == owners
    assert desk.ask("SELECT used FROM seat_counters WHERE kind = 'human'") == [(4,)]
