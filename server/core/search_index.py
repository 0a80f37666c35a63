"""Finding words inside records: a folded text column, FTS5 trigrams on SQLite, pg_trgm on PostgreSQL.

The index follows its table by triggers (SQLite) or by being an index (PostgreSQL), so no writer can
forget it. Migrations call `create_search_index`.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, false, literal_column, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler

from server.core.text import fold

TRIGRAM = 3
MAX_WORDS = 8


class _Found(ColumnElement[bool]):
    """`table.search_text` contains the word, answered from the index of the database at hand."""

    inherit_cache = False

    def __init__(self, column: InstrumentedAttribute[str], word: str) -> None:
        self.column = column
        self.word = word


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@compiles(_Found)
def _compile_found(element: _Found, compiler: SQLCompiler, **options: object) -> str:
    column, word = element.column, element.word
    pattern = f"%{_escaped(word)}%"
    inner: ColumnElement[bool] = column.like(pattern, escape="\\")
    if compiler.dialect.name == "sqlite" and len(word) >= TRIGRAM:
        table = column.class_.__table__
        index = f"{table.name}_search"
        quoted = '"' + word.replace('"', '""') + '"'
        rows: Select[Any] = select(literal_column("rowid")).select_from(text(index))
        inner = table.c.id.in_(rows.where(literal_column(index).op("MATCH")(quoted)))
    return str(compiler.process(inner, **options))


def search_in(column: InstrumentedAttribute[str]) -> Callable[[str], ColumnElement[bool]]:
    """Return the condition-maker for a ListSpec: every word of the question occurs in the column."""

    def condition(question: str) -> ColumnElement[bool]:
        words = fold(question).split()[:MAX_WORDS]
        return and_(*(_Found(column, word) for word in words)) if words else false()

    return condition


def create_search_index(connection: Connection, table: str) -> None:
    """Create the index over `table.search_text`; a migration calls it right after the table."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
        connection.execute(
            text(
                f"CREATE INDEX ix_{table}_search_trgm ON {table} USING gin (search_text gin_trgm_ops)"
            )
        )
        return
    index = f"{table}_search"
    connection.execute(
        text(
            f"CREATE VIRTUAL TABLE {index} USING fts5("
            f"search_text, content='{table}', content_rowid='id', tokenize='trigram')"
        )
    )
    gone = f"INSERT INTO {index}({index}, rowid, search_text) VALUES('delete', old.id, old.search_text);"
    come = f"INSERT INTO {index}(rowid, search_text) VALUES(new.id, new.search_text);"
    for moment, action in (
        ("INSERT", come),
        ("DELETE", gone),
        ("UPDATE OF search_text", gone + come),
    ):
        name = moment.split()[0].lower()
        connection.execute(
            text(
                f"CREATE TRIGGER {table}_search_{name} AFTER {moment} ON {table} BEGIN {action} END"
            )
        )
