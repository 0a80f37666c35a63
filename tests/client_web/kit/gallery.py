"""A small application that shows every part of the kit, served as strictly as the product is.

Run it to look around: `python -m tests.client_web.kit.gallery 8200`.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from flask import Flask, Response, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader, pass_context
from jinja2.runtime import Context
from persiantools.jdatetime import JalaliDateTime
from werkzeug.serving import WSGIRequestHandler, make_server

from client_web.kit.assets import STATIC, TEMPLATES, Assets
from tests.client_web.kit.words import WORDS
from tests.support.templates import Compiled

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
COMPILED = Compiled()
NOON = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@dataclass(frozen=True)
class Someone:
    """Who looks at the gallery."""

    name: str
    initials: str | None = None

    def may(self, _permission: str) -> bool:
        """Return whether they may: here everybody may."""
        return True


class QuietHandler(WSGIRequestHandler):
    """Answers without a line in the log for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@dataclass
class Moves:
    """What the board asked the server for."""

    sent: list[dict[str, str]] = field(default_factory=list)


def lang() -> str:
    """Return the language the address asks for."""
    return request.args.get("lang") or request.cookies.get("lang") or "en"


def gettext(sentence: str, **values: object) -> str:
    """Translate with the gallery's few words."""
    words = WORDS.get(sentence, sentence) if lang() == "fa" else sentence
    return words % values if values else words


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """Translate a sentence that counts."""
    return gettext(one if count == 1 else many, **values)


def digits(text: object) -> str:
    """Return the text in the digits of the reader."""
    return str(text).translate(DIGITS) if lang() == "fa" else str(text)


def show_date(value: datetime) -> str:
    """Return a date in the calendar of the reader."""
    if lang() == "fa":
        return digits(JalaliDateTime.to_jalali(value).strftime("%Y/%m/%d"))  # type: ignore[no-untyped-call] # no stubs
    return value.strftime("%d %b %Y")


# With the context as argument Jinja leaves them to each request; else it works out
# constants once, in the language of whoever came first.
@pass_context
def number(_context: Context, value: int) -> str:
    """Return a number in groups and digits of the reader."""
    return digits(f"{value:,}")


@pass_context
def money(_context: Context, value: int, currency: str) -> str:
    """Return an amount with its currency."""
    return f"{digits(f'{value:,}')} {currency}"


def create_gallery(moves: Moves) -> Flask:
    """Make the application."""
    app = Flask("gallery", static_folder=str(STATIC), static_url_path="/static")
    here = FileSystemLoader(Path(__file__).parent / "templates")
    app.jinja_env.loader = ChoiceLoader([here, FileSystemLoader(TEMPLATES)])
    app.jinja_env.bytecode_cache = COMPILED
    app.jinja_env.globals.update(
        _=gettext, ngettext=ngettext, asset=Assets(), csrf_token=lambda: "token-of-the-gallery"
    )
    app.jinja_env.filters.update(
        date=show_date,
        datetime=lambda value: f"{show_date(value)} {digits(value.strftime('%H:%M'))}",
        ago=lambda _value: "۲ ساعت پیش" if lang() == "fa" else "2 hours ago",
        number=number,
        money=money,
    )
    app.context_processor(_context)
    app.after_request(_strict)
    _add_pages(app)
    _add_answers(app, moves)
    _add_fragments(app)
    return app


def _strict(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _context() -> dict[str, object]:
    locale = lang()
    items = [
        ("Home", "home", "home", None, "h"),
        ("Deals", "list", "target-arrow", 12, "d"),
        ("People", "record", "users", None, "p"),
        ("Companies", "board", "building", None, None),
        ("Calendar", "form", "calendar", None, None),
        ("Tickets", "empty", "ticket", 3, None),
        ("Reports", "missing", "chart-bar", None, None),
        ("Backups", "home", "database-export", None, None),
        ("License", "home", "certificate", None, None),
        ("Settings", "home", "settings", None, "s"),
    ]
    navigation = [
        {
            "label": gettext(label),
            "url": f"/{page}?lang={locale}",
            "icon": icon,
            "badge": digits(badge) if badge else None,
            "active": f"/{page}" == request.path
            and key != "s"
            and label not in {"Backups", "License"},
            "key": key,
            "section": gettext("Administration") if label == "Backups" else None,
        }
        for label, page, icon, badge, key in items
    ]
    return {
        "locale": locale,
        "dir": "rtl" if locale == "fa" else "ltr",
        "calendar": "jalali" if locale == "fa" else "gregorian",
        "actor": Someone("سارا احمدی" if locale == "fa" else "Anna Owen"),
        "navigation": navigation,
        "banners": [
            {"level": "warning", "text": gettext("The license ends in 9 days."), "url": "/home"}
        ]
        if request.path == "/home"
        else [],
        "product_version": "0.1.0",
        "product_name": "دفتر" if locale == "fa" else "Daftar",
        "search_url": "/list",
        "create_menu": [{"label": gettext("New deal"), "url": "/form", "icon": "target-arrow"}],
        "account_menu": [{"label": gettext("Settings"), "url": "/home", "icon": "settings"}],
        "now": NOON,
        "fa": locale == "fa",
        "here": f"?lang={locale}",
    }


def _add_pages(app: Flask) -> None:
    @app.get("/<page>")
    def show(page: str) -> str | tuple[str, int]:
        if page == "missing":
            title = gettext("This page does not exist")
            message = gettext("Check the address, or search for what you want.")
            return render_template("kit/error.html", status=404, title=title, message=message), 404
        return render_template(f"{page}.html")


def _add_answers(app: Flask, moves: Moves) -> None:
    @app.post("/move/<card>")
    def move(card: str) -> Response:
        moves.sent.append(
            {"card": card, "token": request.headers.get("X-CSRFToken", ""), **request.form}
        )
        if request.form["stage_id"] == "5":
            problem = json.dumps({"title": "Refused", "detail": "A deal needs an offer to be won."})
            return Response(problem, 409, content_type="application/problem+json")
        return Response(render_template("_card.html", id=card))

    @app.post("/echo")
    def echo() -> Response:
        fields = {name: request.form.getlist(name) for name in request.form}
        files = {
            name: [file.filename for file in request.files.getlist(name)] for name in request.files
        }
        return Response(json.dumps(fields | files), content_type="application/json")

    @app.get("/options")
    def options() -> Response:
        wanted = request.args.get("q", "").lower()
        names = ["Acme", "Betasoloin", "Cancity", "Codehow", "شرکت نمونه"]
        found = [
            {"value": str(n), "text": name, "hint": "example.com"}
            for n, name in enumerate(names)
            if wanted in name.lower()
        ]
        return Response(json.dumps(found), content_type="application/json")


def _add_fragments(app: Flask) -> None:
    @app.get("/sheet")
    def sheet() -> str:
        return render_template("_sheet.html")

    @app.post("/activity")
    def activity() -> str:
        return render_template("_event.html", fields=request.form)

    @app.get("/poll")
    def poll() -> str:
        return render_template("_poll.html", done=True)

    @app.post("/refuse")
    def refuse() -> Response:
        return Response("No.", 403)


@contextmanager
def running_gallery(port: int = 0) -> Iterator[tuple[str, Moves]]:
    """Serve the gallery inside the block; gives its address and what the board asked for."""
    moves = Moves()
    server = make_server(
        "127.0.0.1", port, create_gallery(moves), threaded=True, request_handler=QuietHandler
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", moves
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    with running_gallery(int(sys.argv[1])) as (address, _moves):
        sys.stdout.write(f"{address}/home\n")
        sys.stdout.flush()
        sys.stdin.read()
