"""Other places for copies of backups: one small protocol, and a kind of place in each module.

A place is laid out like the folder of backups itself, so that a disk with copies can be restored
from directly. Names are paths below the place with `/` between, such as `sets/…/manifest.json`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from backup.disk import Reader
from server.core.errors import Conflict, Missing
from server.core.i18n import gettext as _

AWAY = "place_away"


@dataclass(frozen=True)
class Entry:
    """One file at a place."""

    name: str
    bytes: int


class Place(Protocol):
    """Where copies of backups lie. With `append_only` nothing there is ever changed or removed."""

    name: str
    append_only: bool

    def entries(self, under: str) -> Iterator[Entry]:
        """Return the finished files below a folder; none where there is no such folder."""

    def folders(self, under: str) -> list[str]:
        """Return the names of the folders right below a folder."""

    def size(self, name: str) -> int | None:
        """Return what the file weighs, None when it is not there."""

    def read(self, name: str) -> AbstractContextManager[Reader]:
        """Give the file's bytes; raise Missing with the code `not_there` when there is none."""

    def write(self, name: str, source: Reader, size: int) -> None:
        """Write the file whole or not at all, in place of an earlier one unless append-only."""

    def remove(self, name: str) -> None:
        """Remove the file."""


def away(name: str, reason: object) -> Missing:
    """Return the error for a place that does not answer at the moment."""
    return Missing(
        _(
            "The place “%(name)s” is not there at the moment: %(reason)s.",
            name=name,
            reason=reason,
        ),
        code=AWAY,
    )


def not_there(name: str, file: str) -> Missing:
    """Return the error for a file that a place does not have."""
    return Missing(
        _("%(file)s is not at the place “%(name)s”.", file=file, name=name), code="not_there"
    )


def refused(name: str, reason: object) -> Missing:
    """Return the error for a place that is there and does not do what is asked."""
    return Missing(
        _(
            "The place “%(name)s” refused: %(reason)s. Look for room and rights there.",
            name=name,
            reason=reason,
        ),
        code="place_refused",
    )


def must_be_free(place: Place, name: str) -> None:
    """Refuse to write over a file of an append-only place."""
    if place.append_only and place.size(name) is not None:
        raise Conflict(
            _(
                "%(file)s is at the place “%(name)s” already, and nothing is changed there.",
                file=name,
                name=place.name,
            ),
            code="append_only",
        )


def must_be_removable(place: Place) -> None:
    """Refuse to remove anything from an append-only place."""
    if place.append_only:
        raise Conflict(
            _("Nothing is ever removed from the place “%(name)s”.", name=place.name),
            code="append_only",
        )
