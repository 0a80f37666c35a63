"""What every page of the console works with: who is there, the settings, the keys, and secrets shown once."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Literal, ParamSpec
from urllib.parse import urlsplit

from flask import current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from licensing.authority.config import Settings
from licensing.authority.keys.store import Keys
from licensing.authority.staff.queries import Operator
from licensing.authority.staff.sealing import Sealing
from server.core import clock, qr
from server.core.errors import DaftarError, NotSignedIn
from server.core.i18n import gettext as _
from server.http.access import current_actor

P = ParamSpec("P")

CONSOLE = "daftar.authority.console"
COOKIE = "daftar_console"
PATH = "/console"
_REVEALED = "revealed"


@dataclass(frozen=True)
class Console:
    """One per process."""

    settings: Settings
    keys: Keys
    sealing: Sealing


def console() -> Console:
    """Return what this application shows its pages with."""
    found: Console = current_app.extensions[CONSOLE]
    return found


def operator() -> Operator:
    """Return the member of the staff who is asking."""
    actor = current_actor()
    if not isinstance(actor, Operator):
        raise NotSignedIn(_("Please sign in first."))
    return actor


def say(text: str, level: Literal["success", "info", "warning", "danger"] = "success") -> None:
    """Show the sentence on the next page."""
    flash(text, level)


def picture(text: str) -> str:
    """Return the address of a picture that is the text as a QR code."""
    return f"data:image/svg+xml;base64,{base64.b64encode(qr.svg(text)).decode()}"


def is_fresh(who: Operator) -> bool:
    """Tell whether the operator proved who they are a short while ago."""
    lasts = timedelta(minutes=console().settings.console.confirm_minutes)
    return clock.now() - who.confirmed_at < lasts


def fresh(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let in whoever proved lately who they are; ask the others first, then bring them here."""

    @wraps(view)
    def asked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if is_fresh(operator()):
            return view(*args, **kwargs)
        target = request.full_path.rstrip("?")
        if request.method == "POST":
            say(_("Nothing was changed yet: confirm that it is you, then repeat the step."), "info")
            target = urlsplit(request.referrer or "").path  # the page with the form
        return redirect(url_for("confirm.page", next=target))

    return asked


def reveal(kind: str, **secrets: str) -> None:
    """Keep what may be shown once for the next page, unreadable on the way and gone after it."""
    text = json.dumps({"kind": kind, **secrets})
    sealed = console().sealing.seal(text, operator().staff_id)
    session[_REVEALED] = base64.b64encode(sealed).decode()


def revealed(kind: str) -> dict[str, str] | None:
    """Return what the last step left to be shown once, or None."""
    kept = session.pop(_REVEALED, None)
    if not isinstance(kept, str):
        return None
    try:
        text = console().sealing.opened(base64.b64decode(kept), operator().staff_id)
    except (DaftarError, ValueError):
        return None
    found: dict[str, str] = json.loads(text)
    return found if found.get("kind") == kind else None
