"""The seal over the trail: entries are chained in the order of their commits, soon after them.

Writers never wait for the chain's head; whoever seals is alone there, so that two cannot fork it. What
the head says is also written to the log, a witness outside the database.
"""

from dataclasses import dataclass, field

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.audit.models import ONLY_ROW, AuditEntry, TrailHead
from server.audit.queries import count_unsealed
from server.audit.rules import Break, Fault, Trail, digest_of
from server.audit.service import note
from server.core import clock, ledger
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.core.errors import Broken
from server.core.ledger import BATCH, Entry, Ledger, Step
from server.core.links import Head, broken_sentence, exact_moment

ERASE = "erase"


def _told(entry: Entry) -> list[object]:
    """Return what a link says openly of an entry: no value of any field."""
    who, what = (entry.user_id, entry.action), (entry.kind, entry.record_id)
    return [entry.id, exact_moment(entry.at), *who, *what]


TRAIL = Ledger(
    entries=AuditEntry.__table__,  # type: ignore[arg-type] # it is one
    head=TrailHead.__table__,  # type: ignore[arg-type] # it is one
    columns=("at", "user_id", "user_name", "action", "kind", "record_id", "changes", "salt"),
    told=_told,
    digest=lambda entry: digest_of(entry.salt or "", entry.user_name, entry.changes),
)


def seal(session: Session, most: int = BATCH) -> int:
    """Chain the entries that wait, the oldest first; return how many were sealed."""
    return ledger.seal(session, TRAIL, most)


def seal_all(database: Database) -> int:
    """Seal everything that waits, in short transactions; without anything to do, nothing is written."""
    return ledger.seal_all(database, TRAIL)


@dataclass
class _Look:
    """A walk along the chain: what was expected, and what was found."""

    head: Head = field(default_factory=Head)
    broken: Break | None = None
    erased: dict[tuple[str, int | None], int] = field(default_factory=dict)
    accounted: set[tuple[str, int | None]] = field(default_factory=set)

    def take(self, step: Step) -> None:
        entry = step.entry
        fault = step.fault or _changed(entry)
        if fault is not None and self.broken is None:
            self.broken = Break(step.expected, fault)
        record = (entry.kind, entry.record_id)
        if entry.salt is None:
            self.erased.setdefault(record, entry.position)
        if entry.action == ERASE:
            self.accounted.add(record)
        self.head = Head(entry.position, entry.link)

    def finish(self, known: Head) -> Break | None:
        """Return the first break, the end of the chain and unexplained erasures included."""
        unexplained = [at for record, at in self.erased.items() if record not in self.accounted]
        if self.broken is not None:
            return self.broken
        if self.head != known:
            return Break(min(self.head.position, known.position) + 1, Fault.MISSING)
        return Break(min(unexplained), Fault.EMPTIED) if unexplained else None


def _changed(entry: Entry) -> Fault | None:
    if entry.salt is None:
        return None if entry.changes == {} else Fault.CHANGED
    same = entry.digest == digest_of(entry.salt, entry.user_name, entry.changes)
    return None if same else Fault.CHANGED


def verify(session: Session) -> Trail:
    """Walk along the whole chain and return what was found; give it a reading session."""
    look = _Look()
    erased = 0
    for step in ledger.walk(session, TRAIL):
        look.take(step)
        erased += step.entry.salt is None
    return Trail(
        sealed=look.head.position,
        unsealed=count_unsealed(session),
        erased=erased,
        head=look.head.link,
        broken=look.finish(ledger.read_head(session, TRAIL)),
    )


def verify_and_remember(database: Database) -> Trail:
    """Verify the chain and keep the result for pages; raise Broken when it is broken."""
    with database.read() as session:
        found = verify(session)
    with database.write(SYSTEM) as session:
        ledger.hold_head(session, TRAIL)
        head = session.get_one(TrailHead, ONLY_ROW)
        head.verified_at = clock.now()
        head.verified_position = found.sealed
        head.broken_at = found.broken.position if found.broken else None
    if found.broken is not None:
        raise Broken(broken_sentence(found.broken), code="trail_broken")
    return found


def erase_values(session: Session, actor: Actor, *, kind: str, record_id: int) -> int:
    """Take every value about one record out of the trail and note that; return the entries emptied.

    The chain stays whole: it holds digests, and without the salt nobody can guess what they were of.
    """
    while seal(session) == BATCH:
        pass
    emptied = session.execute(
        update(AuditEntry)
        .where(
            AuditEntry.kind == kind, AuditEntry.record_id == record_id, AuditEntry.salt.is_not(None)
        )
        .values(changes={}, salt=None)
        .execution_options(synchronize_session=False)
    )
    count = int(emptied.rowcount)  # type: ignore[attr-defined] # a cursor result
    note(session, actor, ERASE, kind=kind, record_id=record_id, changes={"entries": count})
    session.flush()
    return count
