"""Which language the visitor reads: asked for, chosen in the profile, wished by the browser."""

from flask import request, session

from server.core.actor import Actor
from server.core.i18n import LOCALES, negotiate

CHOICE = "locale"


def choose_locale(actor: Actor | None, default: str) -> str:
    """Return the language of the running request.

    `?lang=` wins and is remembered in the browser; the API follows Accept-Language (interfaces.md).
    """
    asked = request.args.get("lang")
    if asked in LOCALES:
        if request.endpoint != "static" and not request.path.startswith("/api/"):
            session[CHOICE] = asked
        return str(asked)
    wished = negotiate(request.headers.get("Accept-Language", ""))
    if request.path.startswith("/api/"):
        return wished or (actor.locale if actor else default)
    if actor is not None:
        return actor.locale
    remembered = session.get(CHOICE)
    return remembered if remembered in LOCALES else wished or default
