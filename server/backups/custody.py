"""The keys that open backups, as people deal with them: proving, making anew, taking off this server."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from backup import archive, keys, possession
from backup.confirm import Person
from backup.keys import Keyring, NewRecipient, Role, SealedTo
from backup.possession import OFFLINE, Holding, Proof
from backup.store import Loaded, Store
from server.audit.service import note
from server.backups.models import ONLY_ROW, BackupPlace
from server.backups.service import KIND, BackupOffice, keys_due_at
from server.core import clock
from server.core.actor import Actor
from server.core.errors import Invalid, Missing
from server.core.i18n import gettext as _

__all__ = [
    "OFFLINE",
    "FormerKey",
    "KeyOffice",
    "KeyStanding",
    "NewRecipient",
    "Role",
    "offline_role",
]


def offline_role(word: str) -> Role:
    """Return the offline key of that name, or raise Invalid."""
    if word not in {role.value for role in OFFLINE}:
        raise Invalid(_("The key is called working or escrow."), field="role", code="no_such_key")
    return Role(word)


@dataclass(frozen=True)
class FormerKey:
    """A key that backups were sealed to before, and the backups that only it and its like open.

    `count` is 0 once the last of them is gone; then nobody needs the key any more.
    """

    role: Role
    public: str
    count: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class KeyStanding:
    """All that the page of keys tells. `drill` is the public half of the key on this server."""

    holdings: tuple[Holding, ...]
    proofs: tuple[Proof, ...]
    former: tuple[FormerKey, ...]
    drill: str | None
    signer: str


class KeyOffice:
    """The keys of one installation. Every deed is noted in the audit trail, no private half anywhere."""

    def __init__(self, office: BackupOffice) -> None:
        self._office = office

    def standing(self, actor: Actor) -> KeyStanding:
        """Return who proved which key when, and which former keys are needed still."""
        actor.must("backups.see")
        ring, store = self._office.keys, self._office.store
        drill = [each.public for each in ring.recipients if each.role is Role.DRILL]
        return KeyStanding(
            holdings=possession.holdings(store, ring),
            proofs=tuple(reversed(possession.read_proofs(store, ring))),
            former=former_keys(keys.former_recipients(ring.folder), store.loaded(ring.trust)),
            drill=drill[0] if drill else None,
            signer=ring.signer_fingerprint,
        )

    def make_test(self, session: Session, actor: Actor, role: Role) -> bytes:
        """Return a test file that only the holder of the key can read; an earlier one is void."""
        actor.must("backups.confirm")
        canary = possession.make_canary(self._office.keys, role)
        note(session, actor, "test_key", kind=KIND, changes={"key": role.value})
        return canary

    def answer(self, session: Session, actor: Actor, role: Role, letters: str) -> Proof:
        """Take the letters of the test as the proof that this person holds the key."""
        person = _person(actor)
        ring, store = self._office.keys, self._office.store
        proof = possession.answer_canary(store, ring, role, letters, person)
        self._proved(session, actor, store, ring, (proof,))
        return proof

    def show(
        self, session: Session, actor: Actor, brought: Sequence[archive.Identity]
    ) -> tuple[Proof, ...]:
        """Take a key that somebody brought on a medium as the proof; it is held in memory alone."""
        person = _person(actor)
        ring, store = self._office.keys, self._office.store
        proofs = possession.show_key(store, ring, brought, person)
        self._proved(session, actor, store, ring, proofs)
        return proofs

    def rotate(
        self, session: Session, actor: Actor, roles: Sequence[Role]
    ) -> tuple[NewRecipient, ...]:
        """Make these offline keys anew and return their private halves, this once."""
        actor.must("backups.run")
        if not roles or not set(roles) <= set(OFFLINE):
            raise Invalid(_("Say which key is made anew: working or escrow."), field="role")
        ring, store = self._office.keys, self._office.store
        made = keys.rotate(ring.folder, roles)
        said = {"keys": ", ".join(each.role.value for each in made)}
        note(session, actor, "rotate_keys", kind=KIND, changes=said)
        remember_keys(session, store, keys.load(ring.folder))
        return made

    def renew_drill_key(self, session: Session, actor: Actor) -> None:
        """Put a new drill key on this server, so that backups can be restored for real here."""
        actor.must("backups.run")
        keys.renew_drill_key(self._office.keys.folder)
        note(session, actor, "renew_drill_key", kind=KIND)
        _place(session).drill_key = True

    def remove_drill_key(self, session: Session, actor: Actor) -> None:
        """Take the drill key off this server, so that it can open none of its backups from now on."""
        actor.must("backups.run")
        keys.remove_drill_key(self._office.keys.folder)
        note(session, actor, "remove_drill_key", kind=KIND)
        _place(session).drill_key = False

    def current(self, actor: Actor, private: Iterable[str]) -> tuple[NewRecipient, ...]:
        """Return these private halves with the roles they have now, for a sheet; raise Missing for others."""
        actor.must("backups.run")
        ring = self._office.keys
        roles = {each.public: each.role for each in ring.recipients if each.role in OFFLINE}
        found = []
        for text in private:
            for identity in archive.identities(text):
                public = archive.public_of(identity)
                if public not in roles:
                    raise Missing(
                        _("This key is none of the two that backups are sealed to now."),
                        code="wrong_key",
                    )
                found.append(NewRecipient(roles[public], str(identity), public))
        return tuple(sorted(found, key=lambda each: OFFLINE.index(each.role)))

    def _proved(
        self,
        session: Session,
        actor: Actor,
        store: Store,
        ring: Keyring,
        proofs: tuple[Proof, ...],
    ) -> None:
        for proof in proofs:
            note(session, actor, "prove_key", kind=KIND, changes={"key": proof.role.value})
        remember_keys(session, store, ring)


def former_keys(former: Sequence[SealedTo], sets: Sequence[Loaded]) -> tuple[FormerKey, ...]:
    """Return each former key with the backups that are sealed to it, the newest key first."""
    found = []
    for key in reversed(former):
        made = sorted(
            each.manifest.created_at
            for each in sets
            if any(sealed.public == key.public for sealed in each.manifest.recipients)
        )
        first, last = (made[0], made[-1]) if made else (None, None)
        found.append(FormerKey(key.role, key.public, len(made), first, last))
    return tuple(found)


def remember_keys(session: Session, store: Store, ring: Keyring) -> None:
    """Mirror when an offline key has to be proved next, for the light of every page."""
    place = _place(session)
    place.keys_due_at = keys_due_at(store, ring, place.first_seen_at)


def _place(session: Session) -> BackupPlace:
    place = session.get(BackupPlace, ONLY_ROW)
    if place is None:
        place = BackupPlace(id=ONLY_ROW, first_seen_at=clock.now())
        session.add(place)
    return place


def _person(actor: Actor) -> Person:
    actor.must("backups.confirm")
    if actor.user_id is None:
        raise Missing(_("A key is proved by a person with an account, not by a program."))
    return Person(str(actor.user_id), actor.name)
