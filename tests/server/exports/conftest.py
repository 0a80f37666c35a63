"""A house with records of every kind, and the desk that writes its exports."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.core.actor import Actor
from server.core.config import Settings
from server.core.db import Database
from server.exports import service
from server.exports.archive import Source
from server.exports.desk import ExportDesk
from server.exports.models import Export
from server.exports.queries import get_export
from server.http.app import DaftarFlask
from tests.server.conftest import Cast, api_of
from tests.server.http.walk import write_some_records


@dataclass(frozen=True)
class Archive:
    """A finished export as somebody reads it without Daftar."""

    path: Path

    def names(self) -> list[str]:
        """Return what is inside."""
        with zipfile.ZipFile(self.path) as archive:
            assert archive.testzip() is None
            return archive.namelist()

    def raw(self, name: str) -> bytes:
        """Return one file of it."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(name)

    def rows(self, table: str) -> list[dict[str, str]]:
        """Return the rows of one table."""
        text = self.raw(f"{table}.csv").decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def json(self, name: str) -> Any:
        """Return a JSON document of it."""
        return json.loads(self.raw(name))


@dataclass(frozen=True)
class House:
    """Records of every kind, whoever asks for exports, and the desk."""

    settings: Settings
    database: Database
    root: Actor
    desk: ExportDesk

    @property
    def source(self) -> Source:
        """Return where exports read from."""
        return service.source_of(self.settings, self.database, None)

    def ask(self, actor: Actor | None = None) -> int:
        """Ask for an export and return its number."""
        with self.database.write(self.root) as session:
            return service.ask_export(session, actor or self.root).id

    def look(self, export_id: int) -> Export:
        """Return the export as it stands."""
        with self.database.read() as session:
            return get_export(session, self.root, export_id)

    def archive(self, export_id: int) -> Archive:
        """Return its file."""
        return Archive(service.path_of(self.settings, export_id))


@pytest.fixture
def house(app: DaftarFlask, settings: Settings, database: Database, cast: Cast) -> House:
    """Give a house with one record of each kind, written over the API."""
    write_some_records(app, database, cast)
    return House(settings, database, cast.root, new_desk(settings, database, cast.root))


def new_desk(settings: Settings, database: Database, actor: Actor) -> ExportDesk:
    """Return a desk as the scheduler's process has one."""
    return ExportDesk(settings, database, None, lambda _session, _user: actor)


def change(
    app: DaftarFlask, house: House, method: str, path: str, body: dict[str, object] | None = None
) -> Any:
    """Change a record over the API, as Root."""
    api = api_of(app, house.database, house.root)
    headers = {**api.headers, "If-Match": '"1"'}
    answer = api.client.open(f"/api/v1/{path}", method=method, json=body, headers=headers)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer
