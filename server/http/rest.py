"""The shapes that every slice of the JSON API shares: bodies, lists, versions, created records."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from flask import Response, jsonify, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from server.core.errors import DaftarError, Invalid, Stale
from server.core.i18n import gettext as _
from server.core.listing import ListSpec, Page
from server.core.text import small_number

T = TypeVar("T")


class Body(BaseModel):
    """A JSON body: unknown members are refused, and types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def sent(self) -> dict[str, Any]:
        """Return only the members that the caller sent, as PATCH needs them."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Shown(BaseModel):
    """A JSON answer, read from the attributes of a record."""

    model_config = ConfigDict(from_attributes=True)


def _whole(value: object) -> object:
    # JSON has one kind of number: 661.0 is the integer 661 (JSON Schema 2020-12 §6.1.1).
    return int(value) if isinstance(value, float) and value.is_integer() else value


MAX_WHOLE = 2**53 - 1  # beyond it, programs that read numbers as doubles lose digits
MAX_ID = 2**31 - 1

Whole = Annotated[int, BeforeValidator(_whole), Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
RecordId = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=MAX_ID)]
Line = Annotated[str, Field(max_length=200)]
Paragraphs = Annotated[str, Field(max_length=20_000)]
Emails = Annotated[list[Annotated[str, Field(max_length=320)]], Field(max_length=20)]
Phones = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)]


class ListShown(Shown):
    """One page of a list; a slice's own `…List` adds its `items`."""

    next_cursor: str | None
    total: int
    total_is_exact: bool


def told(spec: ListSpec) -> str:
    """Return the words that document what a list can be filtered and sorted by."""
    filters = ", ".join(
        [f"`{name}` ({' '.join(known.operators)})" for name, known in sorted(spec.filters.items())]
        + [f"`{name}` (eq)" for name in sorted(spec.conditions)]
    )
    sorts = ", ".join(f"`{name}`" for name in sorted(spec.sorts))
    return (
        f"Filters, as `filter[name]=value` or `filter[name][operator]=value`: {filters}. "
        f"Sorts, with `-` before the name for descending: {sorts}; by default `{spec.default_sort}`."
    )


class VersionMissing(DaftarError):
    """A change without If-Match (RFC 6585 §3)."""

    default_code = "version_missing"


class StaleWithCurrent(Stale):
    """A change of an old version; `members` carries the current record as `current`."""

    def __init__(self, message: str, current: Mapping[str, object]) -> None:
        super().__init__(message)
        self.members = {"current": dict(current)}


def expected_version() -> int:
    """Return the version that the caller read, from `If-Match: "7"` (interfaces.md)."""
    header = request.headers.get("If-Match")
    if header is None:
        raise VersionMissing(
            _("Send the version you read in an If-Match header, so that nobody's change is lost.")
        )
    text = header.strip().removeprefix("W/").strip('"')
    version = small_number(text) if text.isascii() else None
    if version is None:
        raise Invalid(
            _('If-Match holds the record\'s version in quotes, such as "7".'), field="If-Match"
        )
    return version


def check_version(version: int, current: Callable[[], Mapping[str, object]]) -> None:
    """Raise StaleWithCurrent unless the caller's If-Match names this version."""
    if expected_version() != version:
        raise StaleWithCurrent(
            _(
                "Somebody else changed this record after you read it. “current” holds its present state."
            ),
            current(),
        )


def listed(page: Page[T], show: Callable[[T], Mapping[str, object]]) -> Response:
    """Return one page of a list in the shape of interfaces.md."""
    return jsonify(
        {
            "items": [show(item) for item in page.items],
            "next_cursor": page.next_cursor,
            "total": page.total,
            "total_is_exact": page.total_is_exact,
        }
    )


def shown(record: Mapping[str, object], *, version: int | None = None) -> Response:
    """Return one record, its version as ETag."""
    response = jsonify(record)
    if version is not None:
        response.set_etag(str(version))
    return response


def created(record: Mapping[str, object], location: str, *, version: int | None = None) -> Response:
    """Return a new record: 201 with its address."""
    response = shown(record, version=version)
    response.status_code = 201
    response.headers["Location"] = location
    return response


def gone() -> Response:
    """Return the empty answer of a deletion; the record waits in the bin."""
    return Response(status=204)
