"""A small installation to save: a database, attachments, secrets, keys and a place for backups."""

import hashlib
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from backup import archive, keys, lists, postgresql, restore, run, verify
from backup.keys import Keyring, NewKeys
from backup.manifest import Manifest, Object
from backup.plan import Invariant, Kind, Level, Plan, Restored, SecretFile
from backup.restore import Access
from backup.result import Result
from backup.store import Store
from backup.verify import Verification

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE companies (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE people (
    id INTEGER PRIMARY KEY, company_id INTEGER REFERENCES companies (id),
    name TEXT NOT NULL, photo BLOB, score REAL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, amount INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (body);
CREATE INDEX people_by_company ON people (company_id);
"""

POSTGRESQL_SCHEMA = """
CREATE EXTENSION pg_trgm;
CREATE TABLE companies (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE people (
    id serial PRIMARY KEY, company_id integer NOT NULL REFERENCES companies (id),
    name text NOT NULL, photo bytea, score numeric, born_at timestamptz);
CREATE INDEX people_by_name ON people USING gin (name gin_trgm_ops);
"""


@dataclass(frozen=True)
class House:
    """The installation and all its keys, the private halves that a real one never keeps too."""

    root: Path
    plan: Plan
    store: Store
    keys: Keyring
    shown_once: NewKeys

    @property
    def database(self) -> Path:
        return self.root / "data" / "db" / "daftar.sqlite3"

    @property
    def files(self) -> Path:
        return self.root / "data" / "files"

    @property
    def working(self) -> tuple[archive.Identity, ...]:
        return archive.identities(self.shown_once.working_private)

    @property
    def escrow(self) -> tuple[archive.Identity, ...]:
        return archive.identities(self.shown_once.escrow_private)

    @property
    def access(self) -> Access:
        return Access(self.working, self.keys.trust)

    def back_up(self, kind: Kind = Kind.MANUAL) -> Manifest:
        return run.back_up(self.plan, self.store, kind=kind)

    def how(self, level: Level = Level.DRILL, invariants: Sequence[Invariant] = ()) -> Verification:
        return Verification(
            level=level,
            trust=self.keys.trust,
            scratch=self.root / "scratch",
            identities=self.keys.drill,
            invariants=tuple(invariants),
        )

    def verify(self, set_id: str, level: Level = Level.DRILL) -> Result:
        return verify.verify_and_keep(self.store, set_id, self.how(level), self.keys)

    def restore(self, set_id: str, name: str = "restored") -> restore.Report:
        return restore.restore(self.store, set_id, self.root / name, access=self.access)

    def attach(self, content: bytes) -> Path:
        """Keep an attachment under the hash of its content, as the product does."""
        name = hashlib.sha256(content).hexdigest()
        path = self.files / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def objects(self, made: Manifest) -> list[Object]:
        """Return the objects that the set refers to."""
        return list(lists.objects(self.store.set_folder(made.id), made))

    def query(self, statement: str) -> list[tuple[object, ...]]:
        return query(self.database, statement)

    def with_database(self, url: str) -> "House":
        return replace(self, plan=replace(self.plan, database_url=url))

    def reload_keys(self) -> "House":
        ring = keys.load(self.keys.folder)
        return replace(self, keys=ring, plan=replace(self.plan, keys=ring))


def query(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(statement).fetchall()
        connection.commit()
    return found


def build(root: Path) -> House:
    """Build an installation with a few companies, people and attachments."""
    database = root / "data" / "db" / "daftar.sqlite3"
    database.parent.mkdir(parents=True)
    fill(database)
    shown_once = keys.create(root / "keys")
    ring = keys.load(root / "keys")
    secret = root / "instance.key"
    secret.write_text("the instance's secret\n")
    what = Plan(
        database_url=f"sqlite:///{database}",
        files=root / "data" / "files",
        secrets=(SecretFile("license/instance.key", secret),),
        scratch=root / "scratch",
        instance="inst-1",
        product_version="0.1.0",
        schema_version="abc123",
        keys=ring,
    )
    house = House(root, what, Store.create(root / "backups"), ring, shown_once)
    for number in range(3):
        house.attach(os.urandom(1000) + str(number).encode())
    house.attach("متن فارسی ".encode() * 500)
    return house


def fill(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO companies (name) VALUES (?)", [("شرکت یک",), ("Zweite",), ("Troisième",)]
        )
        connection.executemany(
            "INSERT INTO people (company_id, name, photo, score) VALUES (?, ?, ?, ?)",
            [(1 + n % 3, f"کاربر {n}", bytes([n % 256]) * 40, n / 7) for n in range(500)],
        )
        connection.execute("INSERT INTO settings VALUES ('language', 'fa'), ('currency', 'IRR')")
        connection.execute("INSERT INTO words VALUES ('سلام دنیا'), ('hello world')")
        connection.commit()


def in_a_process(work: Callable[[], object]) -> int:
    """Do the work in a process of its own; return its exit code, negative for a signal."""
    process = start(work)
    process.join()
    code = process.exitcode
    assert code is not None
    return code


def start(work: Callable[[], object]) -> multiprocessing.context.ForkProcess:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def die() -> None:
    """End this process as a power cut does."""
    os.kill(os.getpid(), signal.SIGKILL)


def people_have_companies(restored: Restored) -> list[str]:
    """Say which people lost their company: an invariant as the product has them."""
    path = Path(restored.database_url.removeprefix("sqlite:///"))
    lost = query(path, "SELECT name FROM people WHERE company_id NOT IN (SELECT id FROM companies)")
    return [f"{name} has no company" for (name,) in lost]


def fill_postgresql(url: str) -> None:
    """Write the same companies and people into an empty PostgreSQL database."""
    with psycopg.connect(postgresql.conninfo(url)) as connection:
        connection.execute(POSTGRESQL_SCHEMA)
        connection.execute("INSERT INTO companies (name) VALUES ('شرکت یک'), ('Zweite')")
        connection.execute(
            "INSERT INTO people (company_id, name, photo, score, born_at)"
            " SELECT 1 + n % 2, 'کاربر ' || n, decode('00ff', 'hex'), n / 7.0, now()"
            " FROM generate_series(1, 500) AS n"
        )


def ask_postgresql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgresql.conninfo(url), autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []
