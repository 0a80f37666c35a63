"""Pages of the keys that open backups: who holds them, the test, new ones, the key on this server.

Every route here is open in every licence mode, as all of the backups.
"""

import base64

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from client_web.backups.forms import LettersForm, RotationForm
from client_web.backups.views import blueprint, office
from client_web.kit.assets import STATIC
from client_web.reading import put_back, say
from server.backups.custody import KeyOffice, NewRecipient, Role, offline_role
from server.backups.rules import KEY_DUTIES, KEY_LABELS, PROOF_LABELS
from server.backups.sheets import sheet_of
from server.core import clock, qr
from server.core.errors import DaftarError, Invalid, NotFound
from server.core.i18n import gettext as _
from server.http.access import current_actor, needs
from server.http.unit_of_work import current_session, database
from server.users.queries import confirm_password

FONTS = STATIC / "fonts"


def _keys() -> KeyOffice:
    return KeyOffice(office())


def _words() -> dict[str, object]:
    return {
        "key_words": {role: _(words) for role, words in KEY_LABELS.items()},
        "key_duties": {role: _(words) for role, words in KEY_DUTIES.items()},
        "proof_words": {how: _(words) for how, words in PROOF_LABELS.items()},
        "now": clock.now(),
    }


@blueprint.get("/backups/keys")
@needs("backups.see", always=True)
def keys() -> ResponseReturnValue:
    """Show who proved which key when, which former keys are needed still, and the key on this server."""
    return _page(RotationForm())


def _page(form: RotationForm, problem: str = "") -> str:
    standing = _keys().standing(current_actor())
    return render_template(
        "backups/keys.html", standing=standing, form=form, problem=problem, **_words()
    )


def _role(word: str) -> Role:
    try:
        return offline_role(word)
    except Invalid as refusal:
        raise NotFound(refusal.message, code="no_such_key") from refusal


@blueprint.get("/backups/keys/<role>")
@needs("backups.confirm", always=True)
def key_test(role: str) -> ResponseReturnValue:
    """Show how a key is tested, and take the letters."""
    return _test(_role(role), LettersForm())


def _test(role: Role, form: LettersForm, *, canary: str = "", problem: str = "") -> str:
    return render_template(
        "backups/key_test.html", role=role, form=form, canary=canary, problem=problem, **_words()
    )


@blueprint.post("/backups/keys/<role>/test")
@needs("backups.confirm", always=True)
def make_key_test(role: str) -> ResponseReturnValue:
    """Make a new test of the key: a file to take away, or text to copy."""
    which = _role(role)
    canary = _keys().make_test(current_session(), current_actor(), which)
    if request.form.get("as") == "text":
        return _test(which, LettersForm(formdata=None), canary=canary.decode())
    answer = Response(canary, mimetype="application/octet-stream")
    name = f"daftar-key-test-{which.value}.age"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/backups/keys/<role>/answer")
@needs("backups.confirm", always=True)
def answer_key_test(role: str) -> ResponseReturnValue:
    """Take the letters that the holder of the key has read."""
    which, form = _role(role), LettersForm()
    try:
        _keys().answer(current_session(), current_actor(), which, form.letters.data or "")
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _test(which, form, problem=refusal.message), status
    say(_("The key is proved. It is asked again in 90 days."))
    return redirect(url_for("backups.keys"))


@blueprint.post("/backups/keys/rotate")
@needs("backups.run", always=True)
def rotate_keys() -> ResponseReturnValue:
    """Make offline keys anew and show their private halves, this once."""
    form, actor = RotationForm(), current_actor()
    try:
        roles = form.roles()
        with database().read() as reading:  # slow on purpose, so outside the writing transaction
            confirm_password(reading, actor, form.password.data or "")
        made = _keys().rotate(current_session(), actor, roles)
    except DaftarError as refusal:
        _elsewhere, status = put_back(form, refusal)
        return _page(form, refusal.message), status
    return render_template(
        "backups/new_keys.html",
        made=made,
        pictures={each.role: _picture(each) for each in made},
        **_words(),
    )


def _picture(key: NewRecipient) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(qr.svg(key.private)).decode()}"


@blueprint.post("/backups/keys/sheet")
@needs("backups.run", always=True, reads=True)
def key_sheet() -> ResponseReturnValue:
    """Send the recovery sheet of the keys that the page of new keys still shows; nothing is kept."""
    brought = _keys().current(current_actor(), request.form.getlist("key"))
    if not brought:
        raise Invalid(_("No key was given for the sheet."), field="key")
    ring = office().keys
    sheet = sheet_of(office().settings, ring.signer_fingerprint, brought)
    answer = Response(sheet.pdf(FONTS), mimetype="application/pdf")
    role = brought[0].role.value if len(brought) == 1 else "keys"
    name = f"recovery-sheet-{role}.pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/backups/keys/drill/renew")
@needs("backups.run", always=True)
def renew_drill_key() -> ResponseReturnValue:
    """Put a new drill key on this server."""
    _keys().renew_drill_key(current_session(), current_actor())
    say(_("This server has a new drill key. Backups from now on are restored for real here."))
    return redirect(url_for("backups.keys"))


@blueprint.post("/backups/keys/drill/remove")
@needs("backups.run", always=True)
def remove_drill_key() -> ResponseReturnValue:
    """Take the drill key off this server."""
    _keys().remove_drill_key(current_session(), current_actor())
    say(_("The drill key is gone from this server. Backups are checked by their sealed bytes."))
    return redirect(url_for("backups.keys"))
