"""What every template of ours can rely on: translation, dates, money, the built files, the reader."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, send_from_directory
from flask_wtf.csrf import generate_csrf
from jinja2 import FileSystemLoader, StrictUndefined, Undefined

from server.core import format as shown
from server.core.i18n import current_locale, direction, gettext, ngettext
from server.core.text import initials
from server.core.version import VERSION
from server.http.licence_gate import is_shut, offers, shut_words

FOREVER = "public, max-age=31536000, immutable"


class _Reader:
    """The visitor as the kit's shell shows them."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self.name: str = actor.name
        self.initials = initials(actor.name)
        self.user_id: int | None = actor.user_id

    def may(self, permission: str) -> bool:
        """Tell whether the visitor holds the permission and the licence leaves something of it."""
        return bool(self._actor.may(permission)) and offers(permission)


def install_templates(app: Flask, folders: Sequence[Path], asset: Callable[[str], str]) -> None:
    """Let the application render our templates from these folders, the first one winning."""
    app.jinja_loader = FileSystemLoader([str(folder) for folder in folders])
    env = app.jinja_env
    env.undefined = StrictUndefined if app.testing else Undefined
    env.trim_blocks = env.lstrip_blocks = True
    env.add_extension("jinja2.ext.i18n")
    env.add_extension("jinja2.ext.do")
    env.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
    env.globals.update(_=gettext, ngettext=ngettext, asset=asset, csrf_token=generate_csrf)
    env.globals.update(is_shut=is_shut, shut_words=shut_words)
    env.filters.update(
        date=shown.date,
        datetime=shown.datetime,
        time=shown.clock_time,
        ago=shown.ago,
        number=shown.number,
        filesize=shown.filesize,
        money=shown.money,
    )

    @app.context_processor
    def _reader() -> dict[str, object]:
        actor = g.get("actor")
        return {
            "locale": current_locale(),
            "dir": direction(),
            "calendar": shown.calendar(),
            "actor": _Reader(actor) if actor else None,
            "product_version": VERSION,
        }


def serve_static(app: Flask, folder: Path, is_lasting: Callable[[str], bool]) -> None:
    """Serve the built files; those whose name carries their hash may be kept for ever."""

    def static(filename: str) -> Response:
        response = send_from_directory(folder, filename)
        response.headers["Cache-Control"] = FOREVER if is_lasting(filename) else "no-cache"
        return response

    app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=static)
