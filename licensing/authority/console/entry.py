"""Coming in and going out: password, second factor, the first sign-in, invitations."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask import session as browser_session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from licensing.authority.console.desk import (
    COOKIE,
    PATH,
    console,
    is_fresh,
    operator,
    picture,
    say,
)
from licensing.authority.staff import links, second_factor
from licensing.authority.staff import sign_in as accounts
from licensing.authority.staff.queries import browser_of, get_member
from server.core.errors import DaftarError, Invalid, NotFound, NotSignedIn, TooMany
from server.core.i18n import gettext as _
from server.core.i18n import ngettext
from server.http.access import public, signed_in, visitor
from server.http.door import door_of
from server.http.errors import status_of
from server.http.unit_of_work import current_session, database

if TYPE_CHECKING:  # a template shows records, and only their types are needed here
    from licensing.authority.staff.models import StaffMember, StaffSession

blueprint = Blueprint("entry", __name__)

NEXT = "next"


def safe(target: str) -> str:
    """Return the wanted page when it is one of the console's, else its first page."""
    home = url_for("home.page")
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets that are no address
        return home
    ours = target == PATH or target.startswith((f"{PATH}/", f"{PATH}?"))
    return target if ours and not parts.netloc and not parts.scheme and "\\" not in target else home


def cookie() -> str:
    """Return the secret that the browser shows."""
    return request.cookies.get(COOKIE, "")


def hand_over(secret: str, answer: ResponseReturnValue, *, hours: int | None = None) -> Response:
    """Give the browser its cookie."""
    response = current_app.make_response(answer)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=None if hours is None else hours * 3600,
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=console().settings.console.https or request.is_secure,
    )
    return response


@blueprint.get("/sign-in")
@public()
def sign_in() -> ResponseReturnValue:
    """Show the sign-in form, or go on when somebody is signed in already."""
    target = request.args.get(NEXT, "")
    if visitor() is not None:
        return redirect(safe(target))
    return _sign_in_page(target, "", None)


def _sign_in_page(target: str, email: str, problem: str | None) -> str:
    return render_template("console/sign_in.html", target=target, email=email, problem=problem)


@blueprint.post("/sign-in")
@public()
def enter() -> ResponseReturnValue:
    """Check address and password, outside any writing transaction, since this is slow on purpose."""
    email, password = request.form.get("email", "")[:320], request.form.get("password", "")
    target = request.form.get(NEXT, "")
    place = accounts.Place(request.remote_addr or "", request.user_agent.string)
    try:
        accounts.count_guess(database(), email, place.address)
        with database().read() as reading:
            member = accounts.check_password_of(reading, email, password)
    except (TooMany, NotSignedIn) as refusal:
        return _refused(_sign_in_page(target, email, refusal.message), refusal)
    accounts.end_browser(current_session(), cookie())
    secret = accounts.begin(current_session(), console().sealing, member, place)
    _forget_all_but_the_language()
    page = "entry.second_factor_page" if member.totp_sealed else "entry.set_up_page"
    return hand_over(secret, redirect(url_for(page, next=target or None)))


def _forget_all_but_the_language() -> None:
    chosen = browser_session.get("locale")
    browser_session.clear()
    if chosen:
        browser_session["locale"] = chosen


def _refused(page: str, refusal: DaftarError) -> ResponseReturnValue:
    headers = {}
    if isinstance(refusal, TooMany):
        headers["Retry-After"] = str(refusal.retry_after)
    return page, status_of(refusal), headers


def _half_way() -> "tuple[StaffSession, StaffMember]":
    """Return the browser that has shown its password, or raise NotSignedIn."""
    found = browser_of(current_session(), cookie())
    if found is None:
        raise NotSignedIn(_("Please sign in first."))
    return found


def count_proof_of_browser() -> None:
    """Count a guess for whoever is half-way in.

    It comes before the request's own transaction, which would have to wait for itself otherwise.
    """
    with database().read() as reading:
        found = browser_of(reading, cookie())
    if found is not None:
        accounts.count_proof(database(), found[1].id, request.remote_addr or "")


@blueprint.get("/second-factor")
@public()
def second_factor_page() -> ResponseReturnValue:
    """Ask for a code of the authenticator app."""
    browser, member = _half_way()
    target = request.args.get(NEXT, "")
    if browser.confirmed_at is not None:
        return redirect(safe(target))
    if member.totp_sealed is None:
        return redirect(url_for("entry.set_up_page", next=target or None))
    return _code_page(member, target, None)


def _code_page(member: "StaffMember", target: str, problem: str | None) -> str:
    return render_template(
        "console/second_factor.html", member=member, target=target, problem=problem
    )


@blueprint.post("/second-factor")
@public()
def show_code() -> ResponseReturnValue:
    """Take the code and sign the browser in."""
    target = request.form.get(NEXT, "")
    problem: DaftarError | None = None
    try:
        count_proof_of_browser()
    except TooMany as refusal:
        problem = refusal
    browser, member = _half_way()
    if browser.confirmed_at is not None:
        return redirect(safe(target))
    code = request.form.get("code", "")
    if problem is None and not second_factor.use_code(
        current_session(), console().sealing, member, code
    ):
        problem = wrong_code()
    if problem is not None:
        return _refused(_code_page(member, target, problem.message), problem)
    remind_of_recovery_codes(member, code)
    return _come_in(browser, member, redirect(safe(target)))


def wrong_code() -> NotSignedIn:
    """Return the refusal of a code."""
    return NotSignedIn(
        _(
            "This code is not right, or it was used already. Wait for the next one; "
            "a recovery code works as well."
        ),
        code="wrong_code",
    )


def remind_of_recovery_codes(member: "StaffMember", code: str) -> None:
    """Tell whoever came in by a recovery code how many are left."""
    if len(code.strip()) <= second_factor.DIGITS:
        return
    say(
        ngettext(
            "%(n)s recovery code is left. Make new ones on the page of your account.",
            "%(n)s recovery codes are left. Make new ones on the page of your account.",
            second_factor.left(current_session(), member),
        ),
        "warning",
    )


def _come_in(
    browser: "StaffSession", member: "StaffMember", answer: ResponseReturnValue
) -> Response:
    hours = console().settings.console.session_hours
    secret = accounts.finish(current_session(), browser, member, hours=hours)
    return hand_over(secret, answer, hours=hours)


def _is_sure() -> bool:
    """Tell whether nobody else can sit there: whoever is inside proved lately who they are."""
    return visitor() is None or is_fresh(operator())


def _ask_again() -> ResponseReturnValue:
    target = url_for("entry.set_up_page", next=request.values.get(NEXT) or None)
    return redirect(url_for("confirm.page", next=target))


@blueprint.get("/second-factor/new")
@public()
def set_up_page() -> ResponseReturnValue:
    """Show the secret of a new second factor, to scan or to type."""
    if not _is_sure():
        return _ask_again()
    browser, member = _half_way()
    if browser.new_totp is None:
        return redirect(url_for("home.page"))
    return _set_up_page(browser, member, None)


def _set_up_page(browser: "StaffSession", member: "StaffMember", problem: str | None) -> str:
    secret = console().sealing.opened(browser.new_totp or b"", member.id)
    told = second_factor.enrolment(member, secret)
    return render_template(
        "console/set_up.html",
        member=member,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=picture(told.uri),
        uri=told.uri,
        problem=problem,
        is_inside=browser.confirmed_at is not None,
        target=request.values.get(NEXT, ""),
    )


@blueprint.post("/second-factor/new")
@public()
def set_up() -> ResponseReturnValue:
    """Keep the new second factor once a code proves it, and show the recovery codes, this once."""
    if not _is_sure():
        return _ask_again()
    problem: DaftarError | None = None
    try:
        count_proof_of_browser()
    except TooMany as refusal:
        problem = refusal
    browser, member = _half_way()
    get_member(current_session(), member.id, lock=True)
    if browser.new_totp is None:
        return redirect(url_for("home.page"))
    if browser.confirmed_at is None and member.totp_sealed is not None:
        # Somebody else with the password was first; only what they set up opens the door now.
        return redirect(url_for("entry.second_factor_page"))
    codes: list[str] = []
    if problem is None:
        secret = console().sealing.opened(browser.new_totp, member.id)
        try:
            codes = second_factor.set_up(
                current_session(), console().sealing, member, secret, request.form.get("code", "")
            )
        except Invalid as refusal:
            problem = refusal
    if problem is not None:
        return _refused(_set_up_page(browser, member, problem.message), problem)
    accounts.end_browsers(current_session(), member.id, but=browser.id)
    page = render_template(
        "console/recovery_codes.html", codes=codes, target=safe(request.form.get(NEXT, ""))
    )
    return _come_in(browser, member, page)


@blueprint.post("/sign-out")
@signed_in()
def sign_out() -> ResponseReturnValue:
    """End this browser's sign-in."""
    accounts.end_browser(current_session(), cookie())
    _forget_all_but_the_language()
    response = current_app.make_response(redirect(url_for("entry.sign_in")))
    response.delete_cookie(COOKIE, path=PATH)
    return response


def link_secret() -> bytes:
    """Return the key that signs the links of this authority."""
    return door_of(current_app).secret_key


@blueprint.get("/choose-password/<token>")
@public()
def choose_password(token: str) -> ResponseReturnValue:
    """Show the form of a link by which somebody chooses a password."""
    member = links.member_of_link(current_session(), token, secret=link_secret())
    return _chosen(member, token, None)


def _chosen(member: "StaffMember", token: str, problem: str | None) -> str:
    return render_template(
        "console/choose_password.html", member=member, token=token, problem=problem
    )


@blueprint.post("/choose-password/<token>")
@public()
def use_link(token: str) -> ResponseReturnValue:
    """Give the member of the link the chosen password; the link is used up."""
    session = current_session()
    member = links.member_of_link(session, token, secret=link_secret())
    try:
        links.choose_password(
            session, token, request.form.get("password", ""), secret=link_secret()
        )
    except NotFound:
        raise
    except DaftarError as refusal:
        return _chosen(member, token, refusal.message), status_of(refusal)
    say(_("The password is set. Please sign in with it."))
    return redirect(url_for("entry.sign_in"))
