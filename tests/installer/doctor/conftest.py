"""An installation on this machine with its real web service, before anything is broken."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from installer.doctor.patient import Patient, admit
from server.app import create_app
from server.core.config import Settings, load_settings
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.core.schedule import Lease
from tests.support.ports import free_port


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, port: int) -> Path:
    home = tmp_path / "home"
    for folder in ("secrets", "data/db", "data/log", "data/backups"):
        (home / folder).mkdir(parents=True)
    (home / "secrets").chmod(0o700)
    key = home / "secrets" / "web.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    shutil.copyfile(sqlite_template, home / "data" / "db" / "daftar.sqlite3")
    (home / "daftar.toml").write_text(f"[web]\nport = {port}\n", encoding="utf-8")
    return home


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings(home)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """Give the installation's own database, whose scheduler lives."""
    opened = Database(settings.database_url)
    Lease(opened).hold()
    yield opened
    opened.dispose()


@pytest.fixture
def patient(home: Path, database: Database) -> Patient:
    """Return the installation as the doctor sees it; `database` has given it a scheduler."""
    assert database.dialect == "sqlite"
    return admit(home)


@pytest.fixture
def served(settings: Settings, database: Database) -> Iterator[None]:
    """Serve the installation while the test runs."""
    app = create_app(settings, database, EntitlementsBoard(UNLIMITED))
    server = make_server(settings.web.host, settings.web.port, app)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def dead_url() -> Callable[[], str]:
    """Return addresses of this machine at which nobody answers."""
    return lambda: f"http://127.0.0.1:{free_port()}"
