"""Writing a row unless it is there: the unique index decides, also between processes at the same moment."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert_if_new(
    session: Session, kind: type[DeclarativeBase], row: Mapping[str, Any], keys: Sequence[str]
) -> bool:
    """Insert the row unless one with these keys exists; tell whether it was new."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(kind).values(dict(row)).on_conflict_do_nothing(index_elements=[*keys])
    columns = kind.__table__.columns
    return session.scalar(statement.returning(columns[keys[0]])) is not None
