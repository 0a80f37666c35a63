"""The light of the licence: the worst thing that it has to say to this reader."""

from dataclasses import dataclass

from flask import url_for

from server.activation.rules import Explanation, explain
from server.core.actor import Actor
from server.core.entitlements import Entitlements
from server.core.i18n import gettext as _

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
    manages = actor.may("license.manage")
    said = [explain(verdict.reason)] + [
        explain(notice.code)
        for notice in verdict.notices
        if manages or notice.audience == "everybody"
    ]
    worst: Explanation = max(said, key=lambda one: _RANK.index(one.level))
    text = worst.happened if worst.level == "success" else worst.next_step
    return Light(LEVELS[worst.level], _(worst.title), _(text), url_for("license.page"))
