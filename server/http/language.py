"""Which language the visitor reads: asked for, chosen in the profile, wished by the browser."""

from flask import current_app, request, session

from server.core.actor import Actor
from server.core.i18n import LOCALES, negotiate
from server.http.door import door_of

CHOICE = "locale"


def choose_locale(actor: Actor | None, default: str) -> str:
    """Return the language of the running request.

    `?lang=` wins and is remembered in the browser; the API follows Accept-Language (interfaces.md).
    """
    by_program = request.path.startswith(door_of(current_app).api_prefixes)
    asked = request.args.get("lang")
    if asked in LOCALES:
        if request.endpoint != "static" and not by_program:
            session[CHOICE] = asked
        return str(asked)
    wished = negotiate(request.headers.get("Accept-Language", ""))
    if by_program:
        return wished or (actor.locale if actor else default)
    if actor is not None:
        return actor.locale
    remembered = session.get(CHOICE)
    return remembered if remembered in LOCALES else wished or default
