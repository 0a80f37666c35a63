"""Entries that are only ever added, chained by hashes in the order of their commits, soon after them.

Writers never wait for the chain's head; whoever seals is alone there, so that two cannot fork it. What
the head says is also written to the log, a witness outside the database. It knows no feature: each
house hands over its two tables, and what a link tells of an entry.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.core.db import Database
from server.core.links import FIRST_LINK, Fault, Head, link_of

log = logging.getLogger(__name__)

BATCH = 1_000
ONLY_ROW = 1

Entry = Row[Any]


@dataclass(frozen=True)
class Ledger:
    """A table of entries with `id`, `position`, `digest` and `link`, and the table of its head.

    `told` is what a link says openly of an entry, `digest` covers its values.
    """

    entries: Table
    head: Table
    columns: Sequence[str]
    told: Callable[[Entry], Sequence[object]]
    digest: Callable[[Entry], str]

    def shown(self) -> Any:
        """Return the selection of what sealing and looking need."""
        seal = ("position", "digest", "link")
        names = dict.fromkeys(("id", *self.columns, *seal))
        return select(*(self.entries.c[name] for name in names))


def hold_head(session: Session, ledger: Ledger) -> Head:
    """Return the chain's head, nobody else's until the end of the transaction."""
    table = ledger.head
    wish = select(table.c.position, table.c.link).where(table.c.id == ONLY_ROW).with_for_update()
    found = session.execute(wish).one_or_none()
    if found is None:
        try:
            with session.begin_nested():
                values = {"id": ONLY_ROW, "position": 0, "link": FIRST_LINK}
                session.execute(insert(table).values(values))
        except IntegrityError:
            log.debug("Another process wrote the head of the chain a moment earlier.")
        found = session.execute(wish).one()
    return Head(found.position, found.link)


def read_head(session: Session, ledger: Ledger) -> Head:
    """Return the chain's head as it stands."""
    table = ledger.head
    wish = select(table.c.position, table.c.link).where(table.c.id == ONLY_ROW)
    found = session.execute(wish).one_or_none()
    return Head() if found is None else Head(found.position, found.link)


def seal(session: Session, ledger: Ledger, most: int = BATCH) -> int:
    """Chain the entries that wait, the oldest first; return how many were sealed."""
    head, table = hold_head(session, ledger), ledger.entries
    waiting = ledger.shown().where(table.c.position.is_(None)).order_by(table.c.id).limit(most)
    position, link = head.position, head.link
    sealed = []
    for entry in session.execute(waiting).all():
        position += 1
        digest = ledger.digest(entry)
        link = link_of(link, position, ledger.told(entry), digest)
        sealed.append({"row": entry.id, "to": position, "seal": digest, "next": link})
    if sealed:
        session.execute(
            update(table)
            .where(table.c.id == bindparam("row"))
            .values(position=bindparam("to"), digest=bindparam("seal"), link=bindparam("next")),
            sealed,
        )
        head_row = update(ledger.head).where(ledger.head.c.id == ONLY_ROW)
        session.execute(head_row.values(position=position, link=link))
    return len(sealed)


def count_unsealed(session: Session, ledger: Ledger) -> int:
    """Count the entries that wait for their seal."""
    waiting = select(func.count()).where(ledger.entries.c.position.is_(None))
    return session.scalars(waiting).one()


def seal_all(database: Database, ledger: Ledger) -> int:
    """Seal everything that waits, in short transactions; without anything to do, nothing is written."""
    with database.read() as session:
        if not count_unsealed(session, ledger):
            return 0
    total = 0
    while True:
        with database.write() as session:
            done = seal(session, ledger, BATCH)
            head = read_head(session, ledger)
        total += done
        if done:
            log.info("The audit trail is sealed up to entry %s: %s", head.position, head.link)
        if done < BATCH:
            return total


@dataclass(frozen=True)
class Step:
    """One entry on a walk along the chain, and what is wrong with its place there."""

    entry: Entry
    expected: int
    fault: Fault | None


def walk(session: Session, ledger: Ledger) -> Iterator[Step]:
    """Yield every sealed entry in its order; give it a reading session."""
    table = ledger.entries
    query = ledger.shown().where(table.c.position.is_not(None)).order_by(table.c.position)
    head = Head()
    for entry in session.execute(query.execution_options(yield_per=BATCH)):
        expected = head.position + 1
        yield Step(entry, expected, _misplaced(ledger, entry, head))
        head = Head(entry.position, entry.link)


def _misplaced(ledger: Ledger, entry: Entry, before: Head) -> Fault | None:
    expected = before.position + 1
    if entry.position != expected:
        return Fault.MISSING
    follows = link_of(before.link, expected, ledger.told(entry), entry.digest)
    return None if entry.link == follows else Fault.MOVED
