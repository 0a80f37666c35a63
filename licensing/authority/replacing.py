"""Replacing a key that must die: a successor, everything that rests on it signed anew, then its revocation.

In batches, so that check-ins go on in between. What is done stays done: killed in the middle, the same
command goes on with what is left. A check-in that comes meanwhile signs its own licence anew first
(activations/refreshing.py), so no server ever gets a keyset without the licence that holds under it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.rules import ActivationStatus
from licensing.authority.audit.service import note
from licensing.authority.customers.models import Customer
from licensing.authority.keys import service
from licensing.authority.keys.store import Keys
from licensing.authority.licenses.documents import signed
from licensing.authority.licenses.flags import settle_flags
from licensing.authority.licenses.models import LicenseRecord, LicenseSerial
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.document.keyset import KeyEntry, Keyset
from server.core import clock
from server.core.db import Database

BATCH = 100
# Who waits for SQLite's one lock looks again every tenth of a second at the latest, and must find it free.
PAUSE_S = 0.1
_LIVING = (LicenseStatus.OK, LicenseStatus.SUSPENDED)

Tell = Callable[[int], None]


@dataclass(frozen=True)
class Replacing:
    """Who replaces a key, where, under which root keys, and how much in one transaction."""

    database: Database
    operator: str
    held: service.Ceremony
    batch: int = BATCH

    def successors(self, entry: KeyEntry) -> Keys:
        """Return the keys that sign in the place of this one."""
        return Keys(self.held.settings, self.held.passphrase).without(entry.public_key)


@dataclass(frozen=True)
class Replaced:
    """What became of it: the newest keyset, how many licences were signed anew."""

    keyset: Keyset
    resigned: int


@dataclass(frozen=True)
class Resting:
    """What rests on a key: living licences, and active servers that still hold a licence under it."""

    licenses: int
    servers: int


def replace_key(job: Replacing, entry: KeyEntry, tell: Tell) -> Replaced:
    """Make a successor where there is none, and sign anew what rests on the key; it lives on."""
    keyset = service.replaced(job.held, entry, clock.timestamp())
    count = _resign(job, entry, tell)
    _note(job, "keys.replace", entry, {"keyset": keyset.version, "resigned": count})
    return Replaced(keyset, count)


def revoke_key(job: Replacing, entry: KeyEntry, tell: Tell) -> Replaced:
    """Replace the key, then declare it dead whatever date a document claims. Twice is once."""
    keyset, count = job.held.keyset, 0
    if entry.revoked_at is None:
        done = replace_key(job, entry, tell)
        count = done.resigned
        keyset = service.revoke(job.held, done.keyset, entry, clock.timestamp())
        _note(job, "keys.revoke", entry, {"keyset": keyset.version})
    # Another process may have signed by it until the moment it died.
    count += _resign(job, entry, tell)
    return Replaced(keyset, count)


def _resign(job: Replacing, entry: KeyEntry, tell: Tell) -> int:
    keys, total, began = job.successors(entry), 0, clock.monotonic()
    while count := _resign_batch(job, keys, entry.keyid):
        total += count
        tell(count)
        if job.database.dialect == "sqlite":
            # As much time for the check-ins as for us, on a slow machine too.
            time.sleep(max(PAUSE_S, clock.monotonic() - began))
        began = clock.monotonic()
    return total


def _resign_batch(job: Replacing, keys: Keys, keyid: str) -> int:
    query = (
        select(LicenseRecord, Customer)
        .join(Customer, Customer.id == LicenseRecord.customer_row_id)
        .where(LicenseRecord.signed_by == keyid, LicenseRecord.status.in_(_LIVING))
        .options(undefer(LicenseRecord.envelope))
        .order_by(LicenseRecord.id)
        .limit(job.batch)
        .with_for_update(of=LicenseRecord)
    )
    with job.database.write() as session:
        pairs = session.execute(query).all()
        now = clock.timestamp()
        session.add_all([signed(keys, license_, customer, now) for license_, customer in pairs])
    return len(pairs)


def count_resting(session: Session, keyid: str) -> int:
    """Return how many living licences rest on this key."""
    return resting_on(session, [keyid])[keyid].licenses


def resting_on(session: Session, keyids: Sequence[str]) -> dict[str, Resting]:
    """Return what rests on each of these keys; two queries."""
    licenses = _counts(
        session,
        select(LicenseRecord.signed_by, func.count())
        .where(LicenseRecord.signed_by.in_(keyids), LicenseRecord.status.in_(_LIVING))
        .group_by(LicenseRecord.signed_by),
    )
    servers = _counts(
        session,
        select(LicenseSerial.signed_by, func.count())
        .join(
            ActivationRecord,
            (ActivationRecord.license_row_id == LicenseSerial.license_row_id)
            # What a server holds is what its newest lease told of.
            & (ActivationRecord.told_serial == LicenseSerial.serial),
        )
        .where(
            LicenseSerial.signed_by.in_(keyids),
            ActivationRecord.status == ActivationStatus.ACTIVE,
        )
        .group_by(LicenseSerial.signed_by),
    )
    return {keyid: Resting(licenses.get(keyid, 0), servers.get(keyid, 0)) for keyid in keyids}


def _counts(session: Session, query: Select[str | None, int]) -> dict[str, int]:
    return {str(keyid): count for keyid, count in session.execute(query)}


def count_suspects(session: Session) -> int:
    """Return how many servers are held, or on their way to it, because copies seemed to run."""
    query = select(func.count()).select_from(ActivationRecord).where(*_suspected())
    return session.scalars(query).one()


def clear_suspects(job: Replacing, entry: KeyEntry) -> int:
    """Forget forks and holds everywhere: leases of a thief leave the traces of copies behind.

    Real copies are noticed again within days. Return how many servers were cleared.
    """
    with job.database.write() as session:
        found = session.scalars(
            select(ActivationRecord).where(*_suspected()).with_for_update()
        ).all()
        rows = [one.license_row_id for one in found]
        for start in range(0, len(rows), 500):
            part = rows[start : start + 500]
            session.execute(
                update(ActivationRecord)
                .where(ActivationRecord.license_row_id.in_(part), *_suspected())
                .values(forks=0, clean=0, is_held=False, last_request=None, last_answer=None)
            )
            for license_ in session.scalars(
                select(LicenseRecord).where(LicenseRecord.id.in_(part))
            ):
                settle_flags(session, license_, [FlagKind.CLONE_REVIEW, FlagKind.CLONE_HOLD])
        note(session, job.operator, "keys.clear_holds", entry.keyid, {"count": len(rows)})
    return len(rows)


def _suspected() -> tuple[ColumnElement[bool], ...]:
    return (
        ActivationRecord.status == ActivationStatus.ACTIVE,
        or_(ActivationRecord.forks > 0, ActivationRecord.is_held),
    )


def _note(
    job: Replacing, action: str, entry: KeyEntry, detail: dict[str, str | int | None]
) -> None:
    with job.database.write() as session:
        note(session, job.operator, action, entry.keyid, detail)
