"""The first day with Daftar, from the outside: a vendor, an installation, a seller in Persian, an admin.

It goes through commands, HTTP and the browser only. It reads the public pipeline of `shared/data/maventech`
where that is beside the project, and a small one of the same shape elsewhere.
"""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.installer.place import Place, run
from tests.support.browser import Browser
from tests.support.demo import PASSWORD, Demo, is_ready, is_silent, process_of, wait_until
from tests.support.ports import free_port
from tests.support.sources import ROOT

PUBLIC = ROOT.parent / "shared" / "data" / "maventech"
STAGES = {"Engaging": "در گفتگو", "Prospecting": "سرنخ‌یابی", "Won": "برد", "Lost": "باخت"}
LONG = 120_000  # ms, for thousands of rows on a busy machine
ACCOUNTS = "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n" + (
    "Cancity,retail,2001,718.62,2448,United States,\nBetasoloin,technolgy,1999,251.41,495,,Cancity\n"
)
PIPELINE = (
    "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
    "A1,Agent One,GTX Plus Basic,Cancity,Won,2016-10-20,2017-03-01,1054\n"
    "A2,Agent Two,GTXPro,,Engaging,2016-10-25,,\n"
    "A3,Agent One,MG Special,Betasoloin,Lost,2016-10-25,2017-03-01,0\n"
    "A4,Agent Two,MG Special,,Prospecting,,,\n"
)


@dataclass(frozen=True)
class Pipeline:
    """Two files, and what a careful reader finds in them."""

    accounts: Path
    deals: Path

    def rows(self, path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf8", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def stages(self) -> Counter[str]:
        return Counter(row["deal_stage"] for row in self.rows(self.deals))

    @property
    def won_cents(self) -> int:
        won = (row for row in self.rows(self.deals) if row["deal_stage"] == "Won")
        return sum(int(row["close_value"]) * 100 for row in won)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Give the public pipeline, or a small one of the same shape."""
    if PUBLIC.is_dir():
        return Pipeline(PUBLIC / "accounts.csv", PUBLIC / "sales_pipeline.csv")
    folder = tmp_path_factory.mktemp("pipeline")
    files = Pipeline(folder / "accounts.csv", folder / "sales_pipeline.csv")
    files.accounts.write_text(ACCOUNTS, encoding="utf8")
    files.deals.write_text(PIPELINE, encoding="utf8")
    return files


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Give a running demo of this file's own."""
    found = Demo(tmp_path_factory.mktemp("first-day") / "var", free_port(), free_port())
    found.start()
    found.wait_for(is_ready)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """Give one browser to the whole day."""
    opened = Browser(chromium)
    yield opened
    opened.close_pages()


@pytest.fixture(scope="module")
def manager(demo: Demo, browser: Browser) -> Page:
    """Give the page of the manager, signed in in Persian."""
    page = browser.open(base_url=demo.url, locale="fa")
    page.goto("/sign-in?lang=fa")
    page.locator("input[name=email]").fill("manager@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("h1")).to_be_visible()
    return page


@pytest.fixture(scope="module")
def api(demo: Demo) -> requests.Session:
    """Give the JSON door, with a token of the manager."""
    said = daftar(demo, "token", "create", "--user", "manager@example.com", "--name", "Journey")
    caller = requests.Session()
    token = next(word for word in said.split() if len(word) > 30)
    caller.headers.update({"Authorization": f"Bearer {token}", "Accept-Language": "en"})
    return caller


def daftar(demo: Demo, *words: str, code: int = 0) -> str:
    """Run a command on the demo's home and return what it printed."""
    result = run("--home", str(demo.home), *words)
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


def bring_in(page: Page, kind: str, file: Path) -> None:
    """Import a file from the first page to the last, as dollars."""
    page.goto("/imports/new")
    page.locator(f"input[name=kind][value={kind}]").check()
    page.locator("input[type=file]").set_input_files(file)
    page.locator("#upload button[type=submit]").click()
    expect(page.locator("h1")).to_contain_text(file.name)
    page.locator("[name=currency]").first.select_option("USD")
    page.locator("button[name=step][value=run]").click()
    expect(page.locator("form[action$='/undo'] button")).to_be_visible(timeout=LONG)


def every(
    api: requests.Session, demo: Demo, path: str, asked: dict[str, str]
) -> Iterator[dict[str, object]]:
    """Yield the records of a list, page by page."""
    query = {f"filter[{name}]": value for name, value in asked.items()} | {"limit": "200"}
    while True:
        answer = api.get(f"{demo.url}/api/v1/{path}", params=query, timeout=60)
        assert answer.status_code == 200, answer.text
        yield from answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return
        query["cursor"] = answer.json()["next_cursor"]


def count(api: requests.Session, demo: Demo, path: str, **asked: str) -> int:
    """Count the records of a list."""
    return sum(1 for _record in every(api, demo, path, asked))


def won_cents(api: requests.Session, demo: Demo) -> int:
    """Add up what was won in dollars under an id of its own."""
    asked = {"status": "won", "currency": "USD", "external_id][empty": "false"}
    return sum(int(str(deal["amount"])) for deal in every(api, demo, "deals", asked))


def test_both_files_are_imported_in_persian_and_nothing_is_lost(
    manager: Page, demo: Demo, api: requests.Session, pipeline: Pipeline
) -> None:
    companies, deals = count(api, demo, "companies"), count(api, demo, "deals")
    accounts = pipeline.rows(pipeline.accounts)

    bring_in(manager, "companies", pipeline.accounts)
    bring_in(manager, "deals", pipeline.deals)

    assert count(api, demo, "companies") - companies == len(accounts)
    assert count(api, demo, "deals") - deals == pipeline.stages.total()
    assert won_cents(api, demo) == pipeline.won_cents
    known = api.get(f"{demo.url}/api/v1/stages", timeout=60).json()["items"]
    by_name = {stage["name"]: str(stage["id"]) for stage in known}
    for word, name in STAGES.items():
        asked = {"stage_id": by_name[name], "external_id][empty": "false"}
        assert count(api, demo, "deals", **asked) == pipeline.stages[word]


def test_a_second_import_of_the_same_file_creates_nothing_twice(
    manager: Page, demo: Demo, api: requests.Session, pipeline: Pipeline
) -> None:
    before = count(api, demo, "companies")

    bring_in(manager, "companies", pipeline.accounts)

    assert count(api, demo, "companies") == before


def test_a_deal_is_moved_by_keyboard_gets_a_task_and_shows_both_on_its_timeline(
    manager: Page,
) -> None:
    page = manager
    page.goto("/deals")
    expect(page.locator("daftar-board[data-ready]")).to_be_visible()
    card = page.locator("[data-column]").first.locator("[data-card]").first
    number = card.get_attribute("data-card")
    second = page.locator("[data-column]").nth(1)
    name = second.get_attribute("data-column-name") or ""

    card.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowLeft")  # in a page from right to left, the next stage is on the left
    page.keyboard.press("Enter")
    expect(second.locator(f"#card-{number}:not([aria-busy])")).to_be_visible()

    page.goto(f"/deals/{number}")
    composer = page.locator("[data-composer]")
    composer.locator("input[value=task]").check(force=True)
    composer.locator("[name=subject]").fill("پیش‌فاکتور را بفرست")
    composer.locator("button[type=submit]").click()
    expect(page.locator("#timeline-planned")).to_contain_text("پیش‌فاکتور را بفرست")
    expect(page.locator("#timeline-panel")).to_contain_text(name)


def test_a_backup_is_made_proved_and_confirmed(demo: Demo) -> None:
    made = json.loads(daftar(demo, "backup", "run", "--json"))
    daftar(demo, "backup", "verify", "--latest", "--json")
    daftar(demo, "backup", "confirm", made["id"], "--by", "manager@example.com")

    newest = json.loads(daftar(demo, "backup", "list", "--json"))["items"][0]
    assert (newest["id"], newest["state"]) == (made["id"], "confirmed")


def test_fewer_seats_arrive_by_check_in_and_the_next_user_is_refused_with_the_cap(
    demo: Demo,
) -> None:
    sold = json.loads(daftar(demo, "license", "status", "--json"))["license_id"]
    program, home = Path(sys.executable).parent / "daftar-authority", demo.var / "demo-authority"
    command = [program, "--home", home, "license", "set-seats", sold, "--seats", "4"]
    subprocess.run(command, check=True)

    daftar(demo, "license", "check-in")
    said = daftar(demo, "user", "add", "--email", "e@example.com", "--name", "Eve", code=4)

    assert re.search(r"\b4\b", said)
    assert json.loads(daftar(demo, "license", "status", "--json"))["seats"]["named"]["cap"] == 4


@pytest.fixture
def place(tmp_path: Path, port: int) -> Place:
    """Give a second server on which nothing is installed yet."""
    return Place(tmp_path, port).prepare()


def test_the_same_code_does_not_activate_a_second_home(demo: Demo, place: Place) -> None:
    root = demo.var / "demo-authority" / "trust" / "root.json"
    (place.folder / "root.json").write_bytes(root.read_bytes())
    online = {"authority_urls": [f"http://127.0.0.1:{demo.authority_port}"], "offline": False}
    assert place.write(license=online).install().exit_code == 0
    code = json.loads((demo.var / "demo-authority" / "demo-license.json").read_text())["code"]

    result = place.run("license", "activate", code)

    assert result.exit_code == 4
    assert "E_ALREADY_ACTIVE" in result.stderr


def test_the_authority_ends_and_work_goes_on(demo: Demo, manager: Page) -> None:
    os.kill(process_of(demo.authority_port), signal.SIGTERM)
    wait_until(lambda: is_silent(demo.authority_port))

    daftar(demo, "license", "check-in", code=5)
    manager.goto("/companies/new")
    manager.locator("[name=name]").fill("شرکت بدون خط")
    manager.locator("#company-form button[type=submit]").click()

    expect(manager.locator("h1")).to_contain_text("شرکت بدون خط")
    assert "Daftar goes on without it" in demo.log.read_text()
