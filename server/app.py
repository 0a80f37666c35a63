"""create_app(): the only place where everything meets."""

from flask import Request, g

from client_web.door import error_page, open_web
from server import api
from server.activation.service import LicenseOffice
from server.audit.service import watch
from server.backups.service import BackupOffice
from server.core.actor import Actor
from server.core.config import Settings, read_secret
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from server.core.format import Display, set_display
from server.core.passwords import set_cost
from server.core.version import VERSION
from server.http.app import DaftarFlask, make_app
from server.http.door import Door
from server.users.presence import Presence
from server.users.sign_in import actor_of_token, signed_in

SESSION_COOKIE = "daftar_session"
PROGRAMS = ("/api/v1/", "/metrics")  # programs knock here; /api/docs is for people


def _authenticator(database: Database, presence: Presence) -> object:
    def authenticate(incoming: Request) -> Actor | None:
        header = incoming.headers.get("Authorization", "")
        if incoming.path.startswith(PROGRAMS):
            # They have tokens only, so that no other site can use somebody's cookie there.
            scheme, _space, token = header.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                return None
            with database.read() as session:
                program = actor_of_token(session, token.strip())
            if program is not None and program.user_id is not None:
                presence.saw(program.user_id)
            return program
        secret = incoming.cookies.get(SESSION_COOKIE)
        if not secret:
            return None
        with database.read() as session:
            found = signed_in(session, secret)
        g.sign_in = found  # whether the device is connected is asked once it is known where to
        return found.actor if found else None

    return authenticate


def create_app(
    settings: Settings,
    database: Database,
    board: EntitlementsBoard,
    office: LicenseOffice | None = None,
) -> DaftarFlask:
    """Return the whole CRM as one WSGI application; the office is what the licence pages ask."""
    set_cost(memory_kib=settings.security.argon2_memory_kib, rounds=settings.security.argon2_rounds)
    watch(database)
    presence = Presence(database)
    door = Door(
        database=database,
        secret_key=read_secret(settings.secrets, "web.key"),
        authenticate=_authenticator(database, presence),  # type: ignore[arg-type] # a closure
        page_of_error=error_page,
        board=board,
        api_prefixes=PROGRAMS,
        default_locale=settings.organization.locale,
        https=settings.web.https,
    )
    app = make_app("server", door, title="Daftar", version=VERSION, static_folder=None)
    app.extensions["daftar.settings"] = settings
    app.extensions["daftar.office"] = office
    app.extensions["daftar.presence"] = presence
    app.extensions["daftar.backups"] = BackupOffice(settings, database)

    @app.before_request
    def _show_things_the_readers_way() -> None:
        organization = settings.organization
        set_display(Display(zone=organization.timezone, toman=organization.toman))

    api.mount(app)
    # Neither door knows the other: the page of the API asks for its description by this name.
    app.extensions["daftar.describe_api"] = lambda: api.describe(app)
    open_web(app)
    return app
