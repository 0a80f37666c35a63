"""A walk along every route of the application, those of tomorrow included."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from server.core.actor import Actor
from server.core.db import Database
from server.http.access import Access, access_of
from server.http.app import DaftarFlask
from server.tables import metadata
from tests.server.conftest import Cast, api_of

SAFE = {"GET", "HEAD", "OPTIONS"}
FILES = "static"


@dataclass(frozen=True)
class Route:
    """One method of one address. Numbers in it are 1, words are `x`."""

    method: str
    path: str
    endpoint: str
    access: Access | None

    @property
    def is_api(self) -> bool:
        """Tell whether programs come in here."""
        return self.path.startswith("/api/v1/")

    @property
    def is_safe(self) -> bool:
        """Tell whether the method only reads."""
        return self.method in SAFE

    @property
    def known_access(self) -> Access:
        """Return what the route asks of its visitor."""
        assert self.access is not None, self
        return self.access

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: DaftarFlask) -> list[Route]:
    """Return every route but that of the built files, in order of their addresses."""
    adapter = app.url_map.bind("localhost")
    found = [
        Route(
            method, adapter.build(rule.endpoint, _values(rule)), rule.endpoint, _access(app, rule)
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint != FILES
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    return sorted(found, key=lambda route: (route.path, route.method))


def _values(rule: Rule) -> dict[str, object]:
    return {
        name: 1 if type(converter).__name__ == "IntegerConverter" else "x"
        for name, converter in rule._converters.items()
    }


def _access(app: DaftarFlask, rule: Rule) -> Access | None:
    return access_of(app.view_functions[rule.endpoint])


def csrf_token(client: FlaskClient) -> str:
    """Return the token of this browser's forms."""
    page = client.get("/sign-in?lang=en").get_data(as_text=True)
    return page.split('name="csrf_token" value="')[1].split('"')[0]


def become(app: DaftarFlask, actor: Actor | None) -> None:
    """Let every request of this application come from the actor."""
    app.extensions["daftar.door"].authenticate = lambda _request: actor


@dataclass(frozen=True)
class Walker:
    """A visitor with a valid form token who tries one route after the other."""

    client: FlaskClient
    token: str

    def visit(self, route: Route) -> TestResponse:
        """Knock at one route with an empty body."""
        headers = {"Accept-Language": "en", "If-Match": '"1"'}
        if route.is_api:
            body: dict[str, object] | None = None if route.is_safe else {}
            return self.client.open(route.path, method=route.method, json=body, headers=headers)
        headers["X-CSRFToken"] = self.token
        return self.client.open(route.path, method=route.method, headers=headers)


def walker(app: DaftarFlask, actor: Actor | None) -> Walker:
    """Return a visitor who is this actor, or a stranger."""
    become(app, None)
    client = app.test_client()
    token = csrf_token(client)
    become(app, actor)
    return Walker(client, token)


def all_rows(database: Database) -> str:
    """Return a fingerprint of every row of every table."""
    seen = hashlib.sha256()
    with database.read() as session:
        for table in metadata.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in session.execute(select(table)))
            seen.update(f"{table.name}{rows}".encode())
    return seen.hexdigest()


def write_some_records(app: DaftarFlask, database: Database, cast: Cast) -> None:
    """Write down one record of each kind, by the API, so that pages have something to show."""
    api = api_of(app, database, cast.root)
    for path, body in _bodies():
        answer = api.client.post(f"/api/v1/{path}", json=body, headers=api.headers)
        assert answer.status_code == 201, (path, answer.get_json())


def _bodies() -> Iterator[tuple[str, dict[str, object]]]:
    yield "companies", {"name": "Pars Trading"}
    yield "people", {"first_name": "Sara", "last_name": "Karimi", "company_id": 1}
    yield "pipelines", {"name": "Selling"}
    yield "stages", {"pipeline_id": 1, "name": "Talking"}
    yield "deals", {"title": "Chairs", "company_id": 1, "amount": 100, "currency": "USD"}
    yield "activities", {"kind": "note", "subject": "Called", "links": [{"type": "deal", "id": 1}]}
