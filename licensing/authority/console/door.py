"""The console's door: who knocks, templates, the frame around every page, and one room for each kind of page."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from flask import Flask, Request, get_flashed_messages, render_template, request, url_for
from flask import g as context

from client_web.kit.assets import STATIC, TEMPLATES, Assets
from licensing.authority.config import Settings
from licensing.authority.console import (
    account,
    activations,
    audit,
    confirm,
    customers,
    deliveries,
    entry,
    flags,
    home,
    issuing,
    keys,
    license_changes,
    licenses,
    offline,
    refunds,
    staff,
)
from licensing.authority.console.desk import CONSOLE, COOKIE, PATH, Console
from licensing.authority.console.words import install_words
from licensing.authority.keys.store import Keys
from licensing.authority.staff.queries import operator_of
from licensing.authority.staff.sealing import open_sealing
from server.core.actor import Actor
from server.core.db import Database
from server.core.format import Display, set_display
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.http.pages import install_templates, serve_static

ROOMS = (
    entry,
    confirm,
    home,
    customers,
    licenses,
    license_changes,
    issuing,
    activations,
    flags,
    offline,
    refunds,
    keys,
    deliveries,
    staff,
    audit,
    account,
)

MenuRow = tuple[str, str, str, str | None, str]  # endpoint, words, icon, permission, key of `g key`

MENU: tuple[MenuRow, ...] = (
    ("home.page", mark("Home"), "home", None, "h"),
    ("customers.page", mark("Customers"), "building", "customers.see", "c"),
    ("licenses.page", mark("Licences"), "license", "licenses.see", "l"),
    ("activations.page", mark("Servers"), "server", "licenses.see", "s"),
    ("flags.page", mark("Flags"), "flag", "flags.see", "f"),
    ("offline.page", mark("Offline requests"), "qrcode", "offline.answer", "o"),
    ("refunds.page", mark("Refunds"), "cash", "refunds.pay", "r"),
    ("deliveries.page", mark("Deliveries"), "mail", "deliveries.see", "d"),
)
HOUSE_MENU: tuple[MenuRow, ...] = (
    ("keys.page", mark("Keys"), "key", "keys.see", "k"),
    ("staff.page", mark("Staff"), "users", "staff.see", "t"),
    ("audit.page", mark("Audit trail"), "history", "audit.see", "a"),
)


def authenticator(database: Database) -> Callable[[Request], Actor | None]:
    """Return what finds out who is behind a request; only pages of the console have cookies."""

    def authenticate(incoming: Request) -> Actor | None:
        secret = incoming.cookies.get(COOKIE)
        if not secret or not is_ours(incoming.path):
            return None
        with database.read() as session:
            return operator_of(session, secret)

    return authenticate


def is_ours(path: str) -> bool:
    """Tell whether the address belongs to the console."""
    return path == PATH or path.startswith(f"{PATH}/")


def open_console(app: Flask, settings: Settings, signing: Keys) -> None:
    """Mount every page of the console on the application."""
    app.extensions[CONSOLE] = Console(settings, signing, open_sealing(settings.secrets_dir))
    # A name and a path of their own: the CRM may answer on another port of the same host.
    app.config.update(
        SESSION_COOKIE_NAME="daftar_console_form",
        SESSION_COOKIE_PATH=PATH,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    assets = Assets(prefix="/static")
    install_templates(app, [Path(__file__).parent / "templates", TEMPLATES], assets)
    serve_static(app, STATIC, assets.is_lasting)
    install_words(app)
    for room in ROOMS:
        app.register_blueprint(room.blueprint, url_prefix=PATH)
    app.extensions["sign_in"] = "entry.sign_in"
    app.context_processor(_frame)

    @app.before_request
    def _show_things_the_readers_way() -> None:
        set_display(Display(zone=settings.selling.timezone))


def _frame() -> dict[str, object]:
    if not is_ours(request.path):
        return {}
    flashed = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    frame: dict[str, object] = {
        "product_name": _("Daftar console"),
        "home_url": url_for("home.page"),
        "toasts": [{"text": text, "level": level} for level, text in flashed],
        "navigation": [],
        "account_menu": [],
        "banners": [],
    }
    actor: Actor | None = context.get("actor")
    if actor is not None:
        frame["navigation"] = _rows(actor, MENU, None) + _rows(actor, HOUSE_MENU, _("Authority"))
        frame["account_menu"] = [
            {"label": _("Your account"), "url": url_for("account.page"), "icon": "user"},
            {"label": _("Sign out"), "post": url_for("entry.sign_out"), "icon": "logout"},
        ]
    return frame


def _rows(actor: Actor, menu: tuple[MenuRow, ...], heading: str | None) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    here = _ROOM_OF.get((request.blueprint or ""), request.blueprint)
    for endpoint, words, icon, permission, key in menu:
        if permission is None or actor.may(permission):
            rows.append(
                {
                    "label": _(words),
                    "url": url_for(endpoint),
                    "icon": icon,
                    "active": here == endpoint.split(".")[0],
                    "key": key,
                    "section": heading if not rows else None,
                }
            )
    return rows


# Rooms whose pages belong to another one in the menu.
_ROOM_OF = {"license_changes": "licenses", "issuing": "licenses"}


def error_page(status: int, code: str, message: str) -> str:
    """Render a refusal as a page: what happened, and the way out."""
    if not is_ours(request.path):
        return message
    titles = {
        401: _("Please sign in"),
        402: _("Not covered"),
        403: _("Not allowed"),
        404: _("Not found"),
        409: _("Not possible now"),
        429: _("Too many attempts"),
    }
    faulty = _("Something went wrong")
    return render_template(
        "kit/error.html",
        status=status,
        title=titles.get(status, faulty if status >= 500 else _("This does not work")),
        message=message,
        code=code,
        reference=context.get("request_id") if status >= 500 else None,
    )
