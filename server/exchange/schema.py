"""JSON shapes of imports."""

from typing import Annotated, Any, Literal

from apiflask.fields import UploadFile
from pydantic import Field

from server.core.clock import rfc3339
from server.exchange.mapping import Mapping
from server.exchange.models import Import, ImportRow
from server.exchange.profile import profile_from_json
from server.exchange.rules import DEFAULT_SOURCE, Mode
from server.http.rest import Body, ListShown, Shown, Whole

Word = Annotated[str, Field(max_length=100)]
Text = Annotated[str, Field(max_length=500)]
OUTCOMES = ("created", "updated", "skipped", "refused")
_MOMENTS = ("created_at", "started_at", "finished_at", "undone_at")


class NewImport(Body):
    """A file to import. Without a mapping, a TOML text, its headers are recognised."""

    file: UploadFile
    kind: Literal["companies", "people", "deals"]
    mapping: Annotated[str, Field(max_length=100_000)] = ""
    start: Literal["", "trial", "run"] = ""


class MappingChange(Body):
    """What becomes of the columns; members left out are as when the file was uploaded."""

    columns: dict[Text, Word] = Field(default={}, max_length=500)
    values: dict[Word, dict[Text, Text]] = Field(default={}, max_length=50)
    key: Word = ""
    mode: Literal["create", "update", "both"] = "both"
    currency: Annotated[str, Field(pattern="^([A-Z]{3})?$")] = ""
    source: Annotated[str, Field(min_length=1, max_length=100)] = DEFAULT_SOURCE
    create_companies: bool = True
    dates: Literal["dmy", "mdy"] = "dmy"
    decimals: Literal["", ".", ","] = ""
    pipeline: Word = ""
    times: dict[Word, Annotated[Whole, Field(ge=1, le=10**9)]] = Field(default={}, max_length=50)

    def mapping(self) -> Mapping:
        """Return the body as the service takes it."""
        told: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        return Mapping(**told | {"mode": Mode(self.mode)})


class ColumnShown(Shown):
    """A column of the file and the field it is taken for."""

    header: str
    field: str | None
    samples: list[str]


class ImportShown(Shown):
    """An import as the API tells it. `done` counts the rows that were worked on."""

    id: int
    kind: str
    status: str
    file_name: str
    sha256: str
    size: int
    rows: int
    done: int
    created: int
    updated: int
    skipped: int
    refused: int
    made: dict[str, int]
    undo: dict[str, int]
    columns: list[ColumnShown]
    mapping: dict[str, Any]
    error: str
    created_by_id: int | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    undone_at: str | None


class ImportList(ListShown):
    """One page of imports."""

    items: list[ImportShown]


class ImportRowShown(Shown):
    """A row of the file. `values` holds every cell as it was written, mapped or not."""

    line: int
    outcome: str
    record_id: int | None
    message: str
    values: dict[str, str]
    undone: str | None
    undo_message: str


class ImportRowList(ListShown):
    """One page of rows."""

    items: list[ImportRowShown]


def show_import(found: Import) -> dict[str, object]:
    """Return the JSON object of an import."""
    columns = found.mapping["columns"]
    plain = ("id", "kind", "status", "file_name", "sha256", "size", "rows", "done", "error")
    moments = {name: getattr(found, name) for name in _MOMENTS}
    return {
        **{name: getattr(found, name) for name in plain},
        **{word: found.counts.get(word, 0) for word in OUTCOMES},
        "made": {word: found.counts.get(word, 0) for word in ("company", "user", "stage")},
        "undo": dict(found.undo_counts),
        "columns": [
            {
                "header": column.header,
                "field": columns.get(column.header),
                "samples": list(column.samples),
            }
            for column in profile_from_json(found.profile).columns
        ],
        "mapping": found.mapping,
        "created_by_id": found.created_by_id,
        **{name: rfc3339(moment) if moment else None for name, moment in moments.items()},
    }


def show_row(row: ImportRow, headers: tuple[str, ...]) -> dict[str, object]:
    """Return the JSON object of a row."""
    return {
        "line": row.line,
        "outcome": row.outcome,
        "record_id": row.record_id,
        "message": row.message,
        "values": cells_of(row, headers),
        "undone": row.undone,
        "undo_message": row.undo_message,
    }


def cells_of(row: ImportRow, headers: tuple[str, ...]) -> dict[str, str]:
    """Return the cells of a row by their headers; cells beyond the header are numbered."""
    beyond = (f"#{place}" for place in range(len(headers) + 1, len(row.raw) + 1))
    return dict(zip((*headers, *beyond), row.raw, strict=False))
