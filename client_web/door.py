"""The browser's door: templates, static files, the frame around every page, and one room a slice."""

from pathlib import Path

from flask import Flask, current_app, g, render_template, request, url_for

from client_web.home import views as home
from client_web.kit.assets import STATIC, TEMPLATES, Assets
from client_web.users import views as users
from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.http.door import door_of
from server.http.pages import install_templates, serve_static

ROOMS = (users, home)

# endpoint, words, icon, permission, key of the shortcut `g key`
MENU: tuple[tuple[str, str, str, str | None, str], ...] = (
    ("home.page", "Home", "home", None, "h"),
)


def open_web(app: Flask) -> None:
    """Mount every page on the application."""
    assets = Assets(prefix="/static")
    install_templates(app, [Path(__file__).parent / "templates", TEMPLATES], assets)
    serve_static(app, STATIC, assets.is_lasting)
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    app.extensions["sign_in"] = "users.sign_in"
    app.context_processor(_frame)


def _navigation(actor: Actor) -> list[dict[str, object]]:
    return [
        {
            "label": _(words),
            "url": url_for(endpoint),
            "icon": icon,
            "active": (request.endpoint or "").split(".")[0] == endpoint.split(".")[0],
            "key": key,
        }
        for endpoint, words, icon, permission, key in MENU
        if permission is None or actor.may(permission)
    ]


def _frame() -> dict[str, object]:
    actor: Actor | None = g.get("actor")
    if actor is None:
        return {"navigation": [], "banners": [], "account_menu": []}
    return {
        "navigation": _navigation(actor),
        "banners": [],
        "account_menu": [
            {"label": _("Sign out"), "post": url_for("users.sign_out"), "icon": "logout"},
        ],
    }


def error_page(status: int, code: str, message: str) -> str:
    """Render a refusal as a page: what happened, and the way out."""
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
