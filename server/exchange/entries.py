"""From a row of a file to the values of a record: every cell is read as its field wants it. No database."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from server.core.cells import as_written
from server.core.contact import clean_phone, email_key, phone_key
from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import fold
from server.exchange.fields import FIELDS, MANY, Field, Shape
from server.exchange.mapping import Mapping
from server.exchange.rules import ImportKind
from server.exchange.table import Row
from server.exchange.values import (
    TOMAN,
    Amount,
    read_amount,
    read_date,
    read_list,
    read_whole,
)

MOST_NOTES = 1_000


@dataclass(frozen=True)
class Entry:
    """A row that was read. `values` holds what the row says, empty cells left out.

    Without a problem it can become a record; notes are worth telling and hinder nothing. `amounts`
    are those for which nobody named a currency, as they are written.
    """

    line: int
    raw: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()
    empty: bool = False
    amounts: tuple[tuple[Field, str], ...] = ()

    def text(self, name: str) -> str:
        """Return a value that is a text, nothing when the row does not say it."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""


class Reader:
    """Reads the rows of one file; it remembers equal rows, so that each of them stays one of its own."""

    def __init__(
        self, kind: ImportKind, mapping: Mapping, headers: tuple[str, ...], currency: str
    ) -> None:
        self.mapping = mapping
        self.currency = currency
        self.key = mapping.key_for(kind)
        places = {header: place for place, header in enumerate(headers)}
        self._fields = [
            (each, [places[header] for header in mapping.headers_of(each.name)])
            for each in FIELDS[kind]
            if mapping.brings(each.name)
        ]
        # A currency that stands beside the amount has to be known before it.
        self._fields.sort(key=lambda pair: pair[0].shape is not Shape.CURRENCY)
        self._words = {
            name: {fold(word): other for word, other in words.items()}
            for name, words in mapping.values.items()
        }
        self._seen: Counter[str] = Counter()
        self._read: dict[Shape, Callable[[Field, str, dict[str, Any]], Any]] = {
            Shape.LIST: lambda _field, text, _values: read_list(text),
            Shape.DATE: lambda _field, text, _values: read_date(text, mapping.dates),
            Shape.WHOLE: lambda _field, text, _values: read_whole(text, mapping.decimals),
            Shape.MONEY: self._amount,
            Shape.CURRENCY: lambda _field, text, _values: text.upper(),
        }

    def read(self, row: Row) -> Entry:
        """Return what the row says, or why it cannot be read."""
        twin = self._twin(row)
        if row.problem:
            return Entry(row.line, row.cells, problem=row.problem)
        values: dict[str, Any] = {}
        notes = [row.note] if row.note else []
        problems, amounts = [], []
        for each, places in self._fields:
            text = self._cell(each, row, places)
            if not text:
                continue
            try:
                values[each.name] = self._value(each, text, values, notes)
                if each.shape is Shape.MONEY and not self._is_named(values):
                    amounts.append((each, text))
            except Invalid as refusal:
                problems.append(f"{_(each.label)}: {refusal.message}")
        key = twin if self.key == "row" else _key(self.key, values)
        return Entry(
            row.line, row.cells, values, key, " ".join(problems)[:MOST_NOTES], tuple(notes),
            empty=not values and not problems, amounts=tuple(amounts),
        )  # fmt: skip

    def in_currency(self, entry: Entry, code: str) -> Entry:
        """Return the entry with the amounts that name no currency read in this one. Raise Invalid."""
        if not entry.amounts or not code or code == self.currency:
            return entry
        values: dict[str, Any] = {"currency": code}
        rounded: list[str] = []
        for each, text in entry.amounts:
            values[each.name] = self._value(each, text, values, rounded)
        del values["currency"]
        old = {_rounded(each, text) for each, text in entry.amounts}
        notes = (*(one for one in entry.notes if one not in old), *rounded)
        return replace(entry, values={**entry.values, **values}, notes=notes)

    def _is_named(self, values: dict[str, Any]) -> bool:
        return bool(
            self.mapping.currency or values.get("currency") or values.get("revenue_currency")
        )

    def remember(self, row: Row) -> None:
        """Count a row that was worked on before, so that a later equal one stays one of its own."""
        self._twin(row)

    def _cell(self, each: Field, row: Row, places: list[int]) -> str:
        cells = [as_written(row.cells[place].strip()) for place in places]
        text = "\n".join(cell for cell in cells if cell) if each.shape in MANY else cells[0]
        words = self._words.get(each.name)
        return words.get(fold(text), text).strip() if words and text else text

    def _value(self, each: Field, text: str, values: dict[str, Any], notes: list[str]) -> Any:
        read = self._read.get(each.shape)
        value = read(each, text, values) if read else text
        if isinstance(value, Amount):
            if value.rounded:
                notes.append(_rounded(each, text))
            return value.minor
        return value

    def _amount(self, each: Field, text: str, values: dict[str, Any]) -> Amount:
        code = values.get("currency") or values.get("revenue_currency") or self.currency
        times = self.mapping.times.get(each.name, 1) * (10 if code == TOMAN else 1)
        return read_amount(text, _official(code), self.mapping.decimals, times)

    def _twin(self, row: Row) -> str:
        """Return what tells this row from all others: its content, and how often it stood there before."""
        if self.key != "row":
            return ""
        text = json.dumps([cell.strip() for cell in row.cells], ensure_ascii=False)
        digest = hashlib.sha256(text.encode("utf8", "replace")).hexdigest()[:32]
        self._seen[digest] += 1
        return digest if self._seen[digest] == 1 else f"{digest}-{self._seen[digest]}"


def _rounded(each: Field, text: str) -> str:
    return _("%(field)s: %(text)s was rounded.", field=_(each.label), text=text[:60])


def _official(code: str) -> str:
    return "IRR" if code == TOMAN else code


def official_currency(code: str) -> str:
    """Return the code that is kept: rials for toman."""
    return _official(code)


def name_key(name: str) -> str:
    """Return the form of a company's name in which two are the same."""
    return fold(name).replace(" ", "") or name.strip().casefold()


def _key(name: str, values: dict[str, Any]) -> str:
    """Return by what the row is recognised, in the form in which two are the same."""
    value = values.get(name)
    if not value:
        return ""
    try:
        return _FORMS.get(name, _one_line)(value)
    except Invalid:
        return ""


def _one_line(value: str) -> str:
    return " ".join(value.split())


_FORMS: dict[str, Callable[[Any], str]] = {
    "name": name_key,
    "emails": lambda found: email_key(found[0]),
    "phones": lambda found: phone_key(clean_phone(found[0])),
}
