"""What an import asks of every kind of record: what a row wants, which record it means, and how to write it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Any, Protocol

from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.exchange.entries import Entry
from server.exchange.references import New, Reference, References

Draft = Any
"""A frozen dataclass of another slice: CompanyDraft, PersonDraft or DealDraft."""


@dataclass(frozen=True)
class Missing:
    """Something that a row names, that is not there yet, and the field of the draft that waits for it."""

    field: str
    kind: str
    new: New


@dataclass(frozen=True)
class Wish:
    """A record as a row wants it. `later` names a parent company that may still come in a later row."""

    draft: Draft
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    later: str = ""

    def filled(self, found: References) -> Draft:
        """Return the draft once everything that was missing has been made."""
        made = {each.field: found.id_of(each.kind, each.new) for each in self.missing}
        return replace(self.draft, **made) if made else self.draft


@dataclass(frozen=True)
class Present:
    """A record as it is now."""

    draft: Draft
    version: int


class Subject(Protocol):
    """One kind of record. `record` is its word in links and in the audit trail."""

    record: str

    def names(self, entry: Entry) -> tuple[str, ...]:
        """Return the companies that the row names."""

    def wish(self, entry: Entry, found: References, before: Draft | None) -> Wish:
        """Return the record as the row wants it; what it leaves empty stays. Raise Invalid."""

    def currency_of(self, draft: Draft) -> str:
        """Return the currency of the record's amount, nothing when it has none."""

    def known(
        self, session: Session, actor: Actor, key: str, entries: Sequence[Entry]
    ) -> dict[str, int]:
        """Return the record that each row means by its key, for those that are there."""

    def present(self, session: Session, actor: Actor, ids: Collection[int]) -> dict[int, Present]:
        """Return those of the records that the actor may see, as they are now."""

    def checked(self, draft: Draft) -> Draft:
        """Return the draft in the form it is kept in, or raise Invalid."""

    def create(self, session: Session, actor: Actor, drafts: Sequence[Draft]) -> list[int]:
        """Write down new records; return their ids in the same order."""

    def change(self, session: Session, actor: Actor, record_id: int, draft: Draft) -> None:
        """Change a record."""

    def delete(self, session: Session, actor: Actor, ids: Sequence[int]) -> int:
        """Put records into the bin; return how many were there."""


class Gathering:
    """Collects what a row says about a draft: plain values, references, what is missing, what to note."""

    def __init__(self, entry: Entry, found: References, *, create_companies: bool) -> None:
        self.entry = entry
        self.values: dict[str, Any] = {}
        self.missing: list[Missing] = []
        self.notes: list[str] = []
        self._found = found
        self._create_companies = create_companies

    def plain(self, *names: str) -> None:
        """Take over the values that the draft keeps under the same name."""
        said = self.entry.values
        self.values |= {name: said[name] for name in names if name in said}

    def more(self, before: Draft | None, *names: str) -> None:
        """Add the values of lists to what is there already."""
        for name in names:
            if name in self.entry.values:
                there = getattr(before, name, ())
                self.values[name] = tuple(dict.fromkeys((*there, *self.entry.values[name])))

    def owner(self) -> None:
        """Take over the colleague, who becomes a former one if nobody has the name."""
        self._refer("owner_id", "user", self._found.owner(self.entry.text("owner")))

    def company(self) -> None:
        """Take over the company, which is written down if it is new and that is wanted."""
        name = self.entry.text("company")
        reference = self._found.company(name)
        if isinstance(reference, New) and not self._create_companies:
            self.notes.append(_("There is no company “%(name)s”; it was left empty.", name=name))
            return
        self._refer("company_id", "company", reference)

    def _refer(self, field: str, kind: str, reference: Reference) -> None:
        if isinstance(reference, New):
            self.missing.append(Missing(field, kind, reference))
        elif reference is not None:
            self.values[field] = reference

    def wish(self, draft: Draft, later: str = "") -> Wish:
        """Return the draft with everything that was gathered."""
        return Wish(replace(draft, **self.values), tuple(self.missing), tuple(self.notes), later)


def differences(before: Draft, after: Draft) -> dict[str, list[Any]]:
    """Return the fields in which two drafts differ, each with both values as JSON keeps them."""
    return {
        each.name: [_kept(old), _kept(new)]
        for each in fields(before)
        if (old := getattr(before, each.name)) != (new := getattr(after, each.name))
    }


def taken_back(now: Draft, changes: Mapping[str, Sequence[Any]]) -> tuple[Draft, tuple[str, ...]]:
    """Return the draft with what an import changed as it was before, and the fields changed since then."""
    back: dict[str, Any] = {}
    changed_since = []
    for name, (before, after) in changes.items():
        present = _kept(getattr(now, name))
        if present == after:
            back[name] = _read(before, now, name)
        elif present != before:
            changed_since.append(name)
    return replace(now, **back), tuple(changed_since)


def _kept(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _read(value: Any, draft: Draft, name: str) -> Any:
    if isinstance(value, list):
        return tuple(value)
    annotations = (
        {each.name: str(each.type) for each in fields(draft)} if is_dataclass(draft) else {}
    )
    if isinstance(value, str) and "date" in annotations.get(name, ""):
        return date.fromisoformat(value)
    return value
