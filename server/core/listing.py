"""Lists: filters, sorting and paging by key, the same for the browser and the API.

A slice declares a ListSpec of what may be filtered and sorted (each with an index behind it); nothing
else reaches the database. Counting stops at 1,001, since nobody reads the difference beyond.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from server.core.errors import Invalid
from server.core.i18n import gettext as _
from server.core.text import ascii_digits

T = TypeVar("T")
Other = TypeVar("Other")

COUNT_LIMIT = 1_001
MAX_INTEGER = 2**63 - 1
MAX_LIMIT = 200
OPERATORS = ("eq", "ne", "gte", "lte", "gt", "lt", "in", "empty")


@dataclass(frozen=True)
class Filter:
    """One condition as it was asked: `filter[amount][gte]=1000`."""

    name: str
    operator: str
    value: str


@dataclass(frozen=True)
class ListQuery:
    """What a reader wants to see of a list. An empty `sort` is the list's own order."""

    q: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list and the keys of its neighbours. `total` stops counting at 1,001."""

    items: tuple[T, ...]
    next_cursor: str | None
    previous_cursor: str | None
    total: int
    total_is_exact: bool

    def with_items(self, items: Iterable[Other]) -> "Page[Other]":
        """Return the same page of other items, such as rows with what belongs to them."""
        return Page(
            tuple(items),
            self.next_cursor,
            self.previous_cursor,
            self.total,
            self.total_is_exact,
        )


@dataclass(frozen=True)
class Field:
    """A column that a list can be filtered or sorted by, and how its text is read.

    A sort needs an expression that is never NULL and has an index together with the id.
    """

    column: Any
    read: Callable[[str], Any] = str
    operators: tuple[str, ...] = OPERATORS


@dataclass(frozen=True)
class ListSpec:
    """What one kind of list offers. `conditions` are filters that are no comparison of a column."""

    key: Any
    filters: Mapping[str, Field] = field(default_factory=dict)
    conditions: Mapping[str, Callable[[str], ColumnElement[bool]]] = field(default_factory=dict)
    sorts: Mapping[str, Field] = field(default_factory=dict)
    default_sort: str = "-id"
    search: Callable[[str], ColumnElement[bool]] | None = None


def read_int(text: str) -> int:
    """Read a whole number that a database can hold, Persian digits welcome."""
    number = int(ascii_digits(text.strip()))
    if not -MAX_INTEGER <= number <= MAX_INTEGER:
        raise ValueError("range")
    return number


def read_date(text: str) -> date:
    """Read an ISO date, Persian digits welcome."""
    return date.fromisoformat(ascii_digits(text.strip()))


def read_moment(text: str) -> datetime:
    """Read an RFC 3339 moment with its zone."""
    moment = datetime.fromisoformat(ascii_digits(text.strip()))
    if moment.tzinfo is None:
        raise ValueError("zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the first and the last day of the calendar
        raise ValueError("range") from error


def _read(name: str, spec: Field, text: str) -> Any:
    try:
        return spec.read(text)
    except ValueError as error:
        raise Invalid(
            _(
                "“%(value)s” cannot be read as a value of the filter “%(name)s”.",
                value=text,
                name=name,
            ),
            field=f"filter[{name}]",
        ) from error


def _condition(spec: ListSpec, wish: Filter) -> ColumnElement[bool]:
    if wish.name in spec.conditions and wish.operator == "eq":
        return spec.conditions[wish.name](wish.value)
    known = spec.filters.get(wish.name)
    if known is None or wish.operator not in known.operators:
        raise Invalid(
            _(
                "This list has no filter “%(name)s” with “%(operator)s”.",
                name=wish.name,
                operator=wish.operator,
            ),
            field=f"filter[{wish.name}]",
        )
    column = known.column
    if wish.operator == "empty":
        return column.is_(None) if wish.value in {"", "1", "true"} else column.is_not(None)  # type: ignore[no-any-return]
    if wish.operator == "in":
        return column.in_([_read(wish.name, known, part) for part in wish.value.split(",") if part])  # type: ignore[no-any-return]
    value = _read(wish.name, known, wish.value)
    compare: dict[str, Callable[[], ColumnElement[bool]]] = {
        "eq": lambda: column == value,
        "ne": lambda: column != value,
        "gte": lambda: column >= value,
        "lte": lambda: column <= value,
        "gt": lambda: column > value,
        "lt": lambda: column < value,
    }
    return compare[wish.operator]()


def narrowed(query: Select[T], spec: ListSpec, wish: ListQuery) -> Select[T]:
    """Return the query with the reader's filters and search applied."""
    for condition in wish.filters:
        query = query.where(_condition(spec, condition))
    if wish.q.strip() and spec.search is not None:
        query = query.where(spec.search(wish.q))
    return query


@dataclass(frozen=True)
class _Cursor:
    sort: str
    value: Any
    key: int
    backwards: bool

    def write(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, date | datetime) else self.value
        text = json.dumps([self.sort, value, self.key, int(self.backwards)], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parse_cursor(text: str, sort: str, read: Callable[[str], Any]) -> _Cursor:
    try:
        raw = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        written_for, value, key, backwards = raw
        if written_for != sort or type(key) is not int or type(value) not in (str, int, float):
            raise ValueError(sort)
        written = str(value)
        written.encode()  # half a character of JSON is no text for any database
        parsed = read(written)
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise Invalid(
            _("This page mark does not belong to this list. Start again from its first page."),
            code="cursor",
            field="cursor",
        ) from error
    return _Cursor(sort, parsed, key, bool(backwards))


def _order(spec: ListSpec, sort: str) -> tuple[Field, bool]:
    descending = sort.startswith("-")
    known = spec.sorts.get(sort.removeprefix("-"))
    if known is None:
        raise Invalid(
            _("This list cannot be sorted by “%(name)s”.", name=sort.removeprefix("-")),
            field="sort",
        )
    return known, descending


def page(session: Session, query: Select[T], spec: ListSpec, wish: ListQuery) -> Page[T]:
    """Return one page of the narrowed query, found by key and never by offset."""
    sort = wish.sort or spec.default_sort
    known, descending = _order(spec, sort)
    query = narrowed(query, spec, wish)
    counted = session.scalar(
        select(func.count()).select_from(
            query.with_only_columns(spec.key).order_by(None).limit(COUNT_LIMIT).subquery()
        )
    )
    total = counted or 0
    limit = max(1, min(wish.limit, MAX_LIMIT))
    cursor = _parse_cursor(wish.cursor, sort, known.read) if wish.cursor else None
    backwards = cursor is not None and cursor.backwards
    rows = session.execute(
        _turned(
            query.add_columns(known.column.label("_sort_value")), spec, known, (descending, cursor)
        ).limit(limit + 1)
    ).all()
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows = rows[::-1]
    key_name = spec.key.key

    def mark(row: Any, *, back: bool) -> str:
        return _Cursor(sort, row[-1], getattr(row[0], key_name), back).write()

    has_next = bool(rows) and (more or backwards)
    has_previous = bool(rows) and (more if backwards else cursor is not None)
    return Page(
        items=tuple(row[0] for row in rows),
        next_cursor=mark(rows[-1], back=False) if has_next else None,
        previous_cursor=mark(rows[0], back=True) if has_previous else None,
        total=min(total, COUNT_LIMIT),
        total_is_exact=total < COUNT_LIMIT,
    )


def _turned(
    query: Select[Any], spec: ListSpec, known: Field, turn: tuple[bool, _Cursor | None]
) -> Select[Any]:
    descending, cursor = turn
    downwards = descending != (cursor is not None and cursor.backwards)
    column, key = known.column, spec.key
    if cursor is not None:
        beyond = (column < cursor.value) if downwards else (column > cursor.value)
        key_beyond = (key < cursor.key) if downwards else (key > cursor.key)
        query = query.where(or_(beyond, and_(column == cursor.value, key_beyond)))
    if downwards:
        return query.order_by(column.desc(), key.desc())
    return query.order_by(column.asc(), key.asc())
