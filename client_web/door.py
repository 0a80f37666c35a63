"""The browser's door: templates, static files, the frame around every page, and one room a slice."""

from dataclasses import asdict
from pathlib import Path
from typing import cast

from flask import (
    Flask,
    current_app,
    g,
    get_flashed_messages,
    render_template,
    request,
    url_for,
)

from client_web import history
from client_web.activities import calendar, tasks
from client_web.activities import views as activities
from client_web.api_docs import views as api_docs
from client_web.audit import views as audit
from client_web.backups import room as backups
from client_web.backups.banner import unchecked_banners
from client_web.companies import views as companies
from client_web.deals import pipelines
from client_web.deals import room as deals
from client_web.exports import views as exports
from client_web.home import views as home
from client_web.imports import views as imports
from client_web.kit.assets import STATIC, TEMPLATES, Assets
from client_web.ladder import networks, refusal
from client_web.ladder import views as ladder
from client_web.ladder.banners import banners
from client_web.license import room as license_pages
from client_web.notices import own as own_notices
from client_web.notices import views as notices
from client_web.people import views as people
from client_web.seats import devices, gate
from client_web.seats import views as seats
from client_web.users import account as accounts
from client_web.users import pages as colleagues
from client_web.users import profile
from client_web.users import views as users
from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.core.i18n import mark
from server.http.door import door_of
from server.http.licence_gate import is_open
from server.http.pages import install_templates, serve_static

ROOMS = (
    users,
    home,
    colleagues,
    license_pages,
    ladder,
    seats,
    devices,
    tasks,
    calendar,
    activities,
    companies,
    people,
    deals,
    pipelines,
    imports,
    exports,
    history,
    accounts,
    profile,
    notices,
    own_notices,
    audit,
    backups,
    api_docs,
)

MenuRow = tuple[str, str, str, str | None, str]  # endpoint, words, icon, permission, key of `g key`

MENU: tuple[MenuRow, ...] = (
    ("home.page", mark("Home"), "home", None, "h"),
    ("tasks.page", mark("Tasks"), "square-check", "activities.see", "t"),
    ("calendar.page", mark("Calendar"), "calendar-event", "activities.see", "k"),
    ("deals.page", mark("Deals"), "target-arrow", "deals.see", "d"),
    ("people.page", mark("People"), "address-book", "people.see", "p"),
    ("companies.page", mark("Companies"), "building", "companies.see", "c"),
)
ADMIN_MENU: tuple[MenuRow, ...] = (
    ("imports.page", mark("Imports"), "table-import", "imports.run", "m"),
    ("exports.page", mark("Export everything"), "package-export", "exports.run", "x"),
    ("pipelines.page", mark("Pipelines"), "chart-funnel", "pipelines.edit", "i"),
    ("colleagues.page", mark("Users"), "users", "users.see", "u"),
    ("backups.page", mark("Backups"), "database-export", "backups.see", "b"),
    ("license.page", mark("Licence"), "license", "license.see", "l"),
    ("notices.page", mark("Warnings"), "bell", "settings.edit", "w"),
    ("audit.page", mark("Audit trail"), "history", "audit.see", "a"),
)


def open_web(app: Flask) -> None:
    """Mount every page on the application."""
    assets = Assets(prefix="/static")
    install_templates(app, [Path(__file__).parent / "templates", TEMPLATES], assets)
    serve_static(app, STATIC, assets.is_lasting)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    app.extensions["sign_in"] = "users.sign_in"
    app.extensions["licence_page"] = "license.page"
    app.before_request(gate.hold_slot)
    app.context_processor(_frame)


def _navigation(actor: Actor) -> list[dict[str, object]]:
    return _rows(actor, MENU, None) + _rows(actor, ADMIN_MENU, _("Administration"))


def _rows(actor: Actor, menu: tuple[MenuRow, ...], heading: str | None) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for endpoint, words, icon, permission, key in menu:
        if (permission is None or actor.may(permission)) and is_open(endpoint):
            rows.append(
                {
                    "label": _(words),
                    "url": url_for(endpoint),
                    "icon": icon,
                    "active": (request.endpoint or "").split(".")[0] == endpoint.split(".")[0],
                    "key": key,
                    "section": heading if not rows else None,
                }
            )
    return rows


def _frame() -> dict[str, object]:
    flashed = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    toasts = [{"text": text, "level": level} for level, text in flashed]
    actor: Actor | None = g.get("actor")
    if actor is None:
        return {
            "navigation": [],
            "banners": _banners(None),
            "account_menu": [],
            "toasts": toasts,
        }
    return {
        "navigation": _navigation(actor),
        "banners": _banners(actor),
        "toasts": toasts,
        "presence_url": url_for("devices.alive"),
        "readable_changes": history.readable_changes,
        "account_menu": [
            {"label": _("Your profile"), "url": url_for("profile.page"), "icon": "user"},
            {"label": _("Sign out"), "post": url_for("users.sign_out"), "icon": "logout"},
        ],
    }


def _banners(actor: Actor | None) -> list[dict[str, object]]:
    shown = [*banners(actor), *unchecked_banners(actor)]
    return [{**asdict(one), "put_away": url_for("ladder.put_away")} for one in shown]


def error_page(status: int, code: str, message: str) -> str:
    """Render a refusal as a page: what happened, and the way out."""
    if code in refusal.CODES:
        return refusal.refusal_page(status)
    if code == "outside_network":
        return networks.outside_page()
    titles = {
        401: _("Please sign in"),
        402: _("Not covered by the licence"),
        403: _("Not allowed"),
        404: _("Not found"),
        409: _("Somebody was faster"),
        412: _("Somebody was faster"),
        429: _("Too many attempts"),
    }
    faulty = _("Something went wrong")
    title = titles.get(status, faulty if status >= 500 else _("This does not work"))
    board = door_of(current_app).board
    to_licence = (
        status == 402 and board is not None and "license.page" in current_app.view_functions
    )
    return render_template(
        "kit/error.html",
        status=status,
        title=title,
        message=message,
        code=code,
        reference=g.get("request_id") if status >= 500 else None,
        action=_("To the licence page") if to_licence else None,
        action_url=url_for("license.page") if to_licence else None,
    )
