"""The browser's door for every room behind it: visitors without a browser, and pages in a real one.

A room that needs something else of the same name has it in a conftest of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import event
from werkzeug.serving import WSGIRequestHandler, make_server

from server.app import SESSION_COOKIE, create_app
from server.audit.service import watch
from server.core.actor import SYSTEM, Actor
from server.core.config import Organization, Security, Settings
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.http.app import DaftarFlask
from server.users.queries import get_user
from server.users.service import ProfileChange, change_user
from server.users.sign_in import Visitor as Device
from server.users.sign_in import open_session
from tests.client_web.kit.conftest import UNFINISHED
from tests.server.conftest import Cast, people
from tests.support.browser import Browser
from tests.support.templates import Compiled
from tests.support.visitor import PageVisitor

COMPILED = Compiled()
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


class Visitor(PageVisitor):
    """Somebody with a browser of their own, signed in or not, who opens pages and sends forms."""

    forms = ("/settings/profile",)


Visit = Callable[..., Visitor]
OpenPage = Callable[..., Page]


@pytest.fixture
def cast(database: Database) -> Cast:
    """Give the fixed cast, in a database whose changes are audited."""
    watch(database)
    return people(database)


@pytest.fixture
def board() -> EntitlementsBoard:
    """Give the licence's verdict, which a test may change."""
    return EntitlementsBoard(UNLIMITED)


@pytest.fixture
def app(tmp_path: Path, database: Database, board: EntitlementsBoard) -> DaftarFlask:
    """Give the whole application."""
    secrets = tmp_path / "home" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "web.key").write_bytes(b"k" * 32)
    settings = Settings(
        home=tmp_path / "home",
        organization=replace(
            Organization(), name="Pars", locale="en", timezone="UTC", currency="USD"
        ),
        security=Security(argon2_memory_kib=1024, argon2_rounds=1),
    )
    made = create_app(settings, database, board)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    made.jinja_env.bytecode_cache = COMPILED
    return made


def cookie_of(database: Database, actor: Actor, device: str = LINUX) -> str:
    """Return the secret of a browser in which this member of the cast is signed in."""
    with database.write(SYSTEM) as session:
        user = get_user(session, SYSTEM, actor.user_id or 0)
        return open_session(session, user, Device("192.0.2.7", device), hours=8)


@pytest.fixture
def visit(app: DaftarFlask, database: Database) -> Visit:
    """Let somebody arrive: `visit(cast.anna)` is signed in, `visit()` is a stranger."""

    def arrive(actor: Actor | None = None) -> Visitor:
        client = app.test_client()
        if actor is not None:
            client.set_cookie(SESSION_COOKIE, cookie_of(database, actor))
        return Visitor(client)

    return arrive


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Give the statements that run inside the block."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve the application inside the block; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(app: DaftarFlask) -> Iterator[str]:
    """Give the address of the running application."""
    with serving(app) as found:
        yield found


@pytest.fixture
def open_page(address: str, database: Database, browser: Browser) -> OpenPage:
    """Open a page as a member of the cast who reads `lang`; a breach of the content policy fails the test."""

    def open_one(path: str, actor: Actor, lang: str = "en", **screen: int | str) -> Page:
        with database.write(SYSTEM) as session:
            change_user(session, SYSTEM, actor.user_id or 0, ProfileChange(locale=lang))
        page = browser.open(base_url=address, locale=lang, **screen)  # type: ignore[arg-type] # width, scheme
        page.on("console", lambda said: _listen(browser, said.text))
        page.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": cookie_of(database, actor), "url": address}]
        )
        page.goto(path)
        expect(page.locator(UNFINISHED)).to_have_count(0)
        return page

    return open_one


def _listen(browser: Browser, text: str) -> None:
    if "Content Security Policy" in text:
        browser.troubles.append(text)
