"""The console with its cast: Root owns, Anna sells, Ben supports, Guest audits. A vendor with a shop behind it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect
from werkzeug.test import TestResponse

from licensing.authority.app import make_authority
from licensing.authority.config import Settings, load_settings
from licensing.authority.console.desk import COOKIE
from licensing.authority.staff.models import StaffMember
from licensing.authority.staff.queries import browser_of, find_member
from licensing.authority.staff.rules import Role
from licensing.authority.staff.sealing import Sealing, open_sealing
from licensing.authority.staff.second_factor import keep_secret
from licensing.authority.staff.service import StaffDraft, add_member
from licensing.authority.staff.sign_in import Place, begin, finish
from server.core import clock
from server.http.app import DaftarFlask
from tests.client_web.conftest import serving
from tests.client_web.kit.conftest import UNFINISHED
from tests.licensing.authority.conftest import inside
from tests.licensing.authority.stage import Vendor, found_vendor, open_vendor
from tests.licensing.authority.stranger import Reply, Send
from tests.support.browser import Browser
from tests.support.templates import Compiled
from tests.support.visitor import PageVisitor

COMPILED = Compiled()
PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ROLES = {"Root": Role.OWNER, "Anna": Role.SALES, "Ben": Role.SUPPORT, "Guest": Role.AUDITOR}


def email_of(name: str) -> str:
    return f"{name.lower()}@example.com"


class Visitor(PageVisitor):
    """Somebody with a browser of their own, who opens pages and sends forms."""

    forms = ("/console/sign-in", "/console/account")

    def follow(self, answer: TestResponse) -> str:
        """Go where the answer leads, and return the text of that page."""
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return self.read(answer.headers["Location"])


Visit = Callable[..., Visitor]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def founded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the home of an authority that nobody has used."""
    home = tmp_path_factory.mktemp("console") / "authority"
    settings = found_vendor(home)
    open_sealing(settings.secrets_dir)
    return home


@pytest.fixture
def shop(founded_home: Path, tmp_path: Path) -> Iterator[Vendor]:
    """Give an authority of its own to the test, with its cast on the staff. test_on_postgresql.py has another."""
    home = tmp_path / "authority"
    shutil.copytree(founded_home, home)
    yield from opened_shop(load_settings(home))


def opened_shop(settings: Settings) -> Iterator[Vendor]:
    """Let the cast on the staff of an authority, and close it afterwards."""
    opened = open_vendor(settings, lambda *_request: pytest.fail("no line"))
    opened.send = _line_when_needed(opened)
    with opened.database.write() as session:
        for name, role in ROLES.items():
            draft = StaffDraft(email_of(name), name, role, "en", PASSWORD)
            keep_secret(sealing_of(opened), add_member(session, "Root", draft), SECRET)
    yield opened
    opened.database.dispose()


def _line_when_needed(shop: Vendor) -> Send:
    """Return a line to the authority that is laid at its first use."""

    def send(method: str, path: str, body: bytes | None) -> Reply:
        shop.send = inside(shop)
        return shop.send(method, path, body)

    return send


def sealing_of(shop: Vendor) -> Sealing:
    return open_sealing(shop.settings.secrets_dir)


@pytest.fixture
def app(shop: Vendor) -> DaftarFlask:
    """Give the authority as one application."""
    made = make_authority(shop.settings, shop.database, shop.keys)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    made.jinja_env.bytecode_cache = COMPILED
    return made


def cookie_of(shop: Vendor, name: str) -> str:
    """Return the cookie of a browser in which this member of the cast has just signed in."""
    sealing = sealing_of(shop)
    with shop.database.write() as session:
        member = find_member(session, email_of(name))
        half = begin(session, sealing, member, Place("192.0.2.7", "Firefox on Linux"))
        found = browser_of(session, half)
        assert found is not None
        return finish(session, *found, hours=8)


def member_of(shop: Vendor, name: str) -> StaffMember:
    with shop.database.read() as session:
        return find_member(session, email_of(name))


@pytest.fixture
def visit(app: DaftarFlask, shop: Vendor) -> Visit:
    """Let somebody arrive: `visit("Root")` is signed in, `visit()` is a stranger."""

    def arrive(name: str | None = None) -> Visitor:
        client = app.test_client()
        if name is not None:
            client.set_cookie(COOKIE, cookie_of(shop, name), path="/console")
        return Visitor(client)

    return arrive


def code_now(secret: str = SECRET, later: int = 0) -> str:
    """Return the code that an app shows now, or so many steps later."""
    return pyotp.TOTP(secret).generate_otp(int(clock.now().timestamp()) // 30 + later)


@pytest.fixture
def open_page(app: DaftarFlask, shop: Vendor, browser: Browser) -> Iterator[OpenPage]:
    """Open a page of the console in a real browser as a member of the cast who reads `lang`."""
    with serving(app) as address:

        def open_one(path: str, name: str, lang: str = "en", **screen: int | str) -> Page:
            with shop.database.write() as session:
                find_member(session, email_of(name)).locale = lang
            page = browser.open(base_url=address, locale=lang, **screen)  # type: ignore[arg-type] # width, scheme
            page.on("console", lambda said: _listen(browser, said.text))
            cookie = {"name": COOKIE, "value": cookie_of(shop, name), "url": f"{address}/console"}
            page.context.add_cookies([cookie])  # type: ignore[list-item] # a plain dict will do
            page.goto(path)
            expect(page.locator(UNFINISHED)).to_have_count(0)
            return page

        yield open_one


def _listen(browser: Browser, text: str) -> None:
    if "Content Security Policy" in text:
        browser.troubles.append(text)
