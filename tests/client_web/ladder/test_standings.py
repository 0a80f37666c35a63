"""Each row of the ladder as people meet it: what happened, what works, what to do; and what is never shut.

Every standing is brought about once for all questions; the last of them also changes something.
"""

import html
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.activation.service import LicenseOffice
from server.app import SESSION_COOKIE, create_app
from server.audit.service import watch
from server.core.actor import Actor
from server.core.config import License, Organization, Security, Settings
from server.core.db import Database
from server.exports.desk import ExportDesk
from server.http.app import DaftarFlask
from server.users.queries import get_user
from server.users.rules import UserStatus
from tests.client_web.conftest import COMPILED, Visitor, cookie_of
from tests.licensing.client.vendor import SHOWN_CODE
from tests.server.conftest import PASSWORD, Cast, api_of, people
from tests.support.licensed import Stage, licensed_stage
from tests.support.standings import STANDINGS, Standing, bring

VENDOR = "Daftar Co, +98 21 1234"

TITLES = {
    "setup-not_activated": ("This server is not activated yet", "Enter the activation code"),
    "setup-not_started": ("The licence starts on", "ask the vendor for an earlier one"),
    "read_only-no_contact": ("Nothing can be changed at the moment", "Look at the diagnosis"),
    "read_only-seats_over_cap": ("Nothing can be changed at the moment", "Deactivate 3 users"),
    "locked-no_contact": ("Daftar is locked", "Look at the diagnosis"),
    "locked-term_ended": ("Daftar is locked: the licence ended on", "Renew with the vendor"),
    "locked-suspended": ("the vendor has suspended the licence", "Ask the vendor why"),
    "locked-revoked": ("the vendor has revoked the licence", "Back up and export"),
    "locked-superseded": ("the licence has moved to another server", "Use the new server"),
    "locked-deactivated": ("the licence was given back", "Activate again"),
    "locked-clone_hold": ("this server seems to exist twice", "Switch one of the two off"),
}


@dataclass
class Server:
    """An installation that stands somewhere on the ladder, and its visitors."""

    standing: Standing
    stage: Stage
    office: LicenseOffice
    app: DaftarFlask
    cast: Cast

    def visit(self, actor: Actor | None = None) -> Visitor:
        """Let somebody arrive, signed in or not."""
        client = self.app.test_client()
        if actor is not None:
            client.set_cookie(SESSION_COOKIE, cookie_of(self.stage.database, actor))
        return Visitor(client)


def _serve(folder: Path, template: Path, name: str, vendor: str = "") -> Iterator[Server]:
    shutil.copyfile(template, folder / "daftar.sqlite3")
    database = Database(f"sqlite:///{folder / 'daftar.sqlite3'}")
    watch(database)
    secrets = folder / "home" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "web.key").write_bytes(b"k" * 32)
    settings = Settings(
        home=folder / "home",
        organization=Organization(name="Pars", locale="en", timezone="UTC"),
        security=Security(argon2_memory_kib=1024, argon2_rounds=1),
    )
    with licensed_stage(settings, database) as stage:
        cast = people(database)
        told = License(authority_urls=stage.settings.license.authority_urls, vendor=vendor)
        stage.settings = replace(stage.settings, license=told)
        office = stage.open_office()
        standing = bring(name, stage, office)
        app = create_app(stage.settings, database, stage.board, office)
        app.testing = True
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.jinja_env.bytecode_cache = COMPILED
        yield Server(standing, stage, office, app, cast)
    database.dispose()


@pytest.fixture(scope="module", params=STANDINGS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Server]:
    """Give an installation in each standing; the tests of one share it."""
    yield from _serve(tmp_path_factory.mktemp("standing"), sqlite_template, request.param, VENDOR)


@pytest.fixture
def led_to(
    tmp_path: Path, sqlite_template: Path, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """Give an installation of this test's own in the standing that it names."""
    yield from _serve(tmp_path, sqlite_template, request.param)


def name_of(server: Server) -> str:
    """Return the standing's name."""
    return f"{server.standing.mode}-{server.standing.reason}"


def text(page: str) -> str:
    """Return what people read."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_every_standing_has_its_words() -> None:
    assert set(TITLES) == set(STANDINGS)


def test_the_administrator_reads_what_happened_and_what_to_do(server: Server) -> None:
    title, step = TITLES[name_of(server)]

    answer = server.visit(server.cast.root).post("/companies/new", name="Kaveh Steel")

    raw = answer.get_data(as_text=True)
    page = text(raw)
    assert answer.status_code == 402
    assert title in page
    assert step in page
    assert "What still works" in page
    assert VENDOR in page
    assert ("Name the licence lic_1." in page) == (server.standing.reason != "not_activated")
    assert 'value="Kaveh Steel"' in raw


def test_a_colleague_reads_whom_to_ask_and_nothing_of_the_vendor(server: Server) -> None:
    title, step = TITLES[name_of(server)]

    answer = server.visit(server.cast.anna).post("/companies/new", name="Kaveh Steel")

    page = text(answer.get_data(as_text=True))
    assert answer.status_code == 402
    assert title in page
    assert "Your administrator: Root." in page
    for fact in (step, "lic_1", VENDOR):
        assert fact not in page


def test_programs_are_told_mode_and_reason(server: Server) -> None:
    standing = server.standing
    api = api_of(server.app, server.stage.database, server.cast.ben)

    answer = api.client.post("/api/v1/companies", json={"name": "Kaveh"}, headers=api.headers)

    problem = answer.get_json()
    assert answer.status_code == 402
    assert answer.content_type == "application/problem+json"
    assert problem["code"] == f"license_{standing.mode}"
    assert (problem["mode"], problem["reason"]) == (standing.mode, standing.reason)


def test_the_sign_in_page_tells_strangers_the_mode_and_no_fact(server: Server) -> None:
    titles = {
        "setup": "This server is not in use yet",
        "read_only": "Nothing can be changed at the moment",
        "locked": "Daftar is locked at the moment",
    }

    raw = server.visit().read("/sign-in")

    page = text(raw)
    assert titles[server.standing.mode] in page
    assert 'name="password"' in raw
    for fact in ("Pars Trading", "lic_1", "Root", VENDOR, "ended", "suspended"):
        assert fact not in page


def test_after_signing_in_everybody_is_led_to_what_is_open(server: Server) -> None:
    title, _step = TITLES[name_of(server)]

    hers = server.visit(server.cast.anna).read("/")
    admins = server.visit(server.cast.root).get("/")

    assert title in text(hers)
    assert "Your administrator: Root." in text(hers)
    assert ('href="/companies"' in hers) == (server.standing.mode == "read_only")
    if server.standing.mode == "setup":
        assert (admins.status_code, admins.location) == (302, "/license")
    elif server.standing.mode == "locked":
        page = admins.get_data(as_text=True)
        for way in ("/license", "/backups", "/exports", "/settings/users"):
            assert f'class="k-way" href="{way}"' in page


def test_what_is_never_shut_works_in_the_browser(server: Server) -> None:
    """licensing.md §1 principle 4, one after the other, as the administrator who signs in now."""
    cast, stage = server.cast, server.stage
    root = server.visit()
    root.get("/sign-in")
    entered = root.post("/sign-in", email="root@example.com", password=PASSWORD)
    reads = {
        path: root.get(path).status_code
        for path in (
            *("/healthz", "/metrics", "/license", "/license/networks", "/backups", "/exports"),
            *("/settings/users", f"/settings/users/{cast.ben.user_id}", "/settings/profile"),
            *("/api/docs", "/api/v1/openapi.json"),
        )
    }
    leaving = root.post(f"/settings/users/{cast.ben.user_id}/deactivate")
    backed_up = root.post("/backups/run")
    verified = root.post("/backups/verify")
    checked = root.post("/license/check-in").status_code
    asked = root.post("/exports")
    ExportDesk(stage.settings, stage.database, server.office, lambda *_ids: cast.root).work_off()
    fetched = root.post("/exports/1/download")
    head = fetched.get_data()[:2]
    fetched.close()

    assert entered.status_code == 302
    assert reads == dict.fromkeys(reads, 200)
    assert leaving.status_code == 302
    with stage.database.read() as session:
        ben = get_user(session, cast.root, cast.ben.user_id or 0)
    assert ben.status is UserStatus.DEACTIVATED
    assert backed_up.status_code == verified.status_code == 302
    assert checked in {302, 402}  # it was asked, and the vendor's answer is told
    assert asked.status_code == 302
    assert (fetched.status_code, head) == (200, b"PK")


@pytest.mark.parametrize("led_to", ["setup-not_activated", "locked-deactivated"], indirect=True)
def test_activating_is_the_way_out(led_to: Server) -> None:
    root = led_to.visit(led_to.cast.root)

    answer = root.post("/license/activate", code=SHOWN_CODE)

    assert answer.status_code == 302
    assert led_to.stage.board.verdict.mode == "ok"
    assert root.get("/companies").status_code == 200


@pytest.mark.parametrize(
    "led_to", ["read_only-no_contact", "locked-no_contact", "locked-suspended"], indirect=True
)
def test_a_good_answer_is_the_way_out(led_to: Server) -> None:
    led_to.stage.vendor.embed = {}
    root = led_to.visit(led_to.cast.root)

    answer = root.post("/license/check-in")

    assert answer.status_code == 302
    assert led_to.stage.board.verdict.mode == "ok"
    assert root.get("/companies/new").status_code == 200


@pytest.mark.parametrize(
    "led_to",
    ["setup-not_started", "read_only-seats_over_cap", "locked-term_ended", "locked-suspended"],
    indirect=True,
)
def test_giving_the_licence_back_works(led_to: Server) -> None:
    answer = led_to.visit(led_to.cast.root).post("/license/deactivate", reason="move")

    assert answer.status_code == 302
    assert led_to.stage.board.verdict.reason == "deactivated"
