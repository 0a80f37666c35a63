"""The register of record kinds.

Slices fill it at start, so that links, search and audit reach every kind without importing its slice.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.core.actor import Actor
from server.core.errors import Invalid
from server.core.i18n import gettext as _


@dataclass(frozen=True)
class Kind:
    """One kind of record: its word in links and URLs, and how to reach the records themselves.

    `titles` returns, for the ids this actor may see, the title of each; hidden ones are left out.
    `path` is the page of a record, with `{id}` in it; `label` an English word for the catalogue.
    """

    name: str
    label: str
    path: str
    titles: Callable[[Session, Actor, Collection[int]], dict[int, str]]


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind at start; the same name again replaces it, as a second app in one process does."""
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """Return the kind of that name, or raise Invalid."""
    if name not in _kinds:
        raise Invalid(
            _(
                "“%(name)s” is no kind of record. Known kinds: %(known)s.",
                name=name,
                known=", ".join(sorted(_kinds)),
            ),
            field="type",
        )
    return _kinds[name]


def all_kinds() -> tuple[Kind, ...]:
    """Return every kind, in the order of registration."""
    return tuple(_kinds.values())


@dataclass(frozen=True)
class Link:
    """A visible record, as links and search results show it."""

    kind: str
    record_id: int
    title: str
    url: str


def links(
    session: Session, actor: Actor, wanted: Collection[tuple[str, int]]
) -> dict[tuple[str, int], Link]:
    """Return the wanted records this actor may see, one query for each kind."""
    by_kind: dict[str, set[int]] = {}
    for name, record_id in wanted:
        by_kind.setdefault(name, set()).add(record_id)
    return {
        (name, record_id): Link(name, record_id, title, kind_of(name).path.format(id=record_id))
        for name, ids in by_kind.items()
        for record_id, title in kind_of(name).titles(session, actor, ids).items()
    }
