"""While records can only be read no page offers a form that would be refused, and nothing typed is lost."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard, Facts, Notice
from server.http.app import DaftarFlask
from server.http.licence_gate import is_shut
from tests.client_web.conftest import Visit
from tests.server.conftest import Cast
from tests.server.http.walk import become, routes, write_some_records

READ_ONLY = replace(
    UNLIMITED,
    mode="read_only",
    reason="seats_over_cap",
    notices=(Notice("seats_over_cap", "everybody", "danger", mode="read_only"),),
    facts=Facts(named_used=4, named_cap=2),
)
SENDS = ("hx-post", "hx-put", "hx-patch", "hx-delete")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Give a database; what pages offer does not depend on its kind."""
    return sqlite_database


class Offers(HTMLParser):
    """Gathers where a page can send something, without what is disabled."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._form: str | None = None
        self._disabled_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "fieldset" and (self._disabled_depth or "disabled" in given):
            self._disabled_depth += 1
        if tag == "form" and (given.get("method") or "").lower() == "post":
            self._form = given.get("action") or "here"
        off = self._disabled_depth or "disabled" in given
        submits = given.get("type", "submit" if tag == "button" else "") in {"submit", "checkbox"}
        if self._form and not off and submits:
            self.found.append(self._form)
        if tag != "form" and not off:
            self.found += [given[name] or "" for name in SENDS if name in given]

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset" and self._disabled_depth:
            self._disabled_depth -= 1
        if tag == "form":
            self._form = None


def offered(page: str) -> list[str]:
    """Return the addresses of ours that the page would send something to."""
    seen = Offers()
    seen.feed(page)
    return [address for address in seen.found if address]


def test_no_page_offers_what_would_be_refused(
    app: DaftarFlask, database: Database, board: EntitlementsBoard, cast: Cast
) -> None:
    write_some_records(app, database, cast)
    become(app, cast.root)
    client = app.test_client()
    usual = offered(client.get("/companies/new").get_data(as_text=True))
    board.publish(READ_ONLY)
    pages, wrong = 0, []
    for route in routes(app):
        if route.method != "GET" or route.path.startswith("/api/"):
            continue
        answer = client.get(route.path)
        if answer.status_code != 200 or "html" not in answer.content_type:
            continue
        pages += 1
        with app.test_request_context(route.path):
            wrong += [
                (route.path, address)
                for address in offered(answer.get_data(as_text=True))
                if is_shut(route.path if address == "here" else address)
            ]

    assert "/companies/new" in usual
    assert pages > 30
    assert wrong == []


def test_a_form_says_so_before_anybody_types(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    board.publish(READ_ONLY)

    page = visit(cast.anna).read("/companies/new")

    assert "the licence allows reading only" in page
    assert '<fieldset class="k-shut" disabled>' in page
    assert 'role="alert"' in page


def test_buttons_that_lead_to_forms_are_not_shown(
    app: DaftarFlask, visit: Visit, cast: Cast, database: Database, board: EntitlementsBoard
) -> None:
    write_some_records(app, database, cast)
    before = visit(cast.root).read("/companies")
    board.publish(READ_ONLY)
    after = visit(cast.root).read("/companies")

    assert 'href="/companies/new"' in before
    assert 'href="/companies/new"' not in after


def test_what_was_typed_stands_on_the_refusal_and_can_be_sent_again(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    anna = visit(cast.anna)
    anna.read("/companies/new")
    board.publish(READ_ONLY)
    notes = "A long note\nabout <b>Pars</b>, which took an hour to write"

    refused = anna.post("/companies/new", name="Pars Trading", notes=notes)
    page = refused.get_data(as_text=True)
    board.publish(UNLIMITED)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    sent = anna.post("/companies/new", name=fields["name"], notes=notes)

    assert refused.status_code == 402
    assert "It is not lost" in page
    assert "&lt;b&gt;Pars&lt;/b&gt;" in page
    assert 'action="/companies/new"' in page
    assert sent.status_code == 302


def test_passwords_are_never_shown_again(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    anna = visit(cast.anna)
    anna.read("/")
    board.publish(READ_ONLY)

    page = anna.post("/companies/new", name="Pars", new_password="hush-hush").get_data(as_text=True)

    assert "hush-hush" not in page


def test_another_site_cannot_choose_what_our_page_offers_to_send(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    anna = visit(cast.anna)
    board.publish(READ_ONLY)

    answer = anna.client.post("/companies/new", data={"name": "Planted", "csrf_token": "made up"})

    assert answer.status_code == 402
    assert "Planted" not in answer.get_data(as_text=True)


def test_a_part_of_a_page_that_sends_hears_why_with_the_way(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    anna = visit(cast.anna)
    anna.read("/")
    board.publish(READ_ONLY)

    answer = anna.client.post(
        "/companies/new",
        data={"csrf_token": anna.token, "name": "Pars"},
        headers={"HX-Request": "true"},
    )

    assert answer.status_code == 402
    assert "licence allows reading only" in answer.headers["HX-Trigger"]
    assert '"url": "/license"' in answer.headers["HX-Trigger"]


def test_a_part_that_looks_again_by_itself_gives_way_to_the_page(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    anna = visit(cast.anna)
    board.publish(replace(UNLIMITED, mode="locked", reason="term_ended"))

    answer = anna.client.get("/companies", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Refresh"]) == (402, "true")
    assert "HX-Trigger" not in answer.headers


def test_the_banner_that_stops_work_cannot_be_put_away(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    board.publish(READ_ONLY)
    anna = visit(cast.anna)

    before = anna.read("/companies")
    anna.post("/banners/put-away", key="seats_over_cap.read_only")
    after = anna.read("/companies")

    for page in (before, after):
        banner = page.split('class="k-banners"')[1].split("<main")[0]
        assert "Nothing can be changed at the moment" in banner
        assert "put-away" not in banner


def test_a_warning_is_put_away_for_the_day_and_comes_back_worse(
    visit: Visit, cast: Cast, board: EntitlementsBoard
) -> None:
    warning = Notice("no_contact", "everybody", "warning", mode="warn_users")
    board.publish(replace(UNLIMITED, mode="warn_users", reason="no_contact", notices=(warning,)))
    anna = visit(cast.anna)
    shown = anna.read("/companies")
    put_away = anna.client.post(
        "/banners/put-away",
        data={"csrf_token": anna.token, "key": "no_contact.warn_users"},
        headers={"HX-Request": "true"},
    )
    hushed = anna.read("/companies")
    worse = replace(warning, mode="read_only", level="danger")
    board.publish(replace(UNLIMITED, mode="read_only", reason="no_contact", notices=(worse,)))
    stopped = anna.read("/companies")
    board.publish(replace(UNLIMITED, mode="warn_users", reason="no_contact", notices=(warning,)))
    anna.client.set_cookie("daftar_put_away", "2026-01-01:no_contact.warn_users")  # a day gone by
    again = anna.read("/companies")

    assert "has not been reached" in shown
    assert (put_away.status_code, put_away.data) == (200, b"")
    assert "has not been reached" not in hushed
    assert "Nothing can be changed at the moment" in stopped
    assert "has not been reached" in again


@pytest.mark.parametrize("key", ["", "x" * 65, "<script>", "a,b"])
def test_only_a_notice_can_be_put_away(visit: Visit, cast: Cast, key: str) -> None:
    assert visit(cast.anna).post("/banners/put-away", key=key).status_code == 422
