"""JSON shapes of people."""

from typing import Annotated, Any

from pydantic import Field

from server.core.clock import rfc3339
from server.http.rest import Body, Emails, Line, ListShown, Paragraphs, Phones, RecordId, Shown
from server.people.models import Person
from server.people.rules import MAX_NAME, PersonDraft

Name = Annotated[str, Field(max_length=MAX_NAME)]


class PersonChange(Body):
    """What to change; members left out stay as they are."""

    first_name: Name = ""
    last_name: Name = ""
    display_name: Line = ""
    job_title: Line = ""
    emails: Emails = Field(default=[])
    phones: Phones = Field(default=[])
    company_id: RecordId | None = None
    owner_id: RecordId | None = None
    external_source: Annotated[str, Field(max_length=100)] = ""
    external_id: Line | None = None
    notes: Paragraphs = ""


class NewPerson(PersonChange):
    """A person to write down: with a first, last or display name."""

    def draft(self) -> PersonDraft:
        """Return the body as the service takes it."""
        return PersonDraft(**sent(self))


class PersonShown(Shown):
    """A person as the API tells it."""

    id: int
    version: int
    first_name: str
    last_name: str
    display_name: str
    job_title: str
    emails: list[str]
    phones: list[str]
    company_id: int | None
    owner_id: int | None
    external_source: str
    external_id: str | None
    notes: str
    created_at: str
    updated_at: str
    created_by_id: int | None
    deleted_at: str | None


class PersonList(ListShown):
    """One page of people."""

    items: list[PersonShown]


def sent(body: PersonChange) -> dict[str, Any]:
    """Return the members that the caller sent, as the fields of a draft."""
    lists = ("emails", "phones")
    return {name: tuple(value) if name in lists else value for name, value in body.sent().items()}


def show_person(person: Person) -> dict[str, object]:
    """Return the JSON object of a person."""
    moments = {
        "created_at": rfc3339(person.created_at),
        "updated_at": rfc3339(person.updated_at),
        "deleted_at": rfc3339(person.deleted_at) if person.deleted_at else None,
    }
    plain = {
        name: getattr(person, name) for name in PersonShown.model_fields if name not in moments
    }
    return {**plain, **moments}
