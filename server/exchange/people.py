"""People as an import sees them."""

from collections.abc import Collection, Sequence

from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.exchange.entries import Entry
from server.exchange.references import References
from server.exchange.subjects import Draft, Gathering, Present, Wish
from server.people import service
from server.people.queries import people_by_external_id, visible_to
from server.people.service import PersonDraft

_PLAIN = ("first_name", "last_name", "display_name", "job_title", "external_id", "notes")
_KINDS = {"emails": "email", "phones": "phone"}
_KEYS = table("person_contact_keys", column("record_id"), column("kind"), column("key"))


class People:
    """People, known by an external id, an address, a number, or a row that is the same."""

    record = "person"

    def __init__(self, source: str, *, create_companies: bool) -> None:
        self._source = source
        self._create_companies = create_companies

    def names(self, entry: Entry) -> tuple[str, ...]:
        """Return the company that the row names."""
        return (entry.text("company"),) if entry.text("company") else ()

    def wish(self, entry: Entry, found: References, before: Draft | None) -> Wish:
        """Return the person as the row wants it."""
        said = Gathering(entry, found, create_companies=self._create_companies)
        said.plain(*_PLAIN)
        said.more(before, "emails", "phones")
        said.owner()
        said.company()
        if "external_id" in said.values:
            said.values["external_source"] = self._source
        return said.wish(before or PersonDraft())

    def currency_of(self, _draft: PersonDraft) -> str:
        """Return nothing: people have no amounts."""
        return ""

    def known(
        self, session: Session, actor: Actor, key: str, entries: Sequence[Entry]
    ) -> dict[str, int]:
        """Return the person of each key: an external id of our source, an address or a number."""
        keys = sorted({entry.key for entry in entries})
        if key == "external_id":
            return people_by_external_id(session, actor, self._source, keys)
        query = visible_to(actor)
        seen = query.with_only_columns(query.selected_columns.id)
        rows = session.execute(
            select(_KEYS.c.key, func.min(_KEYS.c.record_id))
            .where(_KEYS.c.kind == _KINDS[key], _KEYS.c.key.in_(keys), _KEYS.c.record_id.in_(seen))
            .group_by(_KEYS.c.key)
        )
        return {row[0]: row[1] for row in rows}

    def present(self, session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Present]:
        """Return the people as they are now."""
        query = visible_to(actor)
        rows = session.scalars(query.where(query.selected_columns.id.in_(ids)))
        return {row.id: Present(service.draft_of(row), row.version) for row in rows}

    def checked(self, draft: PersonDraft) -> PersonDraft:
        """Return the draft in the form it is kept in, or raise Invalid."""
        return service.check_draft(draft)

    def create(self, session: Session, actor: Actor, drafts: Sequence[PersonDraft]) -> list[int]:
        """Write down new people."""
        return service.create_people(session, actor, drafts)

    def change(self, session: Session, actor: Actor, record_id: int, draft: PersonDraft) -> None:
        """Change a person."""
        service.change_person(session, actor, record_id, draft)

    def delete(self, session: Session, actor: Actor, ids: Sequence[int]) -> int:
        """Put people into the bin."""
        return service.delete_people(session, actor, ids)
