"""Emptying the bin beside people who take records out of it."""

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from server.companies.models import Company
from server.companies.service import delete_company, restore_company
from server.core import bin as bin_of_all
from server.core.actor import SYSTEM
from server.core.db import Database
from server.core.entitlements import Entitlements, EntitlementsBoard
from server.core.errors import NotFound
from server.deals.models import Deal
from server.deals.rules import DealDraft
from server.deals.service import (
    create_deals,
    delete_deals,
    restore_deal,
)
from server.jobs import purge_bin
from tests.server.test_bin import DELETED, a_company, counted
from tests.support.racing import race


def test_a_record_that_is_being_taken_out_is_left_alone(postgres_database: Database) -> None:
    with time_machine.travel(DELETED, tick=False):
        company = a_company(postgres_database)
        with postgres_database.write(SYSTEM) as session:
            delete_company(session, SYSTEM, company)

    with postgres_database.write(SYSTEM) as restoring:
        restore_company(restoring, SYSTEM, company)
        purge_bin(postgres_database, EntitlementsBoard(Entitlements(mode="ok")))

    assert counted(postgres_database, Company) == [1]


def _empty(url: str) -> None:
    database = Database(url)
    purge_bin(database, EntitlementsBoard(Entitlements(mode="ok")))
    database.dispose()


def _take_out(url: str, ids: list[int]) -> list[int]:
    """Restore one deal after the other; return those that somebody was told are back."""
    database, back = Database(url), []
    for deal in ids:
        try:
            with database.write(SYSTEM) as session:
                restore_deal(session, SYSTEM, deal)
        except (NotFound, StaleDataError):
            continue
        back.append(deal)
    database.dispose()
    return back


def _lane(url: str, ids: list[int]) -> list[int]:
    if ids:
        return _take_out(url, ids)
    _empty(url)
    return []


def test_whoever_was_told_that_a_deal_is_back_has_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bin_of_all, "BATCH", 3)
    with time_machine.travel(DELETED, tick=False), database.write(SYSTEM) as session:
        ids = create_deals(session, SYSTEM, [DealDraft(f"Deal {n}", "USD") for n in range(60)])
        delete_deals(session, SYSTEM, ids)

    lanes = [(database.url, ids[::-1]), (database.url, []), (database.url, [])]
    back = race(database, _lane, lanes)[0]

    with database.read() as session:
        alive = list(session.scalars(select(Deal.id).where(Deal.deleted_at.is_(None))))
        waiting = list(session.scalars(select(Deal.id).where(Deal.deleted_at.is_not(None))))
    assert sorted(alive) == sorted(back)  # type: ignore[call-overload] # ids, by the lane above
    assert waiting == []
