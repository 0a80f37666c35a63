"""Reading one table from end to end for an export, page by page in the order of its keys.

Tables of other slices are named by text. Whoever calls holds one reading transaction, so that every
sheet shows the same moment.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import Column, Label, Row, Select, Table, func, select, tuple_
from sqlalchemy.orm import Session

from server.core.cells import harmless
from server.core.clock import rfc3339
from server.core.db import Base
from server.core.format import exponent
from server.exports.rules import Sheet

PAGE = 1_000
MINOR = "_minor"
BIN = "in_bin"


def table_of(name: str) -> Table:
    """Return the table of that name."""
    return Base.metadata.tables[name]


def columns_of(sheet: Sheet) -> tuple[Column[Any], ...]:
    """Return the columns of the table that the sheet shows, in their own order."""
    columns = table_of(sheet.table).columns
    if sheet.only:
        return tuple(columns[name] for name in sheet.only)
    return tuple(column for column in columns if column.name not in sheet.without)


def header_of(sheet: Sheet) -> list[str]:
    """Return the first line of the file."""
    names: list[str] = []
    for column in columns_of(sheet):
        names.append(column.name)
        if column.name in sheet.money:
            names.append(column.name + MINOR)
        if column.name == "deleted_at":
            names.append(BIN)
    return names + [lookup.named for lookup in sheet.lookups]


def count_rows(session: Session, sheet: Sheet) -> int:
    """Return how many rows the sheet will have."""
    return session.scalar(select(func.count()).select_from(table_of(sheet.table))) or 0


def pages_of(session: Session, sheet: Sheet) -> Iterator[list[list[str]]]:
    """Yield the lines of the sheet, PAGE at a time; memory holds one page."""
    table, query = table_of(sheet.table), _query(sheet)
    keys = tuple_(*(table.c[name] for name in sheet.keys))
    after: tuple[Any, ...] | None = None
    while True:
        asked = query if after is None else query.where(keys > after)
        rows = session.execute(asked.limit(PAGE)).all()
        if rows:
            yield [_line(sheet, row) for row in rows]
        if len(rows) < PAGE:
            return
        after = tuple(rows[-1]._mapping[f"key_{name}"] for name in sheet.keys)


def _query(sheet: Sheet) -> Select[Any]:
    table = table_of(sheet.table)
    shown: list[Label[Any]] = [column.label(column.name) for column in columns_of(sheet)]
    shown += [table.c[name].label(f"key_{name}") for name in sheet.keys]
    source: Any = table
    for lookup in sheet.lookups:
        other = table_of(lookup.table).alias(lookup.named)
        source = source.outerjoin(other, other.c.id == table.c[lookup.column])
        shown.append(other.c[lookup.shows].label(f"word_{lookup.named}"))
    return select(*shown).select_from(source).order_by(*(table.c[name] for name in sheet.keys))


def _line(sheet: Sheet, row: Row[Any]) -> list[str]:
    values, cells = row._mapping, []
    for column in columns_of(sheet):
        value = values[column.name]
        if column.name in sheet.money:
            cells += [_major(value, values[sheet.money[column.name]]), cell(value)]
        else:
            cells.append(cell(value))
        if column.name == "deleted_at":
            cells.append(cell(value is not None))
    return cells + [cell(values[f"word_{lookup.named}"]) for lookup in sheet.lookups]


def _major(minor: int | None, currency: str | None) -> str:
    return "" if minor is None else str(Decimal(minor).scaleb(-exponent(currency or "")))


def cell(value: object) -> str:
    """Return a value as the file holds it; text that a spreadsheet would carry out is made harmless."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return harmless("; ".join(value))
    if isinstance(value, list | dict):
        return harmless(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))
    plain = next((write for kind, write in _WRITERS if isinstance(value, kind)), str)
    return plain(value)


# The first kind that fits: a bool is an int, a moment is a date, a word of ours is a text.
_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (type(None), lambda _value: ""),
    (bool, lambda value: "true" if value else "false"),
    (datetime, rfc3339),
    (date, date.isoformat),
    (Enum, lambda value: str(value.value)),
    (str, harmless),
)
