"""Proof that the offline keys are still in somebody's hands, without their coming to the server.

A canary is a few letters sealed to one key. Who opens it, with ordinary `age` wherever the key is kept,
and types the letters here, holds the key. Every proof is a signed line of a journal beside the backups.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from backup import archive, disk, journal
from backup.confirm import Person
from backup.keys import Keyring, Role, SealedTo
from backup.store import Store
from server.core import clock
from server.core.errors import Conflict, Invalid, Missing, NotFound
from server.core.i18n import gettext as _

OFFLINE = (Role.WORKING, Role.ESCROW)
VALID = timedelta(days=90)
CANARY_LIVES = timedelta(days=7)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS = 4
_GROUP = 4


@dataclass(frozen=True)
class Proof:
    """One key was shown to be there. `how` is `canary` or `key`."""

    role: Role
    public: str
    user_name: str
    at: datetime
    how: str


@dataclass(frozen=True)
class Holding:
    """What is known about one offline key; `due_at` is None when it was never proved."""

    role: Role
    public: str
    proof: Proof | None
    due_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Return whether somebody should prove the key (again)."""
        return self.due_at is None or self.due_at <= now


@dataclass(frozen=True)
class _Canary:
    """A test that waits: for which key, and the hash of its letters."""

    public: str
    salt: str
    sha256: str
    made_at: int


_CANARY = TypeAdapter(_Canary)


def make_canary(keys: Keyring, role: Role) -> bytes:
    """Seal new letters to the key and return them as an armored age file; an earlier canary is dead."""
    sealed_to = _recipient(keys, role)
    letters = "-".join(
        "".join(secrets.choice(_LETTERS) for _n in range(_GROUP)) for _m in range(_GROUPS)
    )
    salt = secrets.token_hex(16)
    canary = _Canary(sealed_to.public, salt, _digest(salt, letters), clock.timestamp())
    with disk.naming_the_cause(keys.folder):
        disk.replace(_path(keys, role), _CANARY.dump_json(canary) + b"\n")
    text = f"{letters}\n".encode()
    return archive.armored(text, archive.recipient(sealed_to.public))


def answer_canary(store: Store, keys: Keyring, role: Role, letters: str, person: Person) -> Proof:
    """Take the letters that somebody read in the canary, and write the proof down."""
    sealed_to = _recipient(keys, role)
    canary = _waiting(keys, role)
    if canary is None or canary.public != sealed_to.public:
        raise Conflict(
            _("No test of this key waits for an answer, or it is over. Make a new one."),
            code="no_canary",
        )
    typed = "".join(letter for letter in letters.upper() if letter.isalnum())
    groups = "-".join(typed[at : at + _GROUP] for at in range(0, len(typed), _GROUP))
    if not hmac.compare_digest(_digest(canary.salt, groups), canary.sha256):
        raise Invalid(
            _("These are not the letters of the test. Open the newest test file and compare."),
            field="letters",
            code="wrong_letters",
        )
    proof = _write_down(store, keys, sealed_to, person, "canary")
    _path(keys, role).unlink(missing_ok=True)
    return proof


def show_key(
    store: Store, keys: Keyring, brought: Sequence[archive.Identity], person: Person
) -> tuple[Proof, ...]:
    """Take keys that somebody brought along on a medium; they are held in memory alone."""
    public = {archive.public_of(each) for each in brought}
    shown = [each for each in keys.recipients if each.role in OFFLINE and each.public in public]
    if not shown:
        raise Missing(
            _("This key is neither the working nor the escrow key that backups are sealed to now."),
            code="wrong_key",
        )
    return tuple(_write_down(store, keys, each, person, "key") for each in shown)


def holdings(store: Store, keys: Keyring) -> tuple[Holding, ...]:
    """Return for each offline key of today when it was proved last."""
    proofs = read_proofs(store, keys)
    found = []
    for sealed_to in keys.recipients:
        if sealed_to.role in OFFLINE:
            of_key = [each for each in proofs if each.public == sealed_to.public]
            proof = of_key[-1] if of_key else None
            due = None if proof is None else proof.at + VALID
            found.append(Holding(sealed_to.role, sealed_to.public, proof, due))
    return tuple(found)


def read_proofs(store: Store, keys: Keyring) -> list[Proof]:
    """Return the proofs of the journal that carry our signature, oldest first."""
    return [
        Proof(
            role=Role(str(entry["role"])),
            public=str(entry["public"]),
            user_name=str(entry["user_name"]),
            at=datetime.fromisoformat(str(entry["at"])),
            how=str(entry["how"]),
        )
        for entry in journal.read(store.possession).entries
        if journal.is_signed(entry, keys.trust)
    ]


def _write_down(
    store: Store, keys: Keyring, sealed_to: SealedTo, person: Person, how: str
) -> Proof:
    at = clock.now().replace(microsecond=0)
    entry: dict[str, journal.Value] = {
        "role": sealed_to.role.value,
        "public": sealed_to.public,
        "user_id": person.user_id,
        "user_name": person.name,
        "how": how,
        "at": clock.rfc3339(at),
    }
    journal.append(store.possession, entry, keys.sign)
    return Proof(sealed_to.role, sealed_to.public, person.name, at, how)


def _recipient(keys: Keyring, role: Role) -> SealedTo:
    for sealed_to in keys.recipients:
        if sealed_to.role is role and role in OFFLINE:
            return sealed_to
    raise NotFound(_("Backups are sealed to no key of this kind."), code="no_such_key")


def _path(keys: Keyring, role: Role) -> Path:
    return keys.folder / f"canary-{role.value}.json"


def _waiting(keys: Keyring, role: Role) -> _Canary | None:
    """Return the canary that waits for its answer; one that is too old or damaged does not."""
    try:
        canary = _CANARY.validate_json(_path(keys, role).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return canary if clock.timestamp() <= canary.made_at + CANARY_LIVES.total_seconds() else None


def _digest(salt: str, letters: str) -> str:
    return hashlib.sha256(f"{salt}\n{letters}".encode()).hexdigest()
