"""A whole installation to back up: a home with settings, secrets, keys, files and people at work."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from click.testing import CliRunner, Result

from backup import archive, keys, possession
from backup.confirm import Person
from backup.keys import NewKeys
from backup.store import Store
from installer.rooms import main
from installer.steps.toml import render_settings
from server.audit.service import watch
from server.backups.service import BackupOffice
from server.core.config import DatabaseSettings, Organization, Security, Settings
from server.core.db import Database
from server.deals.pipelines import ensure_default_pipeline
from server.deals.rules import DealDraft
from server.deals.service import create_deal
from tests.installer.place import write_root
from tests.server.conftest import Cast, people
from tests.support.sources import ROOT

LANGUAGE = ("LC_ALL", "LC_MESSAGES", "LANG")


@dataclass(frozen=True)
class Home:
    """The installation, its people, and the halves of the keys that a real one never keeps."""

    settings: Settings
    database: Database
    cast: Cast
    shown_once: NewKeys

    @property
    def office(self) -> BackupOffice:
        return BackupOffice(self.settings, self.database)

    @property
    def store(self) -> Store:
        return Store(self.settings.backups)

    def attach(self, content: bytes) -> Path:
        """Keep a file under the hash of its content."""
        name = hashlib.sha256(content).hexdigest()
        path = self.settings.files / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def daftar(self, *words: str, home: Path | None = None) -> Result:
        """Run the command in this process, as an administrator's script does without a terminal."""
        place = str(home or self.settings.home)
        return CliRunner().invoke(main, ["--home", place, *words], env=dict.fromkeys(LANGUAGE, "C"))

    def run_apart(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command in a process of its own."""
        return subprocess.run(
            self.line(*words),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def line(self, *words: str) -> list[str]:
        """Return the command line."""
        program = str(Path(sys.executable).with_name("daftar"))
        return [program, "--home", str(self.settings.home), *words]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAFTAR_")}
    return {**kept, "LC_ALL": "C.UTF-8"}


def build(root: Path, database: Database, files: int = 3) -> Home:
    """Build a home on this database, with its people, a pipeline, two deals and a few files."""
    home = root / "home"
    (home / "secrets").mkdir(parents=True, mode=0o700)
    (home / "secrets" / "web.key").write_bytes(os.urandom(32))
    (home / "trust").mkdir()
    write_root(home / "trust" / "root.json")
    settings = Settings(
        home=home,
        database=DatabaseSettings(database.url),
        organization=replace(
            Organization(), name="Pars", locale="en", timezone="UTC", currency="USD"
        ),
        security=Security(argon2_memory_kib=1024, argon2_rounds=1),
    )
    (home / "daftar.toml").write_text(render_settings(settings), encoding="utf8")
    shown_once = keys.create(settings.backup_keys)
    Store.create(settings.backups)
    brought = archive.identities(f"{shown_once.working_private}\n{shown_once.escrow_private}")
    ring = keys.load(settings.backup_keys)
    possession.show_key(Store(settings.backups), ring, brought, Person("1", "Root"))
    watch(database)
    made = Home(settings, database, people(database), shown_once)
    with database.write(made.cast.root) as session:
        ensure_default_pipeline(session, made.cast.root, "en")
    with database.write(made.cast.anna) as session:
        for title in ("قرارداد نخست", "Second deal"):
            create_deal(session, made.cast.anna, DealDraft(title=title, currency="USD", amount=500))
    for number in range(files):
        made.attach(f"attachment {number} — سند".encode() * 40)
    return made
