"""The page of a refusal for the licence: what happened, what works, what to do; what was typed is not lost."""

from dataclasses import dataclass

from flask import current_app, g, render_template, request, url_for
from flask_wtf.csrf import validate_csrf
from wtforms.validators import ValidationError

from client_web.ladder.banners import DIAGNOSIS, has_diagnosis
from client_web.ladder.reader import reader_of, told_now, verdict_now
from server.activation.words import Reader
from server.core.actor import Actor
from server.core.i18n import gettext as _
from server.http.licence_gate import is_open

CODES = frozenset({"license_locked", "license_read_only", "license_setup"})
_UNSHOWN = frozenset({"csrf_token"})
_HIDDEN = frozenset({"version", "uuid"})
_SECRET = ("password", "secret", "token")
MOST_FIELDS = 100
MOST_TEXT = 20_000


@dataclass(frozen=True)
class Field:
    """A field of the form that was refused, as it was typed."""

    name: str
    value: str

    @property
    def is_long(self) -> bool:
        """Tell whether the value wants more than a line."""
        return len(self.value) > 60 or "\n" in self.value

    @property
    def is_hidden(self) -> bool:
        """Tell whether nobody typed it, though the form needs it."""
        return self.name in _HIDDEN


@dataclass(frozen=True)
class Way:
    """One of the things that work in every mode."""

    label: str
    text: str
    url: str
    icon: str


def refusal_page(status: int) -> str:
    """Render the refusal of the running request."""
    return closed_page(status=status, typed=typed_fields())


def closed_page(*, status: int = 200, typed: tuple[Field, ...] = ()) -> str:
    """Render what the present mode means for the reader, with the ways that stay open."""
    actor: Actor | None = g.get("actor")
    verdict = verdict_now()
    return render_template(
        "ladder/closed.html",
        told=told_now(actor),
        mode=verdict.mode if verdict else "",
        ways=ways_out(actor),
        typed=typed,
        again=request.full_path.rstrip("?") if typed else None,
        refused=status != 200,
        banners=[],
        stranger=actor is None,
        administers=reader_of(actor) is Reader.ADMINISTRATOR,
    )


def typed_fields() -> tuple[Field, ...]:
    """Return what was typed into the refused form, so that it can be copied or sent again.

    Only a form of ours is shown again: another site must not choose what a page of ours offers to send.
    """
    if request.method != "POST" or not request.form or g.get("actor") is None:
        return ()
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return ()
    fields = [
        Field(name, value[:MOST_TEXT])
        for name, value in request.form.items(multi=True)
        if name not in _UNSHOWN and not any(word in name.lower() for word in _SECRET)
    ]
    return tuple(fields[:MOST_FIELDS])


def ways_out(actor: Actor | None) -> tuple[Way, ...]:
    """Return what this reader can do whatever the licence says."""
    if actor is None:
        return ()
    offered = (
        ("license.see", "license.page", "license", _("Licence"), _about_licence(actor)),
        (
            "backups.see",
            "backups.page",
            "database-export",
            _("Backups"),
            _("Make, check and fetch backups."),
        ),
        (
            "exports.run",
            "exports.page",
            "package-export",
            _("Export everything"),
            _("All records and files in one archive."),
        ),
        (
            "users.manage",
            "colleagues.page",
            "users",
            _("Users"),
            _("Deactivate users who no longer need a seat."),
        ),
    )
    found = [
        Way(label, text, url_for(endpoint), icon)
        for permission, endpoint, icon, label, text in offered
        if actor.may(permission) and is_open(endpoint)
    ]
    if actor.may("license.manage") and has_diagnosis() and _is_about_contact():
        found.insert(1, _diagnosis())
    return tuple(found)


def _diagnosis() -> Way:
    text = _("Find out what stands between this server and the vendor.")
    return Way(_("Diagnosis"), text, DIAGNOSIS, "heartbeat")


def _about_licence(actor: Actor) -> str:
    if actor.may("license.manage"):
        return _("See how the licence stands, check now, activate or give back.")
    return _("See how the licence stands.")


def _is_about_contact() -> bool:
    verdict = verdict_now()
    return (
        verdict is not None
        and verdict.reason == "no_contact"
        and "license.page" in current_app.view_functions
    )
