"""Asking again who is there, before what is grave."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from licensing.authority.console.desk import console, operator
from licensing.authority.console.entry import (
    NEXT,
    cookie,
    remind_of_recovery_codes,
    safe,
    wrong_code,
)
from licensing.authority.staff import second_factor
from licensing.authority.staff import sign_in as accounts
from licensing.authority.staff.queries import browser_of
from server.core.errors import DaftarError, NotSignedIn, TooMany
from server.core.i18n import gettext as _
from server.core.passwords import matches
from server.http.access import signed_in
from server.http.errors import status_of
from server.http.unit_of_work import current_session, database

blueprint = Blueprint("confirm", __name__)


@blueprint.get("/confirm")
@signed_in()
def page() -> ResponseReturnValue:
    """Ask for a code or the password."""
    return _page(request.args.get(NEXT, ""), None)


def _page(target: str, problem: str | None) -> str:
    minutes = console().settings.console.confirm_minutes
    return render_template("console/confirm.html", target=target, problem=problem, minutes=minutes)


@blueprint.post("/confirm")
@signed_in()
def prove() -> ResponseReturnValue:
    """Take the proof and go on to what was asked for."""
    target = request.form.get(NEXT, "")
    try:
        accounts.count_proof(database(), operator().staff_id, request.remote_addr or "")
        _prove()
    except (TooMany, NotSignedIn) as refusal:
        # 403, not 401: whoever is here stays signed in.
        status = 403 if isinstance(refusal, NotSignedIn) else status_of(refusal)
        return _page(target, refusal.message), status
    return redirect(safe(target))


def _prove() -> None:
    session = current_session()
    found = browser_of(session, cookie())
    if found is None:
        raise NotSignedIn(_("Please sign in first."))
    browser, member = found
    code, password = request.form.get("code", ""), request.form.get("password", "")
    refusal: DaftarError | None = None
    if code.strip():
        if not second_factor.use_code(session, console().sealing, member, code):
            refusal = wrong_code()
        else:
            remind_of_recovery_codes(member, code)
    elif not matches(member.password_hash, password):
        refusal = NotSignedIn(_("This is not your password."), code="wrong_password")
    if refusal is not None:
        raise refusal
    accounts.confirm(session, browser, member)
