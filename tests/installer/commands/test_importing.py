"""`daftar import` in processes of its own, on a home whose licence a vendor has answered for."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from installer.steps.toml import render_settings
from server.activation.service import LicenseOffice
from server.core import clock
from server.core.actor import SYSTEM
from server.core.config import DatabaseSettings, License, Organization, Security, Settings
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from tests.installer.place import run
from tests.licensing.client.vendor import DAY, SHOWN_CODE, Payload, Vendor, VendorServer
from tests.server.conftest import people
from tests.support.sources import ROOT

COMPANIES = "account,sector,revenue,colour\nPars,energy,5.5,red\nFars,retail,,\n"
MANY = "id,title,stage\n" + "".join(f"{number},Deal {number},Won\n" for number in range(4_000))


@dataclass(frozen=True)
class Home:
    """An installation in Persian rials, and the folder of the files to import."""

    settings: Settings
    database: Database
    folder: Path

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf8")
        return str(path)

    def line(self, *words: str) -> list[str]:
        program = str(Path(sys.executable).with_name("daftar"))
        return [program, "--home", str(self.settings.home), "import", *words]

    def daftar(self, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            self.line(*words),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def told(self, *words: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.daftar(*words, "--json", code=code).stdout)
        return found

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(text(question))]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAFTAR_")}
    return {**kept, "LC_ALL": "C.UTF-8"}


class TodaysVendor(Vendor):
    """The vendor by the real clock, which programs of their own go by."""

    def _entry(self, key: Ed25519PrivateKey, role: str) -> Payload:
        window: Payload = {"not_before": self.now - DAY, "not_after": self.now + 4000 * DAY}
        return super()._entry(key, role) | window


def sold_today() -> Vendor:
    now = clock.timestamp()
    dates = {"issued_at": now - DAY, "starts_at": now - DAY, "expires_at": now + 365 * DAY}
    return TodaysVendor(now=now, sold=dict(dates, maintenance_until=now + 365 * DAY))


def build(root: Path, database: Database, server: VendorServer) -> Home:
    home = root / "home"
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "web.key").write_bytes(os.urandom(32))
    (home / "trust").mkdir()
    (home / "trust" / "root.json").write_bytes(server.vendor.root_file())
    settings = Settings(
        home=home,
        database=DatabaseSettings(database.url),
        license=License(authority_urls=(server.url,)),
        organization=replace(Organization(), name="Pars", locale="en", timezone="UTC"),
        security=Security(argon2_memory_kib=64, argon2_rounds=1),
    )
    (home / "daftar.toml").write_text(render_settings(settings), encoding="utf8")
    people(database)
    return Home(settings, database, root)


@pytest.fixture
def vendor_server() -> Iterator[VendorServer]:
    """Give a vendor who sold a licence yesterday."""
    serving = VendorServer(sold_today())
    yield serving
    serving.stop()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Run on SQLite; one test below is for PostgreSQL, whose differences are below the command."""
    return sqlite_url


@pytest.fixture
def unlicensed(tmp_path: Path, database: Database, vendor_server: VendorServer) -> Home:
    """Give a home that is not activated yet."""
    return build(tmp_path, database, vendor_server)


@pytest.fixture
def home(unlicensed: Home) -> Home:
    """Give an activated home."""
    return activated(unlicensed)


def activated(home: Home) -> Home:
    office = LicenseOffice(home.settings, home.database, EntitlementsBoard())
    office.activate(SYSTEM, SHOWN_CODE)
    assert office.refresh().may_write
    return home


def test_a_file_is_tried_imported_listed_and_taken_back(home: Home) -> None:
    file = home.file("accounts.csv", COMPANIES)

    tried = home.told("companies", file, "--currency", "USD", "--dry-run")
    assert (tried["dry_run"], tried["created"], tried["import_id"]) == (True, 2, None)
    assert home.ask("SELECT (SELECT count(*) FROM companies) + (SELECT count(*) FROM imports)") == [
        (0,)
    ]
    done = home.told("companies", file, "--currency", "USD")

    assert (done["status"], done["created"], done["refused"]) == ("done", 2, 0)
    assert done["unmapped_columns"] == ["colour"]
    assert home.ask(
        "SELECT annual_revenue, revenue_currency FROM companies WHERE name = 'Pars'"
    ) == [(550, "USD")]
    assert home.told("companies", file, "--currency", "USD")["skipped"] == 2
    assert [one["status"] for one in home.told("list")["items"]] == ["done", "done"]
    undone = home.told("undo", str(done["import_id"]))
    assert (undone["status"], undone["undo"]) == ("undone", {"removed": 2})


def test_people_read_sentences(home: Home) -> None:
    file = home.file("accounts.csv", COMPANIES + "Kish,trade,much,\n")

    done = home.daftar("companies", file, code=1)

    assert "Line 4" in done.stdout
    assert "colour" in done.stdout
    assert done.stderr == ""


def test_a_mapping_file_says_what_becomes_of_the_columns(home: Home) -> None:
    mapping = home.file(
        "mapping.toml",
        'key = "external_id"\ncurrency = "EUR"\nmode = "create"\n'
        '[columns]\n"Nr" = "external_id"\nwhat = "title"\nhow = "stage_id"\n'
        '[values.stage]\nyes = "Won"\n',
    )
    file = home.file("deals.csv", "Nr;what;how\n7;Pump;yes\n")

    home.told("deals", file, "--mapping", mapping)

    found = home.ask("SELECT external_id, title, status, currency FROM deals")
    assert found == [("7", "Pump", "won", "EUR")]


NONSENSE = (
    ["companies", "{folder}/nowhere.csv"],
    ["companies", "{folder}/empty.csv"],
    ["companies", "{folder}/colours.csv"],
    ["companies", "{folder}/good.csv", "--currency", "XYZ"],
    ["companies", "{folder}/good.csv", "--mode", "all"],
    ["companies", "{folder}/good.csv", "--mapping", "{folder}/good.csv"],
    ["planets", "{folder}/good.csv"],
    ["undo", "99"],
)


def test_what_makes_no_sense_is_refused_without_a_trace(home: Home) -> None:
    home.file("empty.csv", "")
    home.file("colours.csv", "colour,size\nred,5\n")
    home.file("good.csv", COMPANIES)

    for words in NONSENSE:
        told = [word.format(folder=home.folder) for word in words]
        done = run("import", *told, DAFTAR_HOME=str(home.settings.home))
        assert (words, done.exit_code) == (words, 2), done.output

    assert home.ask("SELECT count(*) FROM imports") == [(0,)]


def test_postgresql_is_filled_alike(
    tmp_path: Path, postgres_database: Database, vendor_server: VendorServer
) -> None:
    home = activated(build(tmp_path, postgres_database, vendor_server))
    file = home.file("deals.csv", MANY[: MANY.index("\n700,") + 1])

    done = home.told("deals", file)

    assert (done["created"], done["status"]) == (700, "done")


def test_without_a_licence_nothing_is_imported(unlicensed: Home) -> None:
    file = unlicensed.file("accounts.csv", COMPANIES)

    unlicensed.daftar("companies", file, code=4)

    assert unlicensed.ask("SELECT count(*) FROM companies") == [(0,)]


@pytest.mark.parametrize(
    ("kind", "head", "question"),
    [
        ("companies", "account,revenue", "SELECT annual_revenue, revenue_currency FROM companies"),
        ("deals", "external_id,amount", "SELECT amount, currency FROM deals"),
    ],
)
def test_an_amount_without_a_currency_is_one_in_that_of_the_known_record(
    home: Home, kind: str, head: str, question: str
) -> None:
    first = home.file("first.csv", f"{head}\nA1,1100.04\n")
    again = home.file("again.csv", f"{head}\nA1,1200.05\nB2,7.5\n")
    home.daftar(kind, first, "--currency", "USD")

    tried = home.told(kind, again, "--dry-run")
    said = home.daftar(kind, again).stdout

    assert home.ask(question) == [(120_005, "USD"), (8, "IRR")]
    assert (tried["currency"], tried["noted"]) == ("IRR", 1)
    assert "were read as IRR" in said
    assert "1 row has a remark" in said
    home.daftar(kind, again, "--currency", "EUR")
    assert home.ask(question) == [(120_005, "EUR"), (750, "EUR")]


def test_a_program_is_no_table_and_what_was_taken_back_is_not_taken_back_again(home: Home) -> None:
    refused = home.daftar("deals", sys.executable, code=2).stderr
    done = home.told("companies", home.file("accounts.csv", "account\nPars\n"))
    number = str(done["import_id"])
    home.daftar("undo", number)

    again = home.daftar("undo", number, code=3).stderr

    assert refused.startswith("Line 1: ")
    assert "does not look like a CSV file" in refused
    assert "“Undone”" in again
    assert "taken back before" in again


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_import_is_gone_on_with_by_the_same_command(
    home: Home, how: signal.Signals
) -> None:
    file = home.file("deals.csv", MANY)
    running = subprocess.Popen(
        home.line("deals", file),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    while not home.ask("SELECT 1 FROM imports WHERE done > 0"):
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    running.send_signal(how)
    _out, told = running.communicate(timeout=120)
    if how is signal.SIGINT:
        assert running.returncode == 7, told
    else:
        # The claim of a killed process lapses by itself; here its end is brought forward.
        with home.database.write(SYSTEM) as session:
            session.execute(text("UPDATE imports SET claimed_until = NULL"))

    done = home.told("deals", file)

    assert (done["created"], done["status"]) == (4_000, "done")
    assert home.ask("SELECT count(*) FROM imports") == [(1,)]
    assert home.ask("SELECT count(*), count(DISTINCT external_id) FROM deals") == [(4_000, 4_000)]
