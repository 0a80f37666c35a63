"""The daily check by a person: who confirmed which backup, kept so that no line can be changed."""

from dataclasses import dataclass
from enum import StrEnum

from backup import journal, result
from backup.keys import Keyring, Trust
from backup.store import Store
from server.core import clock
from server.core.errors import Conflict, Invalid
from server.core.i18n import gettext as _

NOTE_LENGTH = 2000


class Choice(StrEnum):
    """What the person says about the backup."""

    IN_ORDER = "in_order"
    PROBLEM_FOUND = "problem_found"


@dataclass(frozen=True)
class Person:
    """Who confirms."""

    user_id: str
    name: str


@dataclass(frozen=True)
class Confirmation:
    """One line of the journal."""

    seq: int
    set: str
    manifest_sha256: str
    drill_sha256: str
    user_id: str
    user_name: str
    choice: Choice
    note: str
    at: str


@dataclass(frozen=True)
class Soundness:
    """Whether the journal is whole, else the first line that is not and what is wrong with it."""

    ok: bool
    entries: int
    broken_line: int | None = None
    problem: str | None = None


def confirm(
    store: Store, set_id: str, person: Person, choice: Choice, *, note: str, keys: Keyring
) -> Confirmation:
    """Write down that a person checked a backup. Only a verified backup can be in order."""
    if len(note) > NOTE_LENGTH:
        raise Invalid(
            _("The note has more than %(n)s characters.", n=NOTE_LENGTH),
            field="note",
            code="too_long",
        )
    loaded = store.load(set_id, keys.trust)
    record = result.read(store, loaded, keys.trust)
    proved = record is not None and record.drill is not None and not record.failed
    if choice is Choice.IN_ORDER and not proved:
        raise Conflict(
            _(
                "The backup %(id)s is not verified, so nobody can call it in order."
                " Verify it first, or report a problem.",
                id=set_id,
            ),
            code="not_verified",
        )
    entry = journal.append(
        store.confirmations,
        {
            "set": set_id,
            "manifest_sha256": loaded.sha256,
            "drill_sha256": result.file_sha256(store, set_id) or "",
            "user_id": person.user_id,
            "user_name": person.name,
            "choice": choice.value,
            "note": note,
            "at": clock.rfc3339(clock.now()),
        },
        keys.sign,
    )
    return _confirmation(entry)


def _confirmation(entry: journal.Entry) -> Confirmation:
    return Confirmation(
        seq=int(entry["seq"] or 0),
        set=str(entry["set"]),
        manifest_sha256=str(entry["manifest_sha256"]),
        drill_sha256=str(entry["drill_sha256"]),
        user_id=str(entry["user_id"]),
        user_name=str(entry["user_name"]),
        choice=Choice(str(entry["choice"])),
        note=str(entry["note"]),
        at=str(entry["at"]),
    )


def confirmations(store: Store) -> tuple[Confirmation, ...]:
    """Return the whole lines of the journal, oldest first."""
    return tuple(_confirmation(entry) for entry in journal.read(store.confirmations).entries)


def check(store: Store, trust: Trust) -> Soundness:
    """Check chain and signatures, and that the end which the manifests saw is still there."""
    reading = journal.read(store.confirmations)
    count = len(reading.entries)
    if reading.broken_line is not None:
        return Soundness(False, count, reading.broken_line, reading.problem)
    for number, entry in enumerate(reading.entries, start=1):
        if not journal.is_signed(entry, trust):
            problem = _("Line %(n)s of verification.jsonl is not signed by us.", n=number)
            return Soundness(False, count, number, problem)
    for loaded in store.loaded(trust):
        if not journal.reaches(reading, loaded.manifest.confirmations):
            lost = loaded.manifest.confirmations.entries
            problem = _(
                "verification.jsonl had %(n)s lines when %(id)s was made; its end is gone.",
                n=lost,
                id=loaded.manifest.id,
            )
            return Soundness(False, count, min(count + 1, lost), problem)
    return Soundness(True, count)
