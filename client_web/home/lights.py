"""The light of the licence: the worst thing that it has to say to this reader."""

from dataclasses import dataclass

from flask import url_for

from client_web.ladder.reader import reader_of
from server.activation.words import Reader, gravest, tell
from server.core import clock
from server.core.actor import Actor
from server.core.entitlements import Entitlements

LEVELS = {"success": "green", "info": "gray", "warning": "amber", "danger": "red"}
_RANK = tuple(LEVELS)


@dataclass(frozen=True)
class Light:
    """A light in the reader's words. `level` is green, gray, amber or red."""

    level: str
    title: str
    text: str
    url: str


def licence_light(actor: Actor, verdict: Entitlements) -> Light | None:
    """Return how the licence stands, or None for who may not know."""
    if not actor.may("license.see"):
        return None
    reader = reader_of(actor)
    known = [
        notice
        for notice in verdict.notices
        if reader is Reader.ADMINISTRATOR or notice.audience == "everybody"
    ]
    said = [tell(verdict, one, reader, clock.now()) for one in (gravest(verdict), *known)]
    worst = max(said, key=lambda one: _RANK.index(one.level))
    text = worst.happened if worst.level == "success" else worst.next_step or worst.works
    return Light(LEVELS[worst.level], worst.title, text or worst.call, url_for("license.page"))
