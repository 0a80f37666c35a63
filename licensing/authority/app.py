"""make_authority(): the only place where the vendor's side meets."""

from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from licensing.authority.activations.api import DESK, TURNSTILE
from licensing.authority.activations.api import blueprint as protocol
from licensing.authority.activations.desk import Desk
from licensing.authority.config import CHALLENGE_SECRET, WEB_SECRET, Settings
from licensing.authority.console.door import authenticator, error_page, open_console
from licensing.authority.keys.store import Keys
from licensing.authority.limits.service import Turnstile
from licensing.authority.monitoring.api import blueprint as monitoring
from licensing.document.errors import Code
from server.core.config import read_secret
from server.core.db import Database
from server.core.i18n import gettext as _
from server.core.version import VERSION
from server.http.app import DaftarFlask, csrf, make_app
from server.http.door import Door
from server.http.errors import on_busy, problem

_WAITED_TOO_LONG = ("locked", "lock timeout", "deadlock detected")


def make_authority(settings: Settings, database: Database, keys: Keys) -> DaftarFlask:
    """Return the vendor's authority as one WSGI application."""
    door = Door(
        database=database,
        secret_key=read_secret(settings.secrets_dir, WEB_SECRET),
        authenticate=authenticator(database),
        page_of_error=error_page if settings.console.enabled else None,
        https=settings.console.https,
        api_prefixes=("/v1/", "/healthz", "/metrics"),
    )
    app = make_app(
        "licensing.authority", door, title="Daftar authority", version=VERSION, static_folder=None
    )
    secret = read_secret(settings.secrets_dir, CHALLENGE_SECRET)
    app.extensions[DESK] = Desk(settings, keys, secret)
    app.extensions[TURNSTILE] = Turnstile(database)
    app.register_error_handler(OperationalError, _on_operational_error)
    # Who signs the body needs no cookie, and a foreign site cannot sign.
    csrf.exempt(protocol)
    app.register_blueprint(protocol)
    app.register_blueprint(monitoring)
    if settings.console.enabled:
        open_console(app, settings, keys)
    return app


def _on_operational_error(error: OperationalError) -> ResponseReturnValue:
    """Tell a wait that took too long from a database that is away; neither changed anything."""
    if any(words in str(error.orig) for words in _WAITED_TOO_LONG):
        sentence = _("Another request for this licence is being answered. Try again in a moment.")
        answer = problem(409, Code.E_BUSY.value, sentence)
        answer.headers["Retry-After"] = "5"
        return answer
    return on_busy(error)
