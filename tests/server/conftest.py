"""A running CRM without a browser: a migrated database, the fixed cast and an HTTP client."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.app import create_app
from server.audit.service import watch
from server.core.actor import SYSTEM, Actor
from server.core.config import Organization, Security, Settings
from server.core.db import Database
from server.core.entitlements import UNLIMITED, EntitlementsBoard
from server.core.passwords import set_cost
from server.http.app import DaftarFlask
from server.users.rules import Role, UserDraft, UserKind
from server.users.service import create_user, set_seat_caps
from server.users.sign_in import actor_for, create_token

PASSWORD = "correct-horse-1404"


@dataclass(frozen=True)
class Cast:
    """Anna owns, Ben is a colleague, Guest may only look, Root administers."""

    anna: Actor
    ben: Actor
    guest: Actor
    root: Actor


def people(database: Database) -> Cast:
    """Write down the cast and return it; everybody's password is PASSWORD."""
    set_cost(memory_kib=1024, rounds=1)
    made = {}
    with database.write(SYSTEM) as session:
        set_seat_caps(session, {UserKind.HUMAN: 10, UserKind.SERVICE: 2})
        for name, role in (
            ("Anna", Role.SALES),
            ("Ben", Role.SALES),
            ("Guest", Role.VIEWER),
            ("Root", Role.ADMIN),
        ):
            draft = UserDraft(
                email=f"{name.lower()}@example.com",
                display_name=name,
                role=role,
                locale="en",
                password=PASSWORD,
            )
            made[name.lower()] = actor_for(create_user(session, SYSTEM, draft))
    return Cast(**made)


@pytest.fixture
def cast(database: Database) -> Cast:
    """Give the fixed cast, in a database whose changes are audited, once of each kind."""
    watch(database)
    return people(database)


@pytest.fixture
def board() -> EntitlementsBoard:
    """Give the licence's verdict, which a test may change."""
    return EntitlementsBoard(UNLIMITED)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of a home with its secrets."""
    secrets = tmp_path / "home" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "web.key").write_bytes(b"k" * 32)
    return Settings(
        home=tmp_path / "home",
        organization=replace(
            Organization(), name="Pars", locale="en", timezone="UTC", currency="USD"
        ),
        security=Security(argon2_memory_kib=1024, argon2_rounds=1),
    )


@pytest.fixture
def app(settings: Settings, database: Database, board: EntitlementsBoard) -> DaftarFlask:
    """Give the whole application over an empty database of each kind."""
    made = create_app(settings, database, board)
    made.testing = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


@dataclass(frozen=True)
class Api:
    """An HTTP client with the token of one member of the cast."""

    client: FlaskClient
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that identify this member."""
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}


def api_of(app: DaftarFlask, database: Database, actor: Actor) -> Api:
    """Return an API client for one member of the cast."""
    with database.write(SYSTEM) as session:
        token = create_token(session, SYSTEM, actor.user_id or 0, "tests")
    return Api(app.test_client(), token)
