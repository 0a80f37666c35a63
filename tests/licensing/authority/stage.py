"""The vendor's side on the stage: an authority in a folder, with a shop for licences."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select

from licensing.authority.activations.models import ActivationRecord
from licensing.authority.activations.vendor import clear_hold, rehost_license
from licensing.authority.config import Settings, load_settings
from licensing.authority.customers.service import CustomerDraft, add_customer
from licensing.authority.db.opening import open_database
from licensing.authority.founding import Wishes, found
from licensing.authority.keys.ceremony import RootKeys, find_entry
from licensing.authority.keys.service import Ceremony, rotate
from licensing.authority.keys.store import Keys, read_trust
from licensing.authority.licenses.queries import look_up, open_flags
from licensing.authority.licenses.rules import LicenseStatus, Order
from licensing.authority.licenses.service import (
    Issued,
    SeatChange,
    issue_license,
    renew_license,
    set_seats,
    set_status,
)
from licensing.authority.replacing import Replaced, Replacing, revoke_key
from licensing.document.documents import Role
from licensing.document.keyset import KeyEntry
from server.core import clock
from server.core.db import Database
from tests.licensing.authority.stranger import Json, Send, Stranger, Trust, over_http
from tests.support.ports import free_port

Changes = Mapping[str, str]
PASSPHRASE = "correct horse battery"
NO_LIMITS: Changes = {"limits.enabled": "false"}
START_SECONDS = 60


@dataclass
class Vendor:
    """An authority and the people who run it. `send` is a line to it."""

    settings: Settings
    keys: Keys
    database: Database
    send: Send

    @property
    def root(self) -> Json:
        found: Json = json.loads((self.settings.trust_dir / "root.json").read_text("utf8"))
        return found

    def stranger(self, fp: dict[str, str] | None = None) -> Stranger:
        """Return a new machine that trusts this vendor."""
        stranger = Stranger(self.send, Trust(self.root))
        return stranger if fp is None else replace(stranger, fp=fp)

    def customer(self, email: str | None = None) -> str:
        with self.database.write() as session:
            draft = CustomerDraft("Pars Trading", "Asia/Tehran", email)
            return add_customer(session, "Root", draft).customer_id

    def sell(self, *, email: str | None = None, seats: int = 5, **order: Any) -> Issued:
        """Sell a licence, to a new customer unless one is named."""
        buyer = str(order.pop("customer_id", "")) or self.customer(email)
        wanted = replace(Order(buyer, seats), **order)
        with self.database.write() as session:
            return issue_license(session, "Root", self.keys, self.settings.selling, wanted)

    def sell_many(self, count: int) -> list[Issued]:
        """Sell many licences to one customer, a hundred in a transaction."""
        order, sold = Order(self.customer(), 5), []
        for start in range(0, count, 100):
            with self.database.write() as session:
                sold += [
                    issue_license(session, "Root", self.keys, self.settings.selling, order)
                    for _place in range(min(100, count - start))
                ]
        return sold

    def set_status(self, license_id: str, status: LicenseStatus) -> None:
        with self.database.write() as session:
            set_status(session, "Root", license_id, status)

    def renew(self, license_id: str, days: int = 30) -> None:
        with self.database.write() as session:
            renew_license(session, "Root", self.keys, license_id, days)

    def set_seats(self, license_id: str, named: int) -> None:
        with self.database.write() as session:
            set_seats(session, "Root", self.keys, license_id, SeatChange(named))

    def rehost(self, license_id: str, *, approved: bool = False) -> Issued:
        with self.database.write() as session:
            return rehost_license(session, "Root", license_id, approved=approved)

    def clear_hold(self, license_id: str) -> None:
        with self.database.write() as session:
            clear_hold(session, "Root", license_id)

    def ceremony(self, *numbers: int) -> Ceremony:
        """Hold two root keys, those of 1 and 3 unless others are named."""
        root, passphrase = RootKeys(read_trust(self.settings)), PASSPHRASE.encode()
        for number in numbers or (1, 3):
            root.take(self.settings.home / "root" / f"root-{number}.pem", passphrase)
        return Ceremony(self.settings, read_trust(self.settings), root.complete(), passphrase)

    def key_of(self, role: str) -> KeyEntry:
        """Return the newest key of a role."""
        keyset = self.keys.ring().keyset
        return [entry for entry in keyset.keys if role in entry.roles][-1]

    def rotate(self, *roles: Role) -> None:
        """Give each role one more key."""
        held = self.ceremony()
        rotate(held, held.keyset, roles, clock.timestamp())

    def revoke(self, keyid: str) -> Replaced:
        """Kill a key as the command does."""
        held = self.ceremony()
        job = Replacing(self.database, "Root", held)
        return revoke_key(job, find_entry(held.keyset, keyid), lambda _count: None)

    def flags(self, license_id: str) -> list[str]:
        with self.database.read() as session:
            return [flag.kind.value for flag in open_flags(session, look_up(session, license_id))]

    def activations(self, license_id: str) -> list[ActivationRecord]:
        with self.database.read() as session:
            row = look_up(session, license_id).id
            query = select(ActivationRecord).where(ActivationRecord.license_row_id == row)
            return list(session.scalars(query.order_by(ActivationRecord.id)))


def found_vendor(home: Path, url: str = "", changes: Changes = NO_LIMITS) -> Settings:
    """Found an authority at `home` and change lines of its settings: `limits.enabled` to `false`."""
    if url:
        found(home, Wishes(home / "root", PASSPHRASE.encode(), database_url=url))
    else:
        shutil.copytree(_founded_once(), home)
    path, section, lines = home / "authority.toml", "", []
    for line in path.read_text("utf8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        key = line.partition(" = ")[0]
        value = changes.get(f"{section}.{key}")
        lines.append(line if value is None else f"{key} = {value}")
    path.write_text("\n".join(lines) + "\n", "utf8")
    return load_settings(home)


@cache
def _founded_once() -> Path:
    """Found one authority on SQLite for this process; each test gets a copy, keys and all."""
    folder = Path(tempfile.mkdtemp(prefix="authority-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found(folder / "home", Wishes(folder / "home" / "root", PASSPHRASE.encode()))
    return folder / "home"


def open_vendor(settings: Settings, send: Send) -> Vendor:
    """Return the people of an authority that was founded."""
    keys = Keys(settings, PASSPHRASE.encode())
    return Vendor(settings, keys, open_database(settings), send)


@dataclass
class Program:
    """`daftar-authority serve` as a process of its own."""

    process: "subprocess.Popen[bytes]"
    url: str

    def children(self) -> list[int]:
        """Return the web and job processes."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()]

    def kill(self) -> None:
        """Kill all of it at once, as a power cut does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Stop it properly and return its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=40)


def start_program(home: Path, log: Path) -> Program:
    """Start the authority on a free port and wait until it answers."""
    port = free_port()
    command = [sys.executable, "-m", "licensing.authority.cli", "--home", str(home), "serve"]
    environment = {**os.environ, "DAFTAR_AUTHORITY_PASSPHRASE": PASSPHRASE}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    program = Program(process, f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + START_SECONDS
    while not _answers(program.url):
        assert process.poll() is None, log.read_text("utf8")
        assert time.monotonic() < deadline, log.read_text("utf8")
        time.sleep(0.1)
    return program


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def running_vendor(home: Path, url: str, changes: Changes = NO_LIMITS) -> Iterator[Vendor]:
    """Found an authority and serve it by the real command."""
    settings = found_vendor(home, url, changes)
    program = start_program(home, home / "log")
    vendor = open_vendor(settings, over_http(program.url))
    try:
        yield vendor
    finally:
        vendor.database.dispose()
        program.stop()
