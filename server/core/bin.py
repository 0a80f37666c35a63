"""The bin: how long what was deleted waits there, and how it is removed for good after that.

It knows no feature: each slice removes its own records, `server.jobs` says in which order.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, not_, select
from sqlalchemy.orm import Session

from server.core import clock
from server.core.actor import SYSTEM
from server.core.db import Database, Record
from server.core.entitlements import EntitlementsBoard

STAY = timedelta(days=30)
BATCH = 200
PAUSE_S = 0.12  # a writer who waits for SQLite looks every 0.1 s whether it is his turn

# Removes the next few records of a kind that are due at a moment; says how many went.
Purge = Callable[[Session, datetime], int]


def overdue(
    session: Session, table: type[Record], moment: datetime, *in_use: Select[Any]
) -> list[int]:
    """Return the next records that were 30 full days in the bin and that none of the selects finds in use.

    They are held until the transaction ends; those that somebody takes out at this moment are left to them.
    """
    query = select(table.id).where(
        table.deleted_at <= moment - STAY, *(not_(each.exists()) for each in in_use)
    )
    query = query.order_by(table.deleted_at, table.id).limit(BATCH)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def empty_bin(
    database: Database, board: EntitlementsBoard, purges: Mapping[str, Purge]
) -> dict[str, int]:
    """Remove for good what is due, a few records at a time; return how many of each kind went.

    Others get to write after each step. Nothing goes while the licence lets nobody change records:
    nobody could take anything out of the bin in time (R-LIC-8).
    """
    moment = clock.now()
    gone = dict.fromkeys(purges, 0)
    for kind, purge in purges.items():
        while board.verdict.may_write:
            with database.write(SYSTEM) as session:
                found = purge(session, moment)
            if not found:
                break
            gone[kind] += found
            time.sleep(PAUSE_S)
    return gone
