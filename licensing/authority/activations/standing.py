"""Where an activation stands, read in one statement and locked: all that a check-in is judged by.

A check-in is what the authority does most, so it reads plain rows of few columns and no records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Table, Update, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, undefer

from licensing.authority.activations.models import ActivationRecord, Head
from licensing.authority.activations.nonces import Told
from licensing.authority.activations.rules import ActivationStatus, NonceKind
from licensing.authority.keys.store import Ring
from licensing.authority.licenses.documents import is_due, refresh
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.rules import LicenseStatus
from licensing.document.errors import Code
from server.core.errors import NotFound
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Known:
    """What is looked up before a request is believed."""

    id: int
    license_row_id: int
    instance_pub: bytes


@dataclass(frozen=True)
class Terms:
    """What a lease tells of its licence."""

    id: int
    license_id: str
    serial: int
    status: LicenseStatus
    expires_at: int | None
    grace_days: int
    named: int
    concurrent: int
    interval_s: int
    lease_ttl_s: int
    signed_by: str | None
    next_starts_at: int | None

    @classmethod
    def of(cls, license_: LicenseRecord) -> "Terms":
        """Return the terms of a licence's row."""
        return cls(*(getattr(license_, name) for name in cls.__dataclass_fields__))


@dataclass(frozen=True)
class Standing:
    """An activation and its licence as they are while nobody else can change them."""

    terms: Terms
    id: int
    activation_id: str
    generation: int
    status: ActivationStatus
    fingerprint: Mapping[str, str]
    shown_fingerprint: Mapping[str, str] | None
    head_seq: int
    head_nonce: str | None
    head_hash: str | None
    forks: int
    clean: int
    is_held: bool
    calls_full_at: float
    last_request: str | None


_activations: Table = ActivationRecord.__table__  # type: ignore[assignment] # it is one
_licenses: Table = LicenseRecord.__table__  # type: ignore[assignment] # it is one
_heads: Table = Head.__table__  # type: ignore[assignment] # it is one

_KNOWN = select(
    _activations.c.id, _activations.c.license_row_id, _activations.c.instance_pub
).where(_activations.c.activation_id == bindparam("activation_id"))

_TERMS = tuple(Terms.__dataclass_fields__)
_OWN = tuple(name for name in Standing.__dataclass_fields__ if name != "terms")
# The licence comes first and is locked first: its row is the one lock for everything that happens to
# it. The activation is locked as well, because PostgreSQL reads anew only what it had to wait for.
_STANDING = (
    select(*(_licenses.c[name] for name in _TERMS), *(_activations.c[name] for name in _OWN))
    .select_from(_licenses.join(_activations, _activations.c.license_row_id == _licenses.c.id))
    .where(_licenses.c.id == bindparam("license_row_id"))
    .where(_activations.c.id == bindparam("row_id"))
    .with_for_update()
)
_GIVEN_UP = select(_heads.c.is_abandoned, _heads.c.license_serial, _heads.c.keyset_version).where(
    _heads.c.activation_row_id == bindparam("row_id"), _heads.c.nonce == bindparam("nonce")
)
_ENVELOPE = select(_licenses.c.envelope).where(_licenses.c.id == bindparam("license_row_id"))


def known_activation(session: Session, activation_id: str) -> Known:
    """Return under which key a request must be signed, or raise NotFound (`E_UNKNOWN_ACTIVATION`)."""
    found = session.execute(_KNOWN, {"activation_id": activation_id}).one_or_none()
    if found is None:
        raise NotFound(
            _("This authority does not know the activation that the request names."),
            code=Code.E_UNKNOWN_ACTIVATION.value,
        )
    return Known(found.id, found.license_row_id, bytes(found.instance_pub))


def hold(session: Session, known: Known) -> Standing:
    """Return where the activation stands, nobody else's until the transaction ends."""
    keys = {"license_row_id": known.license_row_id, "row_id": known.id}
    found = session.execute(_STANDING, keys).one()
    return Standing(Terms(*found[: len(_TERMS)]), *found[len(_TERMS) :])


def refreshed(session: Session, ring: Ring, terms: Terms, now: int) -> Terms:
    """Return the terms, of a licence that was signed anew if it had to be before it is spoken of."""
    if not is_due(ring, terms.signed_by, terms.next_starts_at, now):
        return terms
    license_ = session.get_one(
        LicenseRecord,
        terms.id,
        options=[undefer(LicenseRecord.envelope)],
        populate_existing=True,  # the row is locked, and no older reading of it counts
    )
    refresh(session, ring, license_, now)
    return Terms.of(license_)


def envelope_of(session: Session, terms: Terms) -> str | None:
    """Return the licence's newest document."""
    found: str | None = session.execute(_ENVELOPE, {"license_row_id": terms.id}).scalar_one()
    return found


@dataclass(frozen=True)
class Shown:
    """What a nonce is to us, and what its lease had told, if we can tell."""

    kind: NonceKind
    told: Told | None


def look_at_nonce(session: Session, standing: Standing, nonce: str, told: Told | None) -> Shown:
    """Return what a nonce is: nothing is read for the newest one, and one row for any other.

    `told` is what it says itself, if it is one of ours.
    """
    is_head = nonce == standing.head_nonce
    if is_head and told is not None:
        return Shown(NonceKind.HEAD, told)
    row = session.execute(_GIVEN_UP, {"row_id": standing.id, "nonce": nonce}).one_or_none()
    return Shown(_kind(is_head, row, told), told or _told(row))


def _kind(is_head: bool, row: Row[Any, Any, Any] | None, told: Told | None) -> NonceKind:
    if is_head:
        return NonceKind.HEAD
    if row is not None:
        return NonceKind.ABANDONED if row.is_abandoned else NonceKind.STALE
    return NonceKind.UNKNOWN if told is None else NonceKind.STALE


def _told(row: Row[Any, Any, Any] | None) -> Told | None:
    return None if row is None else Told(row.license_serial, row.keyset_version)


def give_up(session: Session, standing: Standing, told: Told, now: int) -> None:
    """Remember that the head, whose lease told so much, must not be continued any more."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(_heads).values(
        activation_row_id=standing.id,
        nonce=standing.head_nonce,
        seq=standing.head_seq,
        license_serial=told.license_serial,
        keyset_version=told.keyset_version,
        is_abandoned=True,
        given_up_at=now,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["activation_row_id", "nonce"],
            set_={"is_abandoned": True, "given_up_at": now},
        )
    )


def write_down(session: Session, standing: Standing, changes: Mapping[str, object]) -> None:
    """Change the columns that a check-in changes."""
    session.execute(_changing(frozenset(changes)), {**changes, "row_id": standing.id})


@lru_cache
def _changing(names: frozenset[str]) -> Update:
    # Made once for each set of columns: building a statement costs more than sending it.
    values: dict[str, Any] = {name: bindparam(name) for name in sorted(names)}
    return update(_activations).where(_activations.c.id == bindparam("row_id")).values(values)
