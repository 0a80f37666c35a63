"""The database: one base class, one kind of transaction for readers and one for writers.

SQLite and PostgreSQL behave alike here: a writer holds its place from the first statement, a reader
sees one consistent moment and cannot write.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    declared_attr,
    mapped_column,
    sessionmaker,
)
from sqlalchemy.types import TypeDecorator

from server.core import clock
from server.core.after_commit import run_after_commit

BUSY_TIMEOUT_MS = 10_000
RESTED_S = 1.0

JsonColumn = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware on the way in and on the way out, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments: a zone that nobody named is a mistake waiting."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a zone cannot be stored.")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite does not keep."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def words(enum: type[StrEnum]) -> Enum:
    """Return a column type that holds the words of the enum and lets the database refuse others."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
        name=enum.__name__.lower(),
    )


# Every database of the house names its constraints alike, so that migrations can find them.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every table of the CRM."""

    metadata = MetaData(naming_convention=NAMING)


# SQLite would give the number of a removed record to the next one, and its history and links with it.
NEVER_REUSED = {"sqlite_autoincrement": True}


class Record:
    """What every record has: an id, a version for conflicts, who made it and when, and the bin.

    The version is checked by the database: two writers of one version cannot both win. A table with
    arguments of its own ends them with NEVER_REUSED.
    """

    __table_args__: Any = NEVER_REUSED

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(nullable=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now, onupdate=clock.now)
    created_by_id: Mapped[int | None]
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands over the class
        """Let every UPDATE name the version it read."""
        return {"version_id_col": cls.version}


def _open_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("daftar_reads", False)
    if connection.dialect.name == "sqlite":
        # The driver's own BEGIN is deferred: two read-modify-writes then lose updates in silence.
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
    elif reads:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _note_rest(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = clock.monotonic()


def _ping_rested(connection: Any, record: Any, _proxy: object) -> None:
    """Try a connection that has rested: its server may have gone meanwhile. A busy one needs no question."""
    if clock.monotonic() - record.info.get("rests_since", clock.monotonic()) < RESTED_S:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error  # the pool brings another one


def make_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql+psycopg://…` with our transaction rules.

    Its errors go to the log, so they never name the values of a statement.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database:
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(address, hide_parameters=True)
        event.listen(engine, "connect", _open_sqlite)
    else:
        engine = create_engine(address, pool_size=10, max_overflow=10, hide_parameters=True)
        event.listen(engine, "checkin", _note_rest)
        event.listen(engine, "checkout", _ping_rested)
    event.listen(engine, "begin", _begin)
    return engine


class Acting(Protocol):
    """Whoever changes something, as far as the database must know."""

    @property
    def user_id(self) -> int | None:
        """Return the id of the user, or None for the system itself."""


class Database:
    """One database and its two kinds of transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self._writers = sessionmaker(self.engine, expire_on_commit=False)
        self._listening: set[tuple[Callable[..., None], str]] = set()
        reading = self.engine.execution_options(daftar_reads=True)
        self._readers = sessionmaker(reading, expire_on_commit=False, autoflush=False)

    @property
    def dialect(self) -> str:
        """Return `sqlite` or `postgresql`."""
        return self.engine.dialect.name

    def on_flush(self, listener: Callable[..., None], moment: str) -> None:
        """Call the listener at `before_flush` or `after_flush` of every writing session."""
        # SQLAlchemy's own register goes by the address of the sessionmaker, which a later one may get.
        if (listener, moment) not in self._listening:
            self._listening.add((listener, moment))
            event.listen(self._writers, moment, listener)

    def open(self, *, write: bool, actor: Acting | None = None) -> Session:
        """Return a session whose end the caller answers for; prefer `write` and `read`."""
        session = self._writers() if write else self._readers()
        session.info["actor"] = actor
        return session

    @contextmanager
    def write(self, actor: Acting | None = None) -> Iterator[Session]:
        """Open a writing transaction: commit at the end, roll back on any error, then notify."""
        with self.open(write=True, actor=actor) as session:
            with session.begin():
                yield session
            run_after_commit(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a reading transaction over one consistent moment."""
        with self.open(write=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close every pooled connection, as a process does before it forks or ends."""
        self.engine.dispose()
