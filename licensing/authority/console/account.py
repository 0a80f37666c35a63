"""The page of one's own account: language, password, second factor, browsers."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from licensing.authority.audit.service import note
from licensing.authority.console.desk import console, fresh, operator, say
from licensing.authority.staff import queries, second_factor, service
from licensing.authority.staff import sign_in as accounts
from server.core.errors import DaftarError, Invalid, TooMany
from server.core.i18n import gettext as _
from server.core.passwords import matches
from server.http.access import signed_in
from server.http.errors import status_of
from server.http.unit_of_work import current_session, database

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@signed_in()
def page() -> ResponseReturnValue:
    """Show one's own account."""
    return _page(None)


def _page(problem: DaftarError | None) -> str:
    session, who = current_session(), operator()
    member = queries.get_member(session, who.staff_id)
    return render_template(
        "console/account/page.html",
        member=member,
        codes_left=second_factor.left(session, member),
        browsers=queries.browsers_of(session, who.staff_id),
        this_browser=who.session_id,
        problem=None if problem is None else problem.message,
        errors={one.field: one.message for one in getattr(problem, "errors", ())},
    )


@blueprint.post("/account/language")
@signed_in()
def language() -> ResponseReturnValue:
    """Choose the language of the console."""
    service.set_locale_of(current_session(), operator().staff_id, request.form.get("locale", ""))
    return redirect(url_for("account.page"))


@blueprint.post("/account/password")
@signed_in()
def password() -> ResponseReturnValue:
    """Choose another password; every other browser is signed out."""
    who = operator()
    try:
        accounts.count_proof(database(), who.staff_id, request.remote_addr or "")
        session = current_session()
        member = queries.get_member(session, who.staff_id, lock=True)
        if not matches(member.password_hash, request.form.get("current", "")):
            raise Invalid(_("This is not your password."), field="current")
        service.change_own_password(
            session, member, request.form.get("password", ""), browser_id=who.session_id
        )
    except (Invalid, TooMany) as refusal:
        return _page(refusal), status_of(refusal)
    accounts.forgive_guesses(session, member, request.remote_addr or "")
    say(_("The password is changed. Other browsers are signed out."))
    return redirect(url_for("account.page"))


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@signed_in()
@fresh
def new_second_factor() -> ResponseReturnValue:
    """Say what a new second factor means, then begin to set it up; the old one is good until the end of it."""
    if request.method == "GET":
        return render_template("console/account/second_factor.html")
    session, who = current_session(), operator()
    accounts.begin_new_factor(session, console().sealing, who)
    return redirect(url_for("entry.set_up_page", next=url_for("account.page")))


@blueprint.route("/account/recovery-codes", methods=["GET", "POST"])
@signed_in()
@fresh
def recovery_codes() -> ResponseReturnValue:
    """Say what new recovery codes mean, then make them and show them, this once."""
    if request.method == "GET":
        return render_template("console/account/recovery_codes.html")
    session, who = current_session(), operator()
    member = queries.get_member(session, who.staff_id, lock=True)
    codes = second_factor.renew_recovery_codes(session, console().sealing, member)
    note(session, who.email, "staff.recovery_codes", who.email)
    return render_template(
        "console/recovery_codes.html", codes=codes, target=url_for("account.page")
    )


@blueprint.post("/account/browsers/end")
@signed_in()
def end_others() -> ResponseReturnValue:
    """Sign every other browser out."""
    session, who = current_session(), operator()
    accounts.end_browsers(session, who.staff_id, but=who.session_id)
    note(session, who.email, "staff.sign_out", who.email)
    say(_("Every other browser is signed out."))
    return redirect(url_for("account.page"))
