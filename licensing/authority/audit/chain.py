"""The seal over the vendor's trail: whoever changes an entry past Daftar is found out."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from licensing.authority.audit.models import AuditEntry, TrailHead
from server.core import clock, ledger
from server.core.db import Database
from server.core.errors import Broken
from server.core.ledger import ONLY_ROW, Entry, Ledger
from server.core.links import Break, Fault, Head, broken_sentence, exact_hash, exact_moment


def _told(entry: Entry) -> list[object]:
    """Return what a link says openly of an entry; names and particulars are in the digest."""
    return [entry.id, exact_moment(entry.at), entry.action, entry.subject]


def _digest(entry: Entry) -> str:
    return exact_hash([entry.operator, entry.detail], entry.salt or "")


TRAIL = Ledger(
    entries=AuditEntry.__table__,  # type: ignore[arg-type] # it is one
    head=TrailHead.__table__,  # type: ignore[arg-type] # it is one
    columns=("at", "operator", "action", "subject", "detail", "salt"),
    told=_told,
    digest=_digest,
)


@dataclass(frozen=True)
class Trail:
    """What a look at the whole chain found. Entries that wait for their seal break nothing."""

    sealed: int
    unsealed: int
    head: str
    broken: Break | None


def seal_all(database: Database) -> int:
    """Seal everything that waits; return how many entries were sealed."""
    return ledger.seal_all(database, TRAIL)


def verify(session: Session) -> Trail:
    """Walk along the whole chain and return what was found; give it a reading session."""
    last, broken = Head(), None
    for step in ledger.walk(session, TRAIL):
        fault = step.fault
        if fault is None and step.entry.digest != _digest(step.entry):
            fault = Fault.CHANGED
        if fault is not None and broken is None:
            broken = Break(step.expected, fault)
        last = Head(step.entry.position, step.entry.link)
    known = ledger.read_head(session, TRAIL)
    if broken is None and last != known:
        broken = Break(min(last.position, known.position) + 1, Fault.MISSING)
    return Trail(last.position, ledger.count_unsealed(session, TRAIL), last.link, broken)


def verify_and_remember(database: Database) -> Trail:
    """Verify the chain and keep the result for pages and metrics; raise Broken when it is broken."""
    with database.read() as session:
        found = verify(session)
    with database.write() as session:
        ledger.hold_head(session, TRAIL)
        head = session.get_one(TrailHead, ONLY_ROW)
        head.verified_at = clock.now()
        head.broken_at = found.broken.position if found.broken else None
    if found.broken is not None:
        raise Broken(broken_sentence(found.broken), code="trail_broken")
    return found
