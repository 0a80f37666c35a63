"""The seal over the trail: entries are chained in the order of their commits, soon after them.

Writers never wait for the chain's head; whoever seals is alone there, so that two cannot fork it. What
the head says is also written to the log, a witness outside the database.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.audit.models import ONLY_ROW, AuditEntry, TrailHead
from server.audit.queries import count_unsealed
from server.audit.rules import FIRST_LINK, Break, Fact, Fault, Trail, digest_of, link_of
from server.audit.service import note
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.db import Database
from server.core.errors import Broken
from server.core.i18n import gettext as _

log = logging.getLogger(__name__)

BATCH = 1_000
ERASE = "erase"

_Entry = Row[tuple[object, ...]]
_COLUMNS = (
    AuditEntry.id,
    AuditEntry.at,
    AuditEntry.user_id,
    AuditEntry.user_name,
    AuditEntry.action,
    AuditEntry.kind,
    AuditEntry.record_id,
    AuditEntry.changes,
    AuditEntry.salt,
    AuditEntry.position,
    AuditEntry.digest,
    AuditEntry.link,
)


def _head(session: Session) -> TrailHead:
    """Return the chain's head, held until the end of the transaction."""
    wish = select(TrailHead).where(TrailHead.id == ONLY_ROW).with_for_update()
    found = session.scalar(wish)
    if found is None:
        try:
            with session.begin_nested():
                session.execute(insert(TrailHead).values(id=ONLY_ROW, position=0, link=FIRST_LINK))
        except IntegrityError:
            log.debug("Another process wrote the head of the trail a moment earlier.")
        found = session.scalars(wish).one()
    return found


def seal(session: Session, most: int = BATCH) -> int:
    """Chain the entries that wait, the oldest first; return how many were sealed."""
    head = _head(session)
    waiting = session.execute(
        select(*_COLUMNS).where(AuditEntry.position.is_(None)).order_by(AuditEntry.id).limit(most)
    ).all()
    position, link = head.position, head.link
    sealed = []
    for entry in waiting:
        position += 1
        digest = digest_of(entry.salt or "", entry.user_name, entry.changes)
        link = link_of(link, position, _fact(entry), digest)
        sealed.append({"id": entry.id, "position": position, "digest": digest, "link": link})
    if sealed:
        session.execute(update(AuditEntry), sealed)
        head.position, head.link = position, link
        session.flush()
    return len(sealed)


def _fact(entry: _Entry) -> Fact:
    return Fact(
        entry_id=entry.id,
        at=entry.at,
        user_id=entry.user_id,
        action=entry.action,
        kind=entry.kind,
        record_id=entry.record_id,
    )


def seal_all(database: Database) -> int:
    """Seal everything that waits, in short transactions; without anything to do, nothing is written."""
    with database.read() as session:
        if not count_unsealed(session):
            return 0
    total = 0
    while True:
        with database.write(SYSTEM) as session:
            done = seal(session)
            head = _head(session)
            position, link = head.position, head.link
        total += done
        if done:
            log.info("The audit trail is sealed up to entry %s: %s", position, link)
        if done < BATCH:
            return total


@dataclass
class _Look:
    """A walk along the chain: what was expected, and what was found."""

    position: int = 0
    link: str = FIRST_LINK
    broken: Break | None = None
    erased: dict[tuple[str, int | None], int] = field(default_factory=dict)
    accounted: set[tuple[str, int | None]] = field(default_factory=set)

    def take(self, entry: _Entry) -> None:
        expected = self.position + 1
        fault = self._fault(entry, expected)
        if fault is not None and self.broken is None:
            self.broken = Break(expected, fault)
        record = (entry.kind, entry.record_id)
        if entry.salt is None:
            self.erased.setdefault(record, entry.position)
        if entry.action == ERASE:
            self.accounted.add(record)
        self.position, self.link = entry.position, entry.link

    def _fault(self, entry: _Entry, expected: int) -> Fault | None:
        if entry.position != expected:
            return Fault.MISSING
        if entry.link != link_of(self.link, expected, _fact(entry), entry.digest):
            return Fault.MOVED
        if entry.salt is None:
            return None if entry.changes == {} else Fault.CHANGED
        same = entry.digest == digest_of(entry.salt, entry.user_name, entry.changes)
        return None if same else Fault.CHANGED

    def finish(self, head: TrailHead | None) -> Break | None:
        """Return the first break, the end of the chain and unexplained erasures included."""
        known = (head.position, head.link) if head is not None else (0, FIRST_LINK)
        unexplained = [at for record, at in self.erased.items() if record not in self.accounted]
        if self.broken is not None:
            return self.broken
        if (self.position, self.link) != known:
            return Break(min(self.position, known[0]) + 1, Fault.MISSING)
        return Break(min(unexplained), Fault.EMPTIED) if unexplained else None


def _sealed(session: Session) -> Iterator[_Entry]:
    query = select(*_COLUMNS).where(AuditEntry.position.is_not(None)).order_by(AuditEntry.position)
    yield from session.execute(query.execution_options(yield_per=BATCH))


def verify(session: Session) -> Trail:
    """Walk along the whole chain and return what was found; give it a reading session."""
    look = _Look()
    erased = 0
    for entry in _sealed(session):
        look.take(entry)
        erased += entry.salt is None
    head = session.get(TrailHead, ONLY_ROW)
    return Trail(
        sealed=look.position,
        unsealed=count_unsealed(session),
        erased=erased,
        head=look.link,
        broken=look.finish(head),
    )


def verify_and_remember(database: Database) -> Trail:
    """Verify the chain and keep the result for pages; raise Broken when it is broken."""
    with database.read() as session:
        found = verify(session)
    with database.write(SYSTEM) as session:
        head = _head(session)
        head.verified_at = clock.now()
        head.verified_position = found.sealed
        head.broken_at = found.broken.position if found.broken else None
    if found.broken is not None:
        raise Broken(broken_sentence(found.broken), code="trail_broken")
    return found


def broken_sentence(found: Break) -> str:
    """Return what is wrong with the trail, for people."""
    reasons = {
        Fault.CHANGED: _("its values are not those that were sealed"),
        Fault.MOVED: _("it does not follow from the entry before it"),
        Fault.MISSING: _("a sealed entry is missing"),
        Fault.EMPTIED: _("its values were taken out and no erasure was noted"),
    }
    return _(
        "The audit trail is broken at entry %(position)s: %(why)s. Somebody changed the database past "
        "Daftar. Compare it with the newest backup.",
        position=found.position,
        why=reasons[found.fault],
    )


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
