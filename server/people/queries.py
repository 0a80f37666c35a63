"""Reading people. Everybody who may see people sees all of them; the bin is for those who fill it."""

from collections.abc import Collection, Sequence

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import Session

from server.core import kinds
from server.core.actor import Actor
from server.core.contact import ContactKind, clean_phone, email_key, phone_key
from server.core.contact_keys import contact_filters, reached_by
from server.core.errors import Invalid, NotFound
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.core.listing import Field, ListQuery, ListSpec, Page, page, read_int, read_moment
from server.core.search_index import search_in
from server.people.models import Person, PersonContactKey
from server.people.rules import name_key

CHUNK = 500
MAX_OPTIONS = 20

PEOPLE = ListSpec(
    key=Person.id,
    filters={
        "owner_id": Field(Person.owner_id, read_int),
        "company_id": Field(Person.company_id, read_int, ("eq", "in", "empty")),
        "name": Field(Person.name_key, name_key, ("eq",)),
        "external_id": Field(Person.external_id, operators=("eq", "in", "empty")),
        "external_source": Field(Person.external_source, operators=("eq", "in")),
        "created_at": Field(Person.created_at, read_moment, ("gte", "lte", "gt", "lt")),
        "updated_at": Field(Person.updated_at, read_moment, ("gte", "lte", "gt", "lt")),
    },
    conditions=contact_filters(PersonContactKey, Person.id),
    sorts={
        "display_name": Field(Person.name_key),
        "created_at": Field(Person.created_at, read_moment),
        "updated_at": Field(Person.updated_at, read_moment),
        "id": Field(Person.id, read_int),
    },
    default_sort="display_name",
    search=search_in(Person.search_text),
)


def visible_to(actor: Actor) -> Select[Person]:
    """Return the people this actor may see, as a query to narrow further."""
    actor.must("people.see")
    return select(Person).where(Person.deleted_at.is_(None))


def binned_for(actor: Actor) -> Select[Person]:
    """Return the people in the bin, for those who may take one out."""
    actor.must("people.delete")
    return select(Person).where(Person.deleted_at.is_not(None))


def list_people(session: Session, actor: Actor, wish: ListQuery) -> Page[Person]:
    """Return one page of people."""
    return page(session, visible_to(actor), PEOPLE, wish)


def list_binned_people(session: Session, actor: Actor, wish: ListQuery) -> Page[Person]:
    """Return one page of the bin."""
    return page(session, binned_for(actor), PEOPLE, wish)


def get_person(session: Session, actor: Actor, person_id: int) -> Person:
    """Return the person, or raise NotFound."""
    person = session.scalar(visible_to(actor).where(Person.id == person_id))
    if person is None:
        raise NotFound(_("There is no person %(id)s.", id=person_id))
    return person


def get_binned_person(session: Session, actor: Actor, person_id: int) -> Person:
    """Return the person in the bin, or raise NotFound."""
    person = session.scalar(binned_for(actor).where(Person.id == person_id))
    if person is None:
        raise NotFound(_("There is no person %(id)s in the bin.", id=person_id))
    return person


def person_names(session: Session, actor: Actor, ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of those of the people that this actor may see; one query."""
    wanted = {person_id for person_id in ids if person_id is not None}
    if not wanted or not actor.may("people.see"):
        return {}
    query = visible_to(actor).with_only_columns(Person.id, Person.display_name)
    rows = session.execute(query.where(Person.id.in_(wanted)))
    return {row.id: row.display_name for row in rows}


kinds.register(kinds.Kind("person", mark("Person"), "/people/{id}", person_names))


def person_options(
    session: Session, actor: Actor, q: str, limit: int = MAX_OPTIONS
) -> list[Person]:
    """Return the people a picker offers for what was typed, those that begin with it first."""
    query = visible_to(actor)
    if not q.strip():
        return list(session.scalars(query.order_by(Person.name_key, Person.id).limit(limit)))
    begins = Person.name_key.startswith(name_key(q), autoescape=True)
    found = query.where(search_in(Person.search_text)(q))
    order = (case((begins, 0), else_=1), Person.name_key, Person.id)
    return list(session.scalars(found.order_by(*order).limit(limit)))


def people_by_phone(session: Session, actor: Actor, phone: str) -> list[Person]:
    """Return the people with this number, however it is written; empty when it is no number."""
    try:
        key = phone_key(clean_phone(phone))
    except Invalid:
        return []
    found = reached_by(PersonContactKey, Person.id, ContactKind.PHONE, [key])
    return list(session.scalars(visible_to(actor).where(found).order_by(Person.id).limit(50)))


def people_by_email(session: Session, actor: Actor, email: str) -> list[Person]:
    """Return the people with this address, whatever its letters' case."""
    found = reached_by(PersonContactKey, Person.id, ContactKind.EMAIL, [email_key(email)])
    return list(session.scalars(visible_to(actor).where(found).order_by(Person.id).limit(50)))


def similar_people(
    session: Session,
    actor: Actor,
    *,
    emails: Sequence[str] = (),
    phones: Sequence[str] = (),
    name: str = "",
    besides: int | None = None,
) -> list[Person]:
    """Return people with one of these addresses or numbers, or the same name, as a warning."""
    signs = []
    if emails:
        keys = [email_key(email) for email in emails]
        signs.append(reached_by(PersonContactKey, Person.id, ContactKind.EMAIL, keys))
    if phones:
        keys = [phone_key(phone) for phone in phones]
        signs.append(reached_by(PersonContactKey, Person.id, ContactKind.PHONE, keys))
    if name.strip():
        signs.append(Person.name_key == name_key(name))
    if not signs:
        return []
    query = visible_to(actor).where(or_(*signs))
    if besides is not None:
        query = query.where(Person.id != besides)
    return list(session.scalars(query.order_by(Person.id).limit(5)))


def people_of_company(
    session: Session, actor: Actor, company_id: int, limit: int = 50
) -> list[Person]:
    """Return the people who work for the company, by name."""
    query = visible_to(actor).where(Person.company_id == company_id)
    return list(session.scalars(query.order_by(Person.name_key, Person.id).limit(limit)))


def people_by_external_id(
    session: Session, actor: Actor, source: str, external_ids: Collection[str]
) -> dict[str, int]:
    """Return the id of each person who is known under one of these ids of the source."""
    known: dict[str, int] = {}
    ids = sorted(set(external_ids))
    for start in range(0, len(ids), CHUNK):
        query = visible_to(actor).with_only_columns(Person.external_id, Person.id)
        query = query.where(
            Person.external_source == source, Person.external_id.in_(ids[start : start + CHUNK])
        )
        known |= {row[0]: row[1] for row in session.execute(query) if row[0] is not None}
    return known
