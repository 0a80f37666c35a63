"""Changing people, one at a time or many at once. The caller opens the transaction."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import column, delete, insert, select, table
from sqlalchemy.orm import Session

from server.audit.service import note_many
from server.companies.queries import get_company
from server.core import clock
from server.core.actor import SYSTEM, Actor
from server.core.bin import overdue
from server.core.contact import national_phone
from server.core.contact_keys import add_keys, replace_keys
from server.core.errors import Conflict, Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.text import search_text
from server.people.models import Person, PersonContactKey
from server.people.queries import get_binned_person, get_person, visible_to
from server.people.rules import PersonDraft, checked, name_key, renamed
from server.users.queries import names_of

__all__ = [
    "PersonDraft",
    "change_person",
    "check_draft",
    "create_people",
    "create_person",
    "delete_people",
    "delete_person",
    "draft_of",
    "purge_people",
    "restore_person",
]

_FIELDS = tuple(field.name for field in fields(PersonDraft))
_LINKS = table("activity_links", column("kind"), column("record_id"))
_INVOLVED = table("deal_people", column("person_id"))


def check_draft(draft: PersonDraft) -> PersonDraft:
    """Return the draft in the form it is kept in, or raise Invalid; asks no database."""
    return checked(draft)


def draft_of(person: Person) -> PersonDraft:
    """Return what is written down about the person, to be changed and handed back."""
    known = {name: getattr(person, name) for name in _FIELDS}
    return PersonDraft(**known | {"emails": tuple(person.emails), "phones": tuple(person.phones)})


def create_person(session: Session, actor: Actor, draft: PersonDraft) -> Person:
    """Write down a new person. A look-alike is no hindrance, see similar_people."""
    actor.must("people.create")
    draft = checked(draft)
    _check_links(session, actor, draft, before=None)
    person = Person(created_by_id=actor.user_id, **_columns(draft))
    session.add(person)
    session.flush()
    add_keys(session, PersonContactKey, [(person.id, draft.emails, draft.phones)])
    return person


def change_person(session: Session, actor: Actor, person_id: int, draft: PersonDraft) -> Person:
    """Replace what is written down about the person; begin from `draft_of` to keep the rest."""
    actor.must("people.edit")
    person = get_person(session, actor, person_id)
    before = draft_of(person)
    draft = checked(renamed(before, draft))
    _check_links(session, actor, draft, before=before)
    for name, value in _columns(draft).items():
        setattr(person, name, value)
    if (before.emails, before.phones) != (draft.emails, draft.phones):
        replace_keys(session, PersonContactKey, person.id, draft.emails, draft.phones)
    session.flush()
    return person


def delete_person(session: Session, actor: Actor, person_id: int) -> Person:
    """Put the person into the bin. What belongs to them stays, so that undoing gives all back."""
    actor.must("people.delete")
    person = get_person(session, actor, person_id)
    person.deleted_at = clock.now()
    session.flush()
    return person


def restore_person(session: Session, actor: Actor, person_id: int) -> Person:
    """Take the person out of the bin again."""
    actor.must("people.delete")
    person = get_binned_person(session, actor, person_id)
    _check_external_id(session, draft_of(person))
    person.deleted_at = None
    session.flush()
    return person


def create_people(session: Session, actor: Actor, drafts: Sequence[PersonDraft]) -> list[int]:
    """Write down many people and return their ids in the same order, as an import does.

    Owners must exist; companies too, which the database itself checks.
    """
    actor.must("people.create")
    clean = [checked(draft) for draft in drafts]
    if not clean:
        return []
    _check_owners(session, {draft.owner_id for draft in clean})
    moment = clock.now()
    rows = [
        {
            **_columns(draft),
            "version": 1,
            "created_at": moment,
            "updated_at": moment,
            "created_by_id": actor.user_id,
        }
        for draft in clean
    ]
    statement = insert(Person).returning(Person.id, sort_by_parameter_order=True)
    ids = list(session.scalars(statement, rows))
    reached = zip(ids, clean, strict=True)
    add_keys(session, PersonContactKey, [(key, one.emails, one.phones) for key, one in reached])
    note_many(session, actor, "create", kind="person", record_ids=ids)
    return ids


def delete_people(session: Session, actor: Actor, person_ids: Sequence[int]) -> int:
    """Put many people into the bin, as undoing an import does; return how many were there."""
    actor.must("people.delete")
    found = list(session.scalars(visible_to(actor).where(Person.id.in_(person_ids))))
    moment = clock.now()
    for person in found:
        person.deleted_at = moment
    session.flush()
    return len(found)


def purge_people(session: Session, moment: datetime) -> int:
    """Remove the next people whose time in the bin is over and whom no deal involves any more."""
    involved = select(_INVOLVED).where(_INVOLVED.c.person_id == Person.id)
    ids = overdue(session, Person, moment, involved)
    if ids:
        session.execute(delete(PersonContactKey).where(PersonContactKey.record_id.in_(ids)))
        session.execute(
            delete(_LINKS).where(_LINKS.c.kind == "person", _LINKS.c.record_id.in_(ids))
        )
        session.execute(delete(Person).where(Person.id.in_(ids)))
        note_many(session, SYSTEM, "purge", kind="person", record_ids=ids)
    return len(ids)


def _columns(draft: PersonDraft) -> dict[str, object]:
    """Return the columns of a row, the derived ones included."""
    return {
        **asdict(draft),
        "emails": list(draft.emails),
        "phones": list(draft.phones),
        "name_key": name_key(draft.display_name),
        "search_text": search_text(
            draft.display_name,
            draft.first_name,
            draft.last_name,
            draft.job_title,
            draft.external_id,
            *draft.emails,
            *draft.phones,
            *(national_phone(phone) for phone in draft.phones),
        ),
    }


def _check_links(
    session: Session, actor: Actor, draft: PersonDraft, before: PersonDraft | None
) -> None:
    if before is None or draft.owner_id != before.owner_id:
        _check_owners(session, {draft.owner_id})
    new_company = before is None or draft.company_id != before.company_id
    if new_company and draft.company_id is not None:
        try:
            get_company(session, actor, draft.company_id)
        except NotFound as error:
            raise Invalid(error.message, field="company_id", code="unknown") from error
    key = (draft.external_source, draft.external_id)
    if before is None or key != (before.external_source, before.external_id):
        _check_external_id(session, draft)


def _check_owners(session: Session, owner_ids: set[int | None]) -> None:
    known = set(names_of(session, owner_ids))
    unknown = {owner for owner in owner_ids if owner is not None} - known
    if unknown:
        raise Invalid(
            _("There is no user %(id)s.", id=min(unknown)), field="owner_id", code="unknown"
        )


def _check_external_id(session: Session, draft: PersonDraft) -> None:
    if draft.external_id is None:
        return
    taken = session.scalar(
        select(Person.display_name).where(
            Person.external_source == draft.external_source,
            Person.external_id == draft.external_id,
            Person.deleted_at.is_(None),
        )
    )
    if taken is not None:
        raise Conflict(
            _(
                "The person “%(name)s” has the external id %(id)s already. Change that one, or leave it out.",
                name=taken,
                id=draft.external_id,
            ),
            code="external_id_taken",
        )
