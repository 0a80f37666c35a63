"""A first look at a file: its columns with samples, how many rows it has, how its dates are written."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.exchange.table import Layout, Sheet, open_sheet
from server.exchange.values import day_order

MOST_SAMPLES = 3
MOST_WORDS = 40
ROWS_LOOKED_AT = 20_000
_LONG = 200


@dataclass(frozen=True)
class Column:
    """A column: its name, a few of its values, and all of them when they are few words."""

    header: str
    samples: tuple[str, ...]
    words: tuple[str, ...]
    filled: int


@dataclass(frozen=True)
class Profile:
    """What a first look at a file tells."""

    layout: Layout
    columns: tuple[Column, ...]
    rows: int
    dates: str

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(column.header for column in self.columns)

    def as_json(self) -> dict[str, Any]:
        """Return the profile as JSON keeps it."""
        return asdict(self)

    def words_of(self, headers: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words that stand in these columns."""
        found = (column.words for column in self.columns if column.header in headers)
        return tuple(dict.fromkeys(word for words in found for word in words))


def profile_from_json(raw: Mapping[str, Any]) -> Profile:
    """Return the profile that `as_json` wrote."""
    columns = tuple(
        Column(one["header"], tuple(one["samples"]), tuple(one["words"]), one["filled"])
        for one in raw["columns"]
    )
    return Profile(Layout(**raw["layout"]), columns, raw["rows"], raw["dates"])


def sheet_of(path: Path, profile: Profile) -> Sheet:
    """Return the table in the file, read as the profile says."""
    return Sheet(path, profile.layout, profile.headers)


def look_at(path: Path, layout: Layout | None = None) -> Profile:
    """Return what a first look at the file tells. Raise Invalid when it holds no table with rows."""
    sheet = open_sheet(path, layout)
    seen: list[Counter[str]] = [Counter() for _header in sheet.headers]
    orders: Counter[str] = Counter()
    rows = 0
    for rows, row in enumerate(sheet.rows(), start=1):
        if rows > ROWS_LOOKED_AT:
            continue
        for place, cell in enumerate(row.cells[: len(seen)]):
            if cell:
                seen[place][cell.strip()[:_LONG]] += 1
    for counter in seen:
        orders.update(order for cell in counter if (order := day_order(cell)))
    if not rows:
        raise Invalid(_("This file names columns and holds no row."), field="file", code="no_rows")
    columns = tuple(
        _column(header, counter) for header, counter in zip(sheet.headers, seen, strict=True)
    )
    return Profile(sheet.layout, columns, rows, "mdy" if orders["mdy"] > orders["dmy"] else "dmy")


def _column(header: str, seen: Counter[str]) -> Column:
    words = [word for word in seen if word]
    few = tuple(words) if len(words) <= MOST_WORDS else ()
    return Column(header, tuple(words[:MOST_SAMPLES]), few, sum(seen.values()))
