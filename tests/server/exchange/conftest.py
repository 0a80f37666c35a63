"""Files of the cast, and short ways to import them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server.core.actor import Actor
from server.core.db import Database
from server.deals.pipelines import ensure_default_pipeline
from server.exchange import service
from server.exchange.models import Import, ImportExtra, ImportRow
from server.exchange.queries import get_import
from server.exchange.run import Run, Workshop
from server.exchange.service import FileStore, ImportKind
from tests.server.conftest import Cast

HOLDER = "tests"


@dataclass(frozen=True)
class Desk:
    """Brings texts in as files, as the browser and the command line do."""

    workshop: Workshop
    actor: Actor

    @property
    def database(self) -> Database:
        return self.workshop.database

    def upload(self, kind: str, content: str | bytes, name: str = "list.csv", **wishes: Any) -> int:
        """Keep the file and say what becomes of its columns; return the import's id."""
        raw = content.encode() if isinstance(content, str) else content
        seen = service.look_at_file(self.workshop.files, BytesIO(raw))
        known = service.recognised(ImportKind(kind), seen[1].headers, seen[1].dates)
        with self.database.write(self.actor) as session:
            mapping = replace(known, **{"currency": "USD", **wishes})
            return service.add_import(session, self.actor, ImportKind(kind), name, seen, mapping).id

    def bring(self, kind: str, content: str | bytes, **wishes: Any) -> Import:
        """Import the file to its end."""
        return self.run(self.upload(kind, content, **wishes))

    def run(self, import_id: int) -> Import:
        """Run an import to its end."""
        with self.database.write(self.actor) as session:
            service.start_run(session, self.actor, import_id, HOLDER)
        Run(self.workshop, self.actor, import_id, HOLDER).work()
        return self.look(import_id)

    def attempt(self, import_id: int) -> Import:
        """Run a trial of an import."""
        with self.database.write(self.actor) as session:
            found = service.start_trial(session, self.actor, import_id)
            service.take_claim(session, found, HOLDER)
        Run(self.workshop, self.actor, import_id, HOLDER).work()
        return self.look(import_id)

    def undo(self, import_id: int, actor: Actor | None = None) -> Import:
        """Take an import back."""
        who = actor or self.actor
        with self.database.write(who) as session:
            found = service.start_undo(session, who, import_id)
            service.take_claim(session, found, HOLDER)
        Run(self.workshop, who, import_id, HOLDER).work()
        return self.look(import_id)

    def look(self, import_id: int) -> Import:
        """Return the import as it stands."""
        with self.database.read() as session:
            return get_import(session, self.actor, import_id)

    def rows(self, import_id: int) -> list[ImportRow]:
        """Return every row of the import in the order of the file."""
        with self.database.read() as session:
            query = session.query(ImportRow).filter_by(import_id=import_id)
            return query.order_by(ImportRow.line).all()

    def extras(self, import_id: int) -> set[tuple[str, str]]:
        """Return what the import wrote down on the side."""
        with self.database.read() as session:
            found = session.query(ImportExtra).filter_by(import_id=import_id)
            return {(one.kind, one.name) for one in found}

    def count(self, table: str) -> int:
        """Count the records of a table, the bin included."""
        return len(self.ask(f"SELECT id FROM {table}"))  # noqa: S608 - the table of a test

    def living(self, table: str) -> int:
        """Count the records of a table outside the bin."""
        return len(self.ask(f"SELECT id FROM {table} WHERE deleted_at IS NULL"))  # noqa: S608 - see above

    def ask(self, question: str, **values: object) -> list[tuple[Any, ...]]:
        """Return the rows that a question in SQL finds."""
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(text(question), values)]


MakeDesk = Callable[[Actor], Desk]


@pytest.fixture
def workshop(database: Database, tmp_path: Path) -> Workshop:
    """Give what every run needs, in dollars."""
    return Workshop(database, FileStore(tmp_path / "files"), "USD")


@pytest.fixture
def desk(workshop: Workshop, cast: Cast) -> Desk:
    """Give the desk of Root, who administers, with the standard pipeline in English."""
    with workshop.database.write(cast.root) as session:
        ensure_default_pipeline(session, cast.root, "en")
    return Desk(workshop, cast.root)


def outcomes(rows: list[ImportRow]) -> list[tuple[int, str]]:
    """Return line and outcome of each row."""
    return [(row.line, row.outcome.value) for row in rows]
