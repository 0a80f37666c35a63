"""What the licence has to say to whoever looks at a page."""

from flask import current_app

from server.activation.words import Reader, Told, gravest, tell
from server.core import clock
from server.core.actor import Actor
from server.core.entitlements import Entitlements
from server.http.door import door_of


def verdict_now() -> Entitlements | None:
    """Return the licence's verdict; None in a house without a licence."""
    board = door_of(current_app).board
    return None if board is None else board.verdict


def reader_of(actor: Actor | None) -> Reader:
    """Return as whom the actor reads about the licence."""
    if actor is None:
        return Reader.STRANGER
    return Reader.ADMINISTRATOR if actor.may("license.manage") else Reader.COLLEAGUE


def told_now(actor: Actor | None) -> Told | None:
    """Return what the present mode means for the actor; None in a house without a licence."""
    verdict = verdict_now()
    if verdict is None:
        return None
    return tell(verdict, gravest(verdict), reader_of(actor), clock.now())
